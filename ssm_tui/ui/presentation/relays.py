"""Candidates for a database's relay as rows, and what is to be said of the highlighted one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.databases import REACH
from ssm_tui.ui.presentation.text import Cut, visible

if TYPE_CHECKING:
    from ssm_tui.domain.relays import Candidate


def verdict_cell(candidate: Candidate) -> Cell:
    """Whether it reaches the database."""
    symbol, tone = REACH[candidate.reachable]
    return (symbol, tone), (f" {candidate.reachable.value}", Tone.PLAIN)


def relay_columns() -> tuple[Column[Candidate], ...]:
    """The columns of the list; the reason is what is left."""
    return (
        Column("RELAY", lambda c: plain(c.node.name or c.node.id, Tone.STRONG), rank=0, least=14, most=30, steady=14),
        Column("REACHES", verdict_cell, rank=0, least=9, most=9),
        Column("ID", lambda c: plain(c.node.id, Tone.DIM), rank=2, least=12, most=19, cut=Cut.MIDDLE),
        Column("AZ", lambda c: plain(c.node.az, Tone.DIM), rank=3, least=4, most=16),
        Column("WHY", lambda c: plain(c.finding.why), rank=1, least=20, most=90),
    )


def why_cell(candidate: Candidate) -> Cell:
    """The reason in whole, and the command that would let it through."""
    symbol, tone = REACH[candidate.reachable]
    said: Cell = ((f"{symbol} ", tone), (visible(candidate.finding.why), Tone.PLAIN))
    change = candidate.finding.change
    return (*said, ("\n→ ", Tone.ACCENT), (visible(change), Tone.PLAIN)) if change else said


def words(candidate: Candidate) -> str:
    """What is looked for in while one types."""
    node = candidate.node
    return " ".join((node.name, node.id, candidate.reachable.value, candidate.finding.why, *node.security_groups))
