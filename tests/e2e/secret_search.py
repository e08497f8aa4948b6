"""Looks for a secret wherever a program may have left it: screens, argv and environments of processes, files."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

PAUSE: Final = 0.02  # seconds between looks at the processes; those looked for here live for longer
PIECE: Final = 16  # signs of a secret that are enough to be found


def pieces(secret: str) -> tuple[str, ...]:
    """What a secret is known by, also where a screen has broken it: the whole, and every stretch of so many signs."""
    return (secret, *(secret[at : at + PIECE] for at in range(0, max(1, len(secret) - PIECE), PIECE // 2)))


def disguises(secret: str) -> tuple[bytes, ...]:
    """How its bytes may stand in a file or an environment."""
    plain = secret.encode()
    # Base64 begins anew every three bytes: of each beginning the part that what stands before does not change.
    coded = (base64.b64encode(b"\0" * before + plain)[4:-4] for before in range(3))
    return (*(piece.encode() for piece in pieces(secret)), quote(secret, safe="").encode(), *coded)


@dataclass(frozen=True)
class Process:
    """What anybody who may look sees of a process."""

    argv: bytes
    environment: bytes


@dataclass
class Watch:
    """Everything seen so far. `mark` is in the environment of every process that is looked at; those whose argv has
    `client` may have the secret in their environment, and nobody else."""

    home: Path
    mark: str
    client: str
    screens: list[str] = field(default_factory=list)
    processes: set[Process] = field(default_factory=set)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Looks at the processes again and again meanwhile."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(PAUSE):
                self.look()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def look(self) -> None:
        """The processes that there are now."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                environment = (folder / "environ").read_bytes()
                if self.mark.encode() in environment:
                    self.processes.add(Process((folder / "cmdline").read_bytes(), environment))

    def clients(self) -> tuple[Process, ...]:
        """Those that were to have the secret."""
        return tuple(each for each in self.processes if self.client.encode() in each.argv)

    def findings(self, secrets: Sequence[str]) -> list[str]:
        """Every place where any of the secrets is, or a piece of one; none of them is in the words."""
        found = []
        for number, secret in enumerate(secrets):
            signs = disguises(secret)
            found += [f"secret {number} on a screen" for each in self.screens if _shows(each, secret)]
            for process in self.processes:
                name = process.argv.replace(b"\0", b" ").decode(errors="replace")[:60]
                if _any(signs, process.argv):
                    found.append(f"secret {number} in the argv of a process")
                if process not in self.clients() and _any(signs, process.environment):
                    found.append(f"secret {number} in the environment of {name}")
            for file in self.home.rglob("*"):
                if file.is_file() and not file.is_symlink() and _any(signs, file.read_bytes()):
                    found.append(f"secret {number} in {file.relative_to(self.home)}")
        return found


def _any(signs: Sequence[bytes], where: bytes) -> bool:
    return any(sign in where for sign in signs)


def _shows(screen: str, secret: str) -> bool:
    """Lines and frames may break a text anywhere, so it is looked for by its pieces, and without what is no part."""
    run = "".join(sign for sign in screen if not sign.isspace() and sign not in "│┃▌")
    return any("".join(piece.split()) in run for piece in pieces(secret))
