"""Tunnels as rows of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.text import Cut, visible
from ssm_tui.ui.presentation.times import ago

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

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


def title_of(request: TunnelRequest) -> str:
    """What the tunnel is called."""
    return request.title or f"{request.host or request.target}:{request.port}"


def state_cell(status: TunnelStatus) -> Cell:
    """A symbol and the state's word."""
    symbol, tone = STATES[status.state]
    return (symbol, tone), (f" {status.state.value}", Tone.PLAIN)


def news_cell(status: TunnelStatus) -> Cell:
    """How far the start is, or why it failed."""
    return plain(status.message, Tone.BAD if status.state is TunnelState.FAILED else Tone.DIM)


def connections_cell(status: TunnelStatus) -> Cell:
    """How many connections it carries, while it stands."""
    return plain(str(status.connections)) if status.state is TunnelState.READY else ()


def tunnel_columns(
    clock: Callable[[], datetime], names: Callable[[TunnelRequest], str]
) -> tuple[Column[TunnelStatus], ...]:
    """The columns of the tunnel list; `names` tells the name of the node a tunnel goes through."""
    return (
        Column("TUNNEL", lambda s: plain(title_of(s.request), Tone.STRONG), rank=0, least=16, most=36),
        Column("STATE", state_cell, rank=0, least=10, most=10),
        Column("LOCAL", _local_end, rank=0, least=15, most=15),
        Column("CONN", connections_cell, rank=1, least=4, most=4),
        Column("SINCE", lambda s: plain(ago(s.since, clock())), rank=4, least=6, most=6),
        Column("VIA", lambda s: plain(names(s.request)), rank=3, least=12, most=28),
        Column("TO", _far_end, rank=5, least=16, most=60, cut=Cut.MIDDLE),
        Column("NEWS", news_cell, rank=2, least=12, most=60),
    )


def _local_end(status: TunnelStatus) -> Cell:
    return () if status.state.ended else plain(status.address, Tone.ACCENT)


def _far_end(status: TunnelStatus) -> Cell:
    request = status.request
    return plain(f"{request.host or request.target}:{request.port}", Tone.DIM)


def tunnels_cell(statuses: Sequence[TunnelStatus]) -> Cell:
    """`⇄ 3 tunnels, 1 starting`; empty where there is nothing to tell."""
    running = [s for s in statuses if not s.state.ended]
    parts = [f"{len(running)} tunnel{'s' if len(running) != 1 else ''}"] if running else []
    counts = {state: sum(s.state is state for s in statuses) for state in (TunnelState.STARTING, TunnelState.FAILED)}
    parts += [f"{count} {state.value}" for state, count in counts.items() if count]
    return (("⇄ ", Tone.GOOD), (", ".join(parts), Tone.PLAIN)) if parts else ()


def heading(status: TunnelStatus) -> str:
    """For messages and questions."""
    return visible(title_of(status.request))
