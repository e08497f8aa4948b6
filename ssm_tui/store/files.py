"""One small JSON file that several processes read and change: always whole, never fatal, never long in the way.

What is kept here is a convenience. So a file that cannot be read counts as empty, one that is not ours, or a newer
version's, is set aside as `NAME.broken`, and a change that cannot be written is not kept; the log says so.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from ssm_tui.store import whole
from ssm_tui.store.whole import ForeignError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


T = TypeVar("T")

_MOST_BYTES: Final = 4 * 1024 * 1024

_log = logging.getLogger("ssm_tui.store")


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
        except ForeignError:
            self.change(lambda kept: kept)  # sets it aside, under the lock: it may have been replaced meanwhile
        return self._empty

    def change(self, change: Callable[[T], T]) -> None:
        """Keeps `change` of what is kept. Changes of several processes come one after another."""
        try:
            with whole.locked(self._path) as alone:
                before = self._load_or_set_aside()
                after = change(before)
                if after != before:
                    self._write(after, alone=alone)
        except OSError as problem:
            self._complain("written", problem)
        except ValueError:  # text that is no Unicode: tags and names are foreign
            _log.warning("%s: a value that no file can hold was not kept", self._path.name)

    def _load(self) -> T:
        """Raises OSError, ForeignError."""
        file = whole.open_to_read(self._path, _MOST_BYTES)
        if file is None:
            return self._empty
        with file:
            return self._decoded(file.read(_MOST_BYTES))

    def _decoded(self, data: bytes) -> T:
        try:
            envelope = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            if msgspec.json.decode(envelope["file"]) != self._name or (
                msgspec.json.decode(envelope["version"]) != self._version
            ):
                raise ForeignError
            value: T = msgspec.json.decode(envelope["kept"], type=self._kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            raise ForeignError from None
        return value

    @property
    def _name(self) -> str:
        return f"ssm-tui {self._path.stem}"

    def _load_or_set_aside(self) -> T:
        try:
            return self._load()
        except ForeignError:
            whole.set_aside(self._path)
            return self._empty

    def _write(self, value: T, *, alone: bool) -> None:
        data = msgspec.json.encode({"file": self._name, "version": self._version, "kept": value})
        whole.replace(self._path, (data,), alone=alone)

    def _complain(self, what: str, problem: OSError) -> None:
        _log.warning("%s cannot be %s: %s", self._path.name, what, problem.strerror)
