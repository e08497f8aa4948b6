"""One small JSON file that several processes read and change: always whole, never fatal, never long in the way.

What is kept here is a convenience. So a file that cannot be read counts as empty, one that is not ours, or a newer
version's, is set aside as `NAME.broken`, and a change that cannot be written is not kept; the log says so.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


T = TypeVar("T")

LOCK_SECONDS: Final = 1.0
"""How long a change waits for another process's; then it goes ahead, and one of the two may be lost."""
_MOST_BYTES: Final = 4 * 1024 * 1024
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


class _ForeignError(Exception):
    """The file is not one that this version has written."""


class KeptFile(Generic[T]):
    """`path` holds a value of `kind`, in an envelope with its name and version. Every method blocks briefly; none
    raises."""

    def __init__(self, path: Path, kind: Any, empty: T, *, version: int = 1) -> None:
        self._path = path
        self._kind = kind
        self._empty = empty
        self._version = version

    def read(self) -> T:
        """What is kept, or the empty value."""
        try:
            return self._load()
        except OSError as problem:
            self._complain("read", problem)
        except _ForeignError:
            self.change(lambda kept: kept)  # sets it aside, under the lock: it may have been replaced meanwhile
        return self._empty

    def change(self, change: Callable[[T], T]) -> None:
        """Keeps `change` of what is kept. Changes of several processes come one after another."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked() as alone:
                before = self._load_or_set_aside()
                after = change(before)
                if after != before:
                    self._write(after, alone=alone)
        except OSError as problem:
            self._complain("written", problem)
        except ValueError:  # text that is no Unicode: tags and names are foreign
            _log.warning("%s: a value that no file can hold was not kept", self._path.name)

    def _load(self) -> T:
        """Raises OSError, _ForeignError."""
        try:
            # Not blocking, should it be a pipe.
            descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return self._empty
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
                raise _ForeignError
            return self._decoded(os.read(descriptor, _MOST_BYTES))
        finally:
            os.close(descriptor)

    def _decoded(self, data: bytes) -> T:
        try:
            envelope = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            if msgspec.json.decode(envelope["file"]) != self._name or (
                msgspec.json.decode(envelope["version"]) != self._version
            ):
                raise _ForeignError
            value: T = msgspec.json.decode(envelope["kept"], type=self._kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            raise _ForeignError from None
        return value

    @property
    def _name(self) -> str:
        return f"ssm-tui {self._path.stem}"

    def _load_or_set_aside(self) -> T:
        try:
            return self._load()
        except _ForeignError:
            _log.warning("%s is not this version's: set aside", self._path.name)
            self._path.replace(self._path.with_name(f"{self._path.name}.broken"))
            return self._empty

    def _write(self, value: T, *, alone: bool) -> None:
        """Another file in the folder, then renamed: whoever reads finds the old or the new one, also after a power
        cut."""
        if alone:  # then what lies about was left by a process that was killed
            for left in self._path.parent.glob(f".{self._path.name}.*.new"):
                left.unlink(missing_ok=True)
        data = msgspec.json.encode({"file": self._name, "version": self._version, "kept": value})
        descriptor, name = tempfile.mkstemp(".new", f".{self._path.name}.", self._path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """Whether nobody else changes the file meanwhile. The lock is another file: this one's place is taken by a new
        one at each change."""
        if _flock is None:
            yield False
            return
        descriptor = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield _flock(descriptor)
        finally:
            os.close(descriptor)

    def _complain(self, what: str, problem: OSError) -> None:
        _log.warning("%s cannot be %s: %s", self._path.name, what, problem.strerror)
