"""Files that are always whole: read as they are, replaced under a lock, set aside where they are not ours."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCK_SECONDS: Final = 1.0
"""How long a change waits for another process's; then it goes ahead, and one of the two may be lost."""
_TICK: Final = 0.01

_log = logging.getLogger("ssm_tui.store")


def _flock_within(descriptor: int) -> bool:
    """Whether the lock was had within LOCK_SECONDS."""
    import fcntl

    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_TICK)
        except OSError:  # a file system without locks
            return False
        else:
            return True


# Windows has no such lock: there a change may be lost to another process's.
_flock = _flock_within if os.name == "posix" else None


class ForeignError(Exception):
    """The file is not one that this version has written."""


def open_to_read(path: Path, most_bytes: int) -> BinaryIO | None:
    """The file, or None where there is none. Raises OSError, ForeignError for what is no file or far too large."""
    try:
        # Not blocking, should it be a pipe.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > most_bytes:
        os.close(descriptor)
        raise ForeignError
    return os.fdopen(descriptor, "rb")


def set_aside(path: Path) -> None:
    """It is `NAME.broken` from now on. Raises OSError."""
    _log.warning("%s is not this version's: set aside", path.name)
    path.replace(path.with_name(f"{path.name}.broken"))


def replace(path: Path, pieces: Iterable[bytes], *, alone: bool, mode: int | None = None) -> None:
    """Another file in the folder, then renamed: whoever reads finds the old or the new one, also after a power cut.
    `alone`: the lock is ours. `mode`: its permissions, our eyes alone if not told. Raises OSError."""
    if alone:  # then what lies about was left by a process that was killed
        for left in path.parent.glob(f".{path.name}.*.new"):
            left.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(".new", f".{path.name}.", path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            if mode is not None:
                Path(name).chmod(mode)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Whether nobody else changes the file meanwhile; its folder is made. The lock is another file: this one's place is
    taken by a new one at each change. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _flock is None:
        yield False
        return
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _flock(descriptor)
    finally:
        os.close(descriptor)


def same(path: Path, file: BinaryIO) -> bool:
    """Whether the open file is still the one at this place. Raises OSError."""
    return os.path.samestat(path.stat(), os.fstat(file.fileno()))
