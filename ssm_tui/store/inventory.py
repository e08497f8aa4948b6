"""The last known rows of each context, one file a context: shown at the next start before AWS has said anything.

A file is a row of pieces, each with its length and checksum before it: a head, then portions of rows in MessagePack,
the first of them small. So the first screen is there before the rest has been decoded. A file that is broken, not ours
or a newer version's is set aside. It holds what AWS's lists hold, and no secret.
"""

from __future__ import annotations

import hashlib
import logging
import time
import zlib
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, TypeVar

import msgspec

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Database  # noqa: TC001 - msgspec looks the fields' types up at run time
from ssm_tui.domain.networks import Network  # noqa: TC001
from ssm_tui.domain.nodes import Node, Ping, Platform
from ssm_tui.domain.snapshots import Snapshot
from ssm_tui.store import whole
from ssm_tui.store.files import KeptFile
from ssm_tui.store.whole import ForeignError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE: Final = "ssm-tui rows"
VERSION: Final = 2
FIRST: Final = 100
"""Nodes of the first portion: more than a screen shows."""
PORTION: Final = 500
ASKED: Final = 100
"""Choices of profiles and regions whose contexts are remembered."""
KEPT_DAYS: Final = 90
_SUFFIX: Final = ".rows"
_MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_OF_A_PIECE: Final = 64 * 1024 * 1024
_PREFIX: Final = 8  # bytes: length and checksum, four each

_log = logging.getLogger("ssm_tui.store")
T = TypeVar("T")
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Head(msgspec.Struct):
    """Whose rows, how old, and in how many portions."""

    file: str
    version: int
    context: Context
    origin: str
    account: str
    since: _Moment
    portions: int


class _Row(msgspec.Struct, array_like=True, gc=False):
    """A node without its context, which is the file's, and without access."""

    id: str
    account: str | None
    name: str
    ping: Ping
    last_ping: _Moment | None
    state: str | None
    platform: Platform | None
    os: str | None
    agent_version: str | None
    ip: str | None
    vpc: str | None
    subnet: str | None
    az: str | None
    role: str | None
    instance_type: str | None
    launched: _Moment | None
    security_groups: tuple[str, ...]
    tags: dict[str, str]
    cluster: str | None
    missing: tuple[str, ...]


class _Portion(msgspec.Struct, omit_defaults=True):
    nodes: list[_Row] = []
    databases: tuple[Database, ...] = ()
    network: Network | None = None


_PORTIONS: Final = msgspec.msgpack.Decoder(_Portion)
_ENCODER: Final = msgspec.msgpack.Encoder()


