"""Nodes as rows of the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.nodes import NODE_FIELDS, Node, Ping
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.text import Cut, visible
from ssm_tui.ui.presentation.times import ago

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from ssm_tui.ui.presentation.contexts import Naming

LETTERS = {SessionKind.SHELL: "s", SessionKind.FORWARD: "f", SessionKind.REMOTE: "r", SessionKind.SSH: "h"}
DENIED, UNKNOWN = "–", "?"
PINNED = "★"

PINGS = {
    Ping.ONLINE: ("●", "", Tone.GOOD),
    Ping.LOST: ("○", "lost", Tone.WARN),
    Ping.INACTIVE: ("◌", "inactive", Tone.DIM),
    Ping.UNMANAGED: ("·", "unmanaged", Tone.DIM),
    Ping.UNKNOWN: ("?", "unknown", Tone.DIM),
}


def access_cell(node: Node) -> Cell:
    """A letter for each kind of session: itself where allowed, a dash where denied, a question mark where unknown."""
    pieces: list[tuple[str, Tone]] = []
    for kind in SessionKind:
        match node.access.of(kind).verdict:
            case Verdict.ALLOWED:
                piece = (LETTERS[kind], Tone.GOOD)
            case Verdict.DENIED:
                piece = (DENIED, Tone.DIM)
            case Verdict.UNKNOWN:
                piece = (UNKNOWN, Tone.DIM)
        pieces += [(" ", Tone.PLAIN), piece] if pieces else [piece]
    return tuple(pieces)


def ping_cell(node: Node, now: datetime, *, old: bool = False) -> Cell:
    """A symbol, how long ago the agent was heard, and a word where that is not all; dim where the row is `old`."""
    symbol, word, tone = PINGS[node.ping]
    heard = node.last_ping if node.ping in (Ping.ONLINE, Ping.LOST, Ping.INACTIVE) else None
    rest = " ".join(filter(None, (ago(heard, now) if heard else None, word))) or "online"
    lively = node.ping is Ping.ONLINE and not old
    return ((symbol, Tone.DIM if old else tone), (f" {rest}", Tone.PLAIN if lively else Tone.DIM))


def name_cell(node: Node, *, pinned: bool = False) -> Cell:
    """The name; a nameless node says so instead of leaving a hole."""
    name: Cell = plain(node.name, Tone.STRONG) or (("(no name)", Tone.DIM),)
    return ((f"{PINNED} ", Tone.ACCENT), *name) if pinned else name


def zone_cell(node: Node) -> Cell:
    """`2a` of `ap-northeast-2a`: the region is the context's, and the details have the whole."""
    return plain(node.az.rpartition("-")[2]) if node.az else ()


FIXED = ("id", "access", "ping", "os", "ip", "az", "context")
"""The columns behind the name that everybody begins with; the context is shown only where several are open."""


def default_columns(more: Sequence[str]) -> tuple[str, ...]:
    """The columns behind the name while none have been chosen; `more` are the settings'."""
    return (*FIXED, *more)


@dataclass(frozen=True, slots=True)
class Look:
    """What columns of nodes depend on beside the node. `naming` names contexts where several are open, `old` tells of a
    row that it has not been read yet in this run, or not by a read that failed, `pinned` that it was put on top."""

    clock: Callable[[], datetime]
    naming: Naming = None
    old: Callable[[Node], bool] = lambda _node: False
    pinned: Callable[[Node], bool] = lambda _node: False


def node_columns(names: Iterable[str], look: Look) -> tuple[Column[Node], ...]:
    """The name and the columns with these names: fixed ones, else fields, else tags."""
    clock, naming, old, pinned = look.clock, look.naming, look.old, look.pinned
    fixed: dict[str, Column[Node]] = {
        "id": Column("ID", lambda n: plain(n.id, Tone.DIM), rank=0, least=12, most=20, cut=Cut.MIDDLE, steady=19),
        "access": Column("ACCESS", access_cell, rank=0, least=7, most=7),
        "ping": Column("PING", lambda n: ping_cell(n, clock(), old=old(n)), rank=0, least=11, most=16, steady=11),
        "os": Column("OS", lambda n: plain(n.os or n.platform), rank=3, least=14, most=22, steady=14),
        "ip": Column("ADDRESS", lambda n: plain(n.ip), rank=1, least=15, most=15, steady=11),
        "az": Column("AZ", zone_cell, rank=5, least=2, most=6),
    }
    if naming is not None:
        fixed["context"] = Column(
            "CONTEXT", lambda n: plain(naming(n.context)), rank=2, least=14, most=30, cut=Cut.MIDDLE
        )
    columns: list[Column[Node]] = [
        Column("NAME", lambda n: name_cell(n, pinned=pinned(n)), rank=0, least=18, most=40, steady=18)
    ]
    names = list(dict.fromkeys(name for name in names if name != "name"))
    more = [name for name in names if name not in FIXED]
    for name in names:
        if name in fixed:
            columns.append(replace(fixed[name], name=name))
        elif name in more:
            rank = 4 if more.index(name) < 2 else 6
            columns.append(Column(visible(name), _shown(name), rank=rank, least=8, most=20, name=name))
    return (replace(columns[0], name="name"), *columns[1:])


def _shown(name: str) -> Callable[[Node], Cell]:
    if name in NODE_FIELDS:
        return lambda node: plain(" ".join(node.values(name)))
    return lambda node: plain(node.tags.get(name))
