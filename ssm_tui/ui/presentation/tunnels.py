"""Tunnels as rows of the table: those that run, and saved ones that do not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.tunnels import TunnelState, TunnelStatus
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.sizes import size
from ssm_tui.ui.presentation.text import Cut, visible
from ssm_tui.ui.presentation.times import ago, span

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from datetime import datetime

    from ssm_tui.domain.saved import SavedTunnel

STATES = {
    TunnelState.STARTING: ("◐", Tone.ACCENT),
    TunnelState.IDLE: ("◌", Tone.GOOD),
    TunnelState.READY: ("●", Tone.GOOD),
    TunnelState.DEGRADED: ("◍", Tone.WARN),
    TunnelState.RECONNECTING: ("↻", Tone.WARN),
    TunnelState.PAUSED: ("‖", Tone.WARN),
    TunnelState.STOPPING: ("◑", Tone.ACCENT),
    TunnelState.STOPPED: ("○", Tone.DIM),
    TunnelState.FAILED: ("✗", Tone.BAD),
}
SAVED = "☆"
DETACHED = "⌁"
LOOKED_UP = "finding out where it leads"
# What the head line tells beside the number of tunnels, the most urgent first.
_TOLD = (
    TunnelState.FAILED,
    TunnelState.PAUSED,
    TunnelState.RECONNECTING,
    TunnelState.DEGRADED,
    TunnelState.STARTING,
    TunnelState.STOPPING,
)
_URGENT = 2  # of these, so that the contexts keep their room


@dataclass(frozen=True, slots=True)
class TunnelRow:
    """A tunnel, a saved tunnel, or both where the saved one runs. `wait` is how many seconds are left until the next
    try, `looked_up`: it is being found out what the saved one means."""

    saved: SavedTunnel | None = None
    status: TunnelStatus | None = None
    wait: int | None = None
    looked_up: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """The row's identity: a saved tunnel keeps its row while it starts and stops."""
        if self.saved is not None:
            return self.saved.name, 0
        return "", self.status.id if self.status else 0

    @property
    def name(self) -> str:
        """What it is called (foreign text)."""
        if self.saved is not None:
            return self.saved.name
        return self.status.request.heading if self.status else ""

    @property
    def far_end(self) -> str:
        """What it leads to."""
        if self.status is not None:
            return self.status.request.far_end
        return self.saved.far_end if self.saved else ""


def tunnel_rows(
    statuses: Sequence[TunnelStatus], saved: Sequence[SavedTunnel], looked_up: Container[str], now: datetime
) -> list[TunnelRow]:
    """Those that were opened by hand, oldest first, then the saved ones in their order, running or not. What ended is
    not told any more once the same tunnel was opened again, by whom and where ever."""
    current = _current(statuses)
    of_saved = {
        # One that runs has the row of the saved one, whatever has ended since.
        each.name: max(
            (status for status in current if status.request.name == each.name),
            key=lambda status: (not status.state.ended, status.since),
            default=None,
        )
        for each in saved
    }
    rows = [
        TunnelRow(status=status, wait=_wait(status, now))
        for status in current
        if of_saved.get(status.request.name) is not status
    ]
    for each in saved:
        status = of_saved[each.name]
        wait = _wait(status, now) if status else None
        rows.append(TunnelRow(each, status, wait, looked_up=each.name in looked_up))
    return rows


def _current(statuses: Sequence[TunnelStatus]) -> list[TunnelStatus]:
    latest: dict[object, TunnelStatus] = {}
    for status in statuses:
        same = _same(status)
        if same not in latest or latest[same].since <= status.since:
            latest[same] = status
    return [status for status in statuses if not status.state.ended or latest[_same(status)] is status]


def _same(status: TunnelStatus) -> object:
    return status.request.name, status.request.context, status.request.far_end


def _wait(status: TunnelStatus, now: datetime) -> int | None:
    if status.state is not TunnelState.RECONNECTING or status.next_try is None:
        return None
    return max(0, math.ceil((status.next_try - now).total_seconds()))


def news_of(status: TunnelStatus, wait: int | None) -> str:
    """Why it is not ready and when that may change, or what has just happened."""
    if wait is None:
        return status.message
    when = f"next try in {span(wait)}" if wait else "trying again"
    return f"{when}: {status.message}" if status.message else when


def state_cell(row: TunnelRow) -> Cell:
    """A symbol and the state's word."""
    status = row.status
    if row.looked_up and (status is None or status.state.ended):
        return STATES[TunnelState.STARTING], (" starting", Tone.PLAIN)
    if status is None:
        return (SAVED, Tone.DIM), (" saved", Tone.DIM)
    symbol, tone = STATES[status.state]
    return (symbol, tone), (f" {status.state.value}", Tone.PLAIN)


