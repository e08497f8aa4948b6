"""The list of nodes: how it stands, what is listed, which nodes are marked. Its filter is handed to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ssm_tui.domain.listing import Arrangement, Group, Listing
from ssm_tui.domain.nodes import Node, NodeKey
from ssm_tui.ui.marks import Marks
from ssm_tui.ui.presentation.contexts import naming
from ssm_tui.ui.presentation.node_rows import MARKED, NodeRow, group_cell, listed, place_of, row_key
from ssm_tui.ui.presentation.nodes import Look, default_columns, node_columns
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import NO_SIGN, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter
    from ssm_tui.ui.catalog import Catalog
    from ssm_tui.ui.presentation.cells import Column, Piece
    from ssm_tui.ui.presentation.highlights import Found


class NodeList:
    """`columns` are the settings', shown while none have been chosen; `found` tells what the filter has found."""

    def __init__(
        self,
        catalog: Catalog,
        columns: Sequence[str],
        clock: Callable[[], datetime],
        found: Callable[[NodeRow, Column[NodeRow]], Found],
    ) -> None:
        self._catalog, self._clock = catalog, clock
        self._now = clock()  # of all rows alike: some are painted oftener than others, and must not seem fresher
        self._default = default_columns(columns)
        self._chosen: tuple[str, ...] | None = None
        self._contexts: Sequence[Context] = ()
        self.arrangement = Arrangement()
        self.marks = Marks()
        self.listing = Listing((), {})
        form = Form(row_key, group_cell, self._sign, place_of, found)
        self.nodes = Table[NodeRow](self._node_columns(), form, id="nodes")
        self._hidden: tuple[object, int, int] = ((), 0, 0)  # rows, version of the marks, how many are not among them

    @property
    def looked_at(self) -> list[NodeKey]:
        """The nodes on the screen."""
        return [row.key for row in self.nodes.shown if isinstance(row, Node)]

    # How it stands

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns behind the name."""
        return self._default if self._chosen is None else self._chosen

    @property
    def standard_columns(self) -> tuple[str, ...]:
        """The same while none have been chosen."""
        return self._default

    def choose_columns(self, names: tuple[str, ...] | None) -> None:
        """Other columns behind the name; None for the settings'."""
        self._chosen = names
        self.nodes.set_columns(self._node_columns())

    def arrange(self, arrangement: Arrangement) -> None:
        """Rows stand so from the next fill on."""
        pins, self.arrangement = self.arrangement.pins, arrangement
        self.nodes.set_order(arrangement.sort.by, descending=arrangement.sort.descending)
        if pins != arrangement.pins:
            self.nodes.repaint()

    def pass_time(self) -> None:
        """Says how old everything is by now."""
        self._now = self._clock()
        self.nodes.repaint()

    @property
    def _in_force(self) -> Arrangement:
        """By context means by what tells contexts apart."""
        sort = self.arrangement.sort
        if sort.by != "context":
            return self.arrangement
        several = len({context.profile for context in self._contexts}) > 1
        return replace(self.arrangement, sort=replace(sort, by="profile" if several else "region"))

    def _node_columns(self) -> tuple[Column[NodeRow], ...]:
        look = Look(
            lambda: self._now, naming(self._contexts), self._catalog.is_old, lambda n: n.id in self.arrangement.pins
        )
        # A heading has no cells: it is a banner.
        return cast("tuple[Column[NodeRow], ...]", node_columns(self.columns, look))

    def _sign(self, row: NodeRow) -> Piece:
        return MARKED if isinstance(row, Node) and row.key in self.marks else NO_SIGN

    def marked(self) -> list[Node]:
        """The nodes that are marked: those that are listed in their order, then the others."""
        shown = listed(self.listing.rows, self.marks.ids)
        seen = {node.key for node in shown}
        found = (self._catalog.node(key) for key in self.marks if key not in seen)
        return [*shown, *(node for node in found if node is not None)]

    @property
    def hidden_marks(self) -> int:
        """How many of the marked nodes are not listed now."""
        rows, version, hidden = self._hidden
        if rows is not self.listing.rows or version != self.marks.version:
            hidden = len(self.marks) - len(listed(self.listing.rows, self.marks.ids))
            self._hidden = (self.listing.rows, self.marks.version, hidden)
        return hidden

    def _show_contexts(self, contexts: Sequence[Context]) -> None:
        self._contexts = contexts
        self.nodes.set_columns(self._node_columns())

    # What is listed

    def _list_nodes(self, wanted: Filter, *, typed: bool = False) -> Sequence[NodeRow]:
        """The rows that match; `typed`, it is but another filter."""
        self.listing = self._catalog.nodes(wanted, self._in_force)
        if self.marks and not typed:  # a filter takes no node away
            self.marks.keep(key for key in self.marks if self._catalog.node(key) is not None)
        return self.listing.rows

    @property
    def node(self) -> Node | None:
        """The highlighted node; None where a group's heading is highlighted."""
        return row if isinstance(row := self.nodes.row, Node) else None

    @property
    def group(self) -> Group | None:
        """The group whose heading is highlighted."""
        return row if isinstance(row := self.nodes.row, Group) else None
