"""What stands in the list of nodes: the nodes, and the headings of their groups."""

from __future__ import annotations

from operator import attrgetter, indexOf
from typing import TYPE_CHECKING

from ssm_tui.domain.listing import Group
from ssm_tui.domain.nodes import Node, NodeKey
from ssm_tui.ui.presentation.cells import Cell, Piece, Tone
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence

    from ssm_tui.domain.contexts import Context

NodeRow = Node | Group

OPEN, FOLDED = "▾", "▸"
MARKED: Piece = ("✓", Tone.ACCENT)
_ID = attrgetter("id")


def row_key(row: NodeRow) -> Hashable:
    """What tells a row from the others, whatever it says."""
    return row.key if isinstance(row, Node) else (row.tag, row.value)


def group_cell(row: NodeRow) -> Cell:
    """`▾ env=prod  214`; nothing for a node."""
    if isinstance(row, Node):
        return ()
    sign = FOLDED if row.folded else OPEN
    text = f"{visible(row.tag)}={visible(row.value)}" if row.value else f"without {visible(row.tag)}"
    return (f"{sign} ", Tone.ACCENT), (text, Tone.STRONG), (f"  {row.count:,}", Tone.DIM)


def place_of(rows: Sequence[NodeRow], wanted: Hashable) -> int | None:
    """Where the row with this key is. By id first, which C does in 4 ms for 100,000 rows; keys would take 60."""
    if not isinstance(wanted, NodeKey):
        return next((at for at, row in enumerate(rows) if isinstance(row, Group) and row_key(row) == wanted), None)
    start = 0
    ids = map(_ID, rows)
    while True:
        try:
            at = start + indexOf(ids, wanted.id)
        except ValueError:
            return None
        row = rows[at]
        if isinstance(row, Node) and row.key == wanted:
            return at
        start = at + 1  # the same id in another context; `ids` goes on behind it


def nodes_in(rows: Iterable[NodeRow]) -> Iterator[Node]:
    """Without the headings."""
    return (row for row in rows if isinstance(row, Node))


def listed(rows: Iterable[NodeRow], ids: Mapping[Context, Container[str]]) -> list[Node]:
    """The nodes with these ids that stand in the list, in its order. At each key of a filter: 100 ns a row, where their
    keys would take 2 µs."""
    if len(ids) == 1:
        ((context, own),) = ids.items()
        found = [row for row in rows if row.id in own and isinstance(row, Node)]
        return [row for row in found if row.context is context or row.context == context]
    return [row for row in rows if isinstance(row, Node) and row.id in ids.get(row.context, ())] if ids else []
