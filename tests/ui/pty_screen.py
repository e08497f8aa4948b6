"""A program on a pseudo-terminal, seen through a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 30.0
ROOT = Path(__file__).parents[2]


class PtyScreen:
    """What a person would see, and their keys."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, slave: int, size: tuple[int, int]) -> None:
        self.process, self._master, self.slave = process, master, slave
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    def send(self, keys: str | bytes) -> None:
        os.write(self._master, keys if isinstance(keys, bytes) else keys.encode())

    def text(self) -> str:
        return "\n".join(self._screen.display)

    def resize(self, columns: int, lines: int) -> None:
        set_size(self.slave, columns, lines)
        self._screen.resize(lines, columns)

    def modes(self) -> tuple[int, int]:
        """Input and local modes of the terminal."""
        attributes = termios.tcgetattr(self.slave)
        return attributes[0], attributes[3]

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Reads until the condition holds."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"{what}:\n{self.text()}"
            if select.select([self._master], [], [], min(left, 0.1))[0]:
                self._stream.feed(os.read(self._master, 65536))

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text(), f"{text!r} did not appear")

    def ends(self) -> int:
        """Waits for the program's end; its exit status."""
        self.until(lambda: self.process.poll() is not None, "it did not end")
        return self.process.wait()


def set_size(fd: int, columns: int, lines: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


@contextmanager
def program(*argv: str, size: tuple[int, int] = (100, 30)) -> Iterator[PtyScreen]:
    """Runs `python -m argv` as the leader of a session whose terminal is a pty; ends all of it afterwards."""
    master, slave = os.openpty()
    set_size(slave, *size)
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-m", *argv],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=own_terminal,  # noqa: PLW1509 - the test process has no other thread that forks
    )
    try:
        yield PtyScreen(process, master, slave, size)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(master)
        os.close(slave)