class KeptRows:
    """Implements `RowMemory` (ssm_tui.domain.services).

    `asked` names the choice of profiles and regions, `origin` tells of a profile where its rows come from as far as
    that is known without a call: rows of another origin are not shown. Every method blocks briefly; none raises.
    """

    def __init__(self, folder: Path, asked: str, origin: Callable[[str | None], str]) -> None:
        self._folder, self._asked, self._find_origin = folder, asked, origin
        self._origins: dict[str | None, str] = {}
        self._contexts: KeptFile[dict[str, tuple[Context, ...]]] = KeptFile(
            folder / "asked.json", dict[str, tuple[Context, ...]], {}
        )
        self._tidied = False

    def contexts(self) -> tuple[Context, ...]:
        """Those that were found when the same was asked for last."""
        return self._contexts.read().get(self._asked, ())

    def found(self, contexts: tuple[Context, ...]) -> None:
        """These are found now."""

        def changed(kept: dict[str, tuple[Context, ...]]) -> dict[str, tuple[Context, ...]]:
            if kept.get(self._asked) == contexts:
                return kept
            others = [(each, its) for each, its in kept.items() if each != self._asked]
            return dict([*others, (self._asked, contexts)][-ASKED:])

        self._contexts.change(changed)

    def renew(self, profile: str | None) -> None:
        """The profile's credentials have changed, and with them perhaps whose rows it reads."""
        self._origins.pop(profile, None)

    def recall(self, context: Context) -> Iterator[Snapshot]:
        """The context's rows in portions, the first of them small; nothing where none are kept."""
        path = self._path(context)
        try:
            file = whole.open_to_read(path, _MOST_BYTES)
            if file is None:
                return
            with file:
                try:
                    yield from self._recalled(file, context)
                except ForeignError:
                    self._set_aside(path, file)
        except ForeignError:
            self._set_aside(path)
        except OSError as problem:
            _log.warning("%s cannot be read: %s", path.name, problem.strerror)

    def keep(self, snapshot: Snapshot) -> None:
        """These are the context's rows from now on."""
        path = self._path(snapshot.context)
        try:
            pieces = list(self._pieces(snapshot))
            with whole.locked(path) as alone:
                whole.replace(path, pieces, alone=alone)
            self._tidy()
        except OSError as problem:
            _log.warning("%s cannot be written: %s", path.name, problem.strerror)
        except ValueError:  # text that is no Unicode: tags and names are foreign
            _log.warning("%s: a value that no file can hold was not kept", path.name)

    def forget(self, context: Context) -> None:
        """The context's rows are not shown again."""
        try:
            self._path(context).unlink(missing_ok=True)
        except OSError as problem:
            _log.warning("the rows of a context cannot be removed: %s", problem.strerror)

    def _origin(self, profile: str | None) -> str:
        """Found out once: what is kept at the end of a read must bear the origin that it had at its beginning."""
        if profile not in self._origins:
            self._origins[profile] = self._find_origin(profile)
        return self._origins[profile]

    def _path(self, context: Context) -> Path:
        whose = repr((context.profile, context.region, self._origin(context.profile)))
        return self._folder / f"{hashlib.sha256(whose.encode(errors='replace')).hexdigest()[:32]}{_SUFFIX}"

    def _recalled(self, file: BinaryIO, context: Context) -> Iterator[Snapshot]:
        head = _decoded(msgspec.msgpack.Decoder(_Head), _read_piece(file))
        known = (head.file, head.version, head.context, head.origin)
        if known != (FILE, VERSION, context, self._origin(context.profile)):
            raise ForeignError
        for _ in range(head.portions):
            portion = _decoded(_PORTIONS, _read_piece(file))
            nodes = tuple(Node(context=context, **msgspec.structs.asdict(row)) for row in portion.nodes)
            yield Snapshot(context, head.account, head.since, nodes, portion.databases, portion.network)

    def _pieces(self, snapshot: Snapshot) -> Iterator[bytes]:
        rows = [_Row(*(getattr(node, name) for name in _Row.__struct_fields__)) for node in snapshot.nodes]
        portions = [
            _Portion(rows[:FIRST]),
            *(_Portion(rows[start : start + PORTION]) for start in range(FIRST, len(rows), PORTION)),
            _Portion([], snapshot.databases, snapshot.network),
        ]
        origin = self._origin(snapshot.context.profile)
        yield _piece(_Head(FILE, VERSION, snapshot.context, origin, snapshot.account, snapshot.since, len(portions)))
        yield from map(_piece, portions)

    def _set_aside(self, path: Path, file: BinaryIO | None = None) -> None:
        """Unless it has been replaced since it was opened."""
        with suppress(OSError), whole.locked(path):
            if file is None or whole.same(path, file):
                whole.set_aside(path)

    def _tidy(self) -> None:
        """Files that nobody has written for long are of profiles, regions or keys that are no more. Raises OSError."""
        if self._tidied:
            return
        self._tidied = True
        oldest = time.time() - KEPT_DAYS * 86400
        for each in self._folder.iterdir():
            if each.stat().st_mtime < oldest:
                each.unlink(missing_ok=True)


def clear(folder: Path) -> int:
    """Removes everything that is kept there; of how many contexts there were rows. Raises OSError."""
    if not folder.is_dir():
        return 0
    files = list(folder.iterdir())
    for each in files:
        each.unlink(missing_ok=True)
    folder.rmdir()
    return sum(each.suffix == _SUFFIX for each in files)


def _piece(value: object) -> bytes:
    data = _ENCODER.encode(value)
    return len(data).to_bytes(4) + zlib.crc32(data).to_bytes(4) + data


def _read_piece(file: BinaryIO) -> bytes:
    prefix = file.read(_PREFIX)
    length = int.from_bytes(prefix[:4])
    if len(prefix) < _PREFIX or length > _MOST_OF_A_PIECE:
        raise ForeignError
    data = file.read(length)
    if len(data) < length or zlib.crc32(data) != int.from_bytes(prefix[4:]):
        raise ForeignError
    return data


def _decoded(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ForeignError from None
