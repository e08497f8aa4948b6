"""Entries in the files of database clients. Each stands between two lines of ours; every other byte stays as it is."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ssm_tui.errors import SsmTuiError
from ssm_tui.store import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.entries import ClientFile, Entry

_MOST_BYTES: Final = 4 * 1024 * 1024
_NEW: Final = 0o600


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """Writes entries. `state` is our own folder, for the lock: none is left beside the files."""

    state: Path
    environment: Mapping[str, str]

    def place(self, file: ClientFile) -> Path:
        """Where the client looks for it: libpq in PGSERVICEFILE first."""
        from ssm_tui.domain.connection.entries import ClientFile  # with all strings: not before the first paint

        if file is ClientFile.PG_SERVICE:
            if named := self.environment.get("PGSERVICEFILE"):
                return Path(named)
            if os.name == "nt":
                return Path(self.environment.get("APPDATA", "")) / "postgresql" / ".pg_service.conf"
            return Path.home() / ".pg_service.conf"
        return Path.home() / ".my.cnf"

    def write(self, entry: Entry) -> Path:
        """Lays the entry over the one of its name, or at the file's end; where the file is. A file that is not there is
        made for its owner's eyes alone. Blocks briefly. Raises SsmTuiError."""
        place = self.place(entry.file)
        try:
            with whole.locked(self.state / "client-files"):
                _change(Path(os.path.realpath(place)), place, entry)  # a link stays one
        except whole.ForeignError:
            raise SsmTuiError(f"{place} is no ordinary file", "copy the connection string instead") from None
        except OSError as problem:
            raise SsmTuiError(
                f"{place} cannot be written: {problem.strerror}", "mend its permissions, or copy the string instead"
            ) from None
        return place


def _change(real: Path, place: Path, entry: Entry) -> None:
    """Raises OSError, ForeignError, SsmTuiError."""
    file = whole.open_to_read(real, _MOST_BYTES)
    if file is None:
        before, mode = b"", _NEW
    else:
        with file:
            before, mode = file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    after = replaced(before, entry, str(place))
    if after != before:
        whole.replace(real, (after,), alone=False, mode=mode)


def replaced(before: bytes, entry: Entry, where: str) -> bytes:
    """The file's bytes with the entry in it. Raises SsmTuiError where a section of its name is somebody else's, or the
    end of ours is not to be found."""
    if b"\x00" in before:  # UTF-16, say: clients do not read it either
        raise SsmTuiError(f"{where} is no text file", "copy the connection string instead")
    first = f"# ssm-tui begins {entry.name}: it writes anew what stands from here".encode()
    last = f"# ssm-tui ends {entry.name}".encode()
    lines = before.splitlines(keepends=True)
    bare = [line.strip() for line in lines]
    start = end = len(lines)
    if first in bare:
        start = bare.index(first)
        if last not in bare[start:]:
            raise SsmTuiError(
                f"{where}: the line {last.decode()!r} is gone", f"put it back behind {entry.name}'s entry"
            )
        end = bare.index(last, start) + 1
    headings = {f"[{heading}]".encode() for heading, _ in entry.sections}
    taken = headings & {*bare[:start], *bare[end:]}
    if taken:
        raise SsmTuiError(
            f"{where} has a section {min(taken).decode()} that ssm-tui has not written", "rename that, or remove it"
        )
    block = b"\n".join((first, *(line.encode() for line in entry.lines), last)) + b"\n"
    head = b"".join(lines[:start])
    if start == len(lines) and head:  # at the end of what stands there: apart from it
        block = (b"\n" if head.endswith((b"\n", b"\r")) else b"\n\n") + block
    return head + block + b"".join(lines[end:])