def name_cell(row: TunnelRow) -> Cell:
    """Its name, with a sign where it goes on without this program."""
    tone = Tone.DIM if row.status is None else Tone.STRONG
    name = (visible(row.name), tone)
    return ((f"{DETACHED} ", Tone.ACCENT), name) if row.status and row.status.detached else (name,)


def news_cell(row: TunnelRow) -> Cell:
    """How far the start is, when the next try is due, or why it failed."""
    if row.looked_up:
        return plain(LOOKED_UP, Tone.DIM)
    if row.status is None:
        return ()
    return plain(news_of(row.status, row.wait), Tone.BAD if row.status.state is TunnelState.FAILED else Tone.DIM)


def connections_cell(row: TunnelRow) -> Cell:
    """How many connections it carries, and over how many sessions where that is more than one."""
    status = row.status
    if status is None or not status.address or status.state.ended:
        return ()
    count = (str(status.connections), Tone.PLAIN)
    return (count, (f" ×{status.sessions}", Tone.DIM)) if status.sessions > 1 else (count,)


def _bytes_cell(count: int, width: int) -> Cell:
    """Under the end of its heading."""
    return plain(f"{size(count):>{width}}") if count else ()


def tunnel_columns(clock: Callable[[], datetime], via: Callable[[TunnelStatus], str]) -> tuple[Column[TunnelRow], ...]:
    """The columns of the tunnel list; `via` tells the name of the node that a tunnel goes through."""
    return (
        Column("TUNNEL", name_cell, rank=0, least=14, most=36),
        Column("STATE", state_cell, rank=0, least=14, most=14, steady=14),
        Column("LOCAL", _local_end, rank=0, least=15, most=15, steady=15),
        Column("CONN", connections_cell, rank=1, least=5, most=7, steady=5),
        Column("   SENT", lambda r: _bytes_cell(r.status.traffic.sent if r.status else 0, 7), rank=3, least=7, most=7),
        Column(
            "RECEIVED", lambda r: _bytes_cell(r.status.traffic.received if r.status else 0, 8), rank=3, least=8, most=8
        ),
        Column("SINCE", lambda r: plain(ago(r.status.since, clock())) if r.status else (), rank=5, least=6, most=6),
        Column("VIA", lambda r: plain(via(r.status)) if r.status else (), rank=4, least=12, most=28),
        Column("TO", lambda r: plain(r.far_end, Tone.DIM), rank=6, least=16, most=60, cut=Cut.MIDDLE),
        Column("NEWS", news_cell, rank=2, least=22, most=60, steady=22),
    )


def _local_end(row: TunnelRow) -> Cell:
    if row.status is not None and not row.status.state.ended:
        return plain(row.status.address, Tone.ACCENT)
    return ()


def tunnels_cell(statuses: Sequence[TunnelStatus]) -> Cell:
    """`⇄ 3 tunnels, 1 reconnecting`: how many run, and the most urgent states; empty where there is nothing to tell."""
    running = sum(not status.state.ended for status in statuses)
    pieces = [(f"{running} tunnel{'s' if running != 1 else ''}", Tone.PLAIN)] if running else []
    counts = list(_counts(statuses))
    pieces += counts[:_URGENT] + [("…", Tone.DIM)] * (len(counts) > _URGENT)
    if not pieces:
        return ()
    cell: Cell = (("⇄ ", Tone.GOOD), pieces[0])
    for piece in pieces[1:]:
        cell = (*cell, (", ", Tone.PLAIN), piece)
    return cell


def _counts(statuses: Sequence[TunnelStatus]) -> Iterator[tuple[str, Tone]]:
    for state in _TOLD:
        if count := sum(status.state is state for status in statuses):
            tone = STATES[state][1]
            yield f"{count} {state.value}", tone if tone in (Tone.WARN, Tone.BAD) else Tone.PLAIN


def heading(status: TunnelStatus) -> str:
    """For messages and questions."""
    return visible(status.request.heading)


def names(statuses: Sequence[TunnelStatus], most: int = 4) -> str:
    """`orders, cache, web …`"""
    return ", ".join(heading(status) for status in statuses[:most]) + (" …" if len(statuses) > most else "")


def counted(count: int, noun: str) -> str:
    """`1 tunnel`, `2 tunnels`."""
    return f"{count} {noun}{'s' if count != 1 else ''}"
