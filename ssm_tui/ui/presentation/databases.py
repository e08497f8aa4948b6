"""Databases as rows: each with the relay that was chosen for it and the tunnel that is up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.databases import Database, Reachable
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.text import Cut, visible
from ssm_tui.ui.presentation.tunnels import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssm_tui.domain.access import Answer
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.relays import Relay
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.presentation.contexts import Naming

REACH = {
    Reachable.YES: ("✓", Tone.GOOD),
    Reachable.NO: ("✗", Tone.BAD),
    Reachable.UNKNOWN: ("?", Tone.DIM),
}


READING_RELAYS = "the nodes that might reach it are still being read"


@dataclass(frozen=True, slots=True)
class DatabaseRow:
    """A database with what the screen shows beside it; filters look at the database itself and `reachable`."""

    database: Database
    relay: Relay
    tunnel: TunnelStatus | None = None
    login: Answer | None = None
    """Whether the caller may log in by IAM, where the database takes that."""

    @property
    def key(self) -> tuple[Context, str]:
        """The row's identity."""
        return self.database.key

    @property
    def tags(self) -> Mapping[str, str]:
        """The database's tags."""
        return self.database.tags

    def words(self) -> Iterable[str]:
        """What a bare word of a filter is looked up in."""
        return self.database.words()

    def values(self, field_name: str) -> tuple[str, ...]:
        """The texts of a field."""
        if field_name == "reachable":
            return (self.relay.reachable.value,)
        return self.database.values(field_name)


def relay_cell(row: DatabaseRow) -> Cell:
    """Whether it can be reached, and through whom; why not is in the details."""
    if row.relay.why == READING_RELAYS:
        return ("◐", Tone.ACCENT), (" reading", Tone.DIM)
    symbol, tone = REACH[row.relay.reachable]
    node = row.relay.node
    if row.relay.reachable is Reachable.NO or node is None:
        return (symbol, tone), (" no relay" if row.relay.reachable is Reachable.NO else " unknown", Tone.DIM)
    return (symbol, tone), (f" {visible(node.name or node.id)}", Tone.PLAIN)


def tunnel_cell(row: DatabaseRow) -> Cell:
    """The local address while the tunnel may be used; else how it stands."""
    if row.tunnel is None:
        return ()
    symbol, tone = STATES[row.tunnel.state]
    if row.tunnel.state is TunnelState.READY:
        symbol = "⇄"
    if row.tunnel.address and row.tunnel.state in (TunnelState.READY, TunnelState.IDLE, TunnelState.DEGRADED):
        return (f"{symbol} ", tone), (row.tunnel.address, Tone.PLAIN)
    return (f"{symbol} ", tone), (row.tunnel.state.value, Tone.DIM)


def engine_cell(row: DatabaseRow) -> Cell:
    """Engine and version, in AWS's words."""
    return plain(" ".join(filter(None, (row.database.engine, row.database.version))))


def database_columns(*, naming: Naming = None) -> tuple[Column[DatabaseRow], ...]:
    """The columns of the database list; `naming` names contexts where several are open."""
    return (
        Column("DATABASE", lambda r: plain(r.database.id, Tone.STRONG), rank=0, least=18, most=40, steady=14),
        Column("ENGINE", engine_cell, rank=1, least=12, most=26, steady=14),
        Column("ROLE", lambda r: plain(r.database.role), rank=2, least=8, most=9),
        Column("RELAY", relay_cell, rank=0, least=14, most=30, steady=14),
        Column("TUNNEL", tunnel_cell, rank=0, least=17, most=19, steady=17),
        Column("PORT", lambda r: plain(str(r.database.port)), rank=5, least=5, most=5),
        Column("VPC", lambda r: plain(r.database.vpc, Tone.DIM), rank=6, least=21, most=22, cut=Cut.MIDDLE),
        *(
            [Column("CONTEXT", lambda r: plain(naming(r.database.context)), rank=3, least=14, most=30, cut=Cut.MIDDLE)]
            if naming
            else []
        ),
        Column("ENDPOINT", lambda r: plain(r.database.endpoint, Tone.DIM), rank=4, least=50, most=70, cut=Cut.MIDDLE),
    )
