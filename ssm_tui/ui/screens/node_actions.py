"""What keys do with nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from ssm_tui.ui.actions import View, actions_of
from ssm_tui.ui.flows.desktop import has_desktop
from ssm_tui.ui.presentation.copies import nodes_copies
from ssm_tui.ui.presentation.node_rows import MARKED, nodes_in
from ssm_tui.ui.presentation.tunnels import counted
from ssm_tui.ui.screens.acting import Acting
from ssm_tui.ui.widgets.bars import KeyBar
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import LIT

if TYPE_CHECKING:
    from ssm_tui.domain.nodes import Node
    from ssm_tui.ui.actions import Action
    from ssm_tui.ui.presentation.copies import Copyable

_OF_SEVERAL = ("copy", "forward", "pin")
_OF_ONE = ("shell", "desktop", "why", "ask")


class NodeActions(Acting):
    """On the highlighted node; some on all that are marked."""

    def _several(self) -> list[Node]:
        """The marked nodes, else the highlighted one."""
        if marks := self._lists.marked():
            return marks
        return [node] if (node := self._lists.node) is not None else []

    def action_shell(self) -> None:
        self._settle()
        if (node := self._lists.node) is not None:
            self._flow(self._shells.start(node, self._grants.keys(node)))

    def action_ask(self) -> None:
        self._settle()
        if (node := self._lists.node) is not None and self._grants.offered(node):
            self._choose(self._grants.start(node))

    def action_forward(self) -> None:
        self._settle()

        async def forward() -> None:
            if not await self._production.admits("forward a port", *nodes):
                return
            if await self._tunnels.open_forward(nodes, self._services.clock()):
                self.action_view(View.TUNNELS)

        if nodes := self._several():
            self._flow(forward())

    def action_desktop(self) -> None:
        self._settle()

        async def show(node: Node) -> None:
            if await self._production.admits("show its desktop", node):
                await self._desktops.start(node)

        if (node := self._lists.node) is not None and has_desktop(node):
            self._flow(show(node))

    def _copies(self) -> tuple[str, tuple[Copyable, ...]]:
        if self.view is not View.NODES or not self._lists.marks:
            return super()._copies()
        nodes = self._lists.marked()
        hidden = f", {self._lists.hidden_marks:,} hidden" if self._lists.hidden_marks else ""
        namesakes = self._catalog.namesakes({node.name for node in nodes})
        return f"{counted(len(nodes), 'node')}{hidden}", nodes_copies(nodes, namesakes)

    # Marks

    def action_mark(self) -> None:
        self._settle()
        if (node := self._lists.node) is not None:
            self._lists.marks.toggle(node.key)
        self._lists.nodes.action_move(1)
        self._marks_changed()

    def action_stretch(self, by: int) -> None:
        """From where it was begun to where the highlight goes."""
        self._settle()
        table, marks = self._lists.nodes, self._lists.marks
        before = self._lists.node
        begun = table.find(marks.fixed_end(before.key)) if before is not None else None
        start = table.place if begun is None else begun
        table.action_move(by)
        first, last = sorted((start, table.place))
        marks.stretch((row.key for row in nodes_in(table.rows[first : last + 1])), table.row_key)
        self._marks_changed()

    def action_mark_all(self) -> None:
        self._settle()
        self._lists.marks.add(row.key for row in nodes_in(self._lists.nodes.rows))
        self._marks_changed()

    def _marks_changed(self) -> None:
        self._lists.nodes.refresh()
        self._show_state()

    def action_back(self) -> None:
        if self.view is View.NODES and self._lists.marks and not self.query("Toast"):
            self._lists.marks.clear()
            self._marks_changed()
        else:
            super().action_back()

    def _show_keys(self) -> None:
        """Where nodes are marked the footer says what a key acts on: all of them, or the highlighted row alone."""
        count = len(self._lists.marks)
        if self.view is not View.NODES or not count:
            super()._show_keys()
            return
        shown = [action for action in actions_of(self.view) if self._is_shown(action) and self.offered(action)]
        self.query_one(KeyBar).show([self._labelled(action, count) for action in shown])

    @staticmethod
    def _is_shown(action: Action) -> bool:
        return action.footer or action.name in _OF_SEVERAL

    @staticmethod
    def _labelled(action: Action, count: int) -> Action:
        if action.name in _OF_SEVERAL:
            return replace(action, label=f"{action.label} {MARKED[0]}{count:,}")
        return replace(action, label=f"{action.label} {LIT}") if action.name in _OF_ONE else action

    # How the list stands

    @on(Table.HeadingClicked)
    def _heading_clicked(self, message: Table.HeadingClicked) -> None:
        if message.table.id == View.NODES:
            self._arranging.sort_by(message.name)

    def action_sort(self) -> None:
        self._choose(self._arranging.choose_order())

    def action_columns(self) -> None:
        self._choose(self._arranging.choose_columns())

    def action_group_by(self) -> None:
        self._choose(self._arranging.choose_group())

    def action_fold(self, folded: bool | None = None) -> None:
        """None for the other way round."""
        if (group := self._lists.group) is not None:
            self._arranging.fold(group.value, folded=not group.folded if folded is None else folded)

    def action_pin(self) -> None:
        self._settle()
        if nodes := self._several():
            self._arranging.pin(nodes)

    def action_unmanaged(self) -> None:
        self._arranging.toggle_unmanaged()
