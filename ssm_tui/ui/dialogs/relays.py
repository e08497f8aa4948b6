"""Every node that might be a database's relay, the best first: its verdict and why. Enter goes through another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Static

from ssm_tui.domain.relays import Candidate
from ssm_tui.ui.dialogs.finding import Finder
from ssm_tui.ui.presentation.relays import relay_columns, why_cell, words
from ssm_tui.ui.widgets.bars import content
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget


class RelaysDialog(Finder[Candidate, Candidate]):
    """Answers with the candidate that is to be gone through."""

    DEFAULT_CSS = """
    RelaysDialog > .box { width: 95%; max-width: 150; height: 90%; }
    RelaysDialog .why { height: auto; max-height: 6; margin-top: 1; }
    """

    def __init__(self, title: str, ranked: Sequence[Candidate], empty: str) -> None:
        super().__init__(title, "↵ opens the tunnel through it · Esc leaves")
        self._ranked, self._empty = ranked, empty
        self._table = Table[Candidate](relay_columns(), Form(lambda candidate: candidate.node.key), id="relays")

    def _below(self) -> Sequence[Widget]:
        return (Static(classes="why"),)

    def _matching(self, wanted: str) -> Sequence[Candidate]:
        return [each for each in self._ranked if wanted in words(each).casefold()]

    def _why_empty(self, wanted: str) -> str:
        return super()._why_empty(wanted) if self._ranked else self._empty

    def _fill(self, *, restart: bool = False) -> None:
        super()._fill(restart=restart)
        self._tell()

    @on(Table.Highlighted)
    def _tell(self) -> None:
        """Why, of the highlighted one."""
        candidate = self._table.row
        self.query_one(".why", Static).update(content(why_cell(candidate) if candidate is not None else ()))

    @on(Table.Chosen)
    async def action_accept(self) -> None:
        """Through the highlighted one."""
        await self._typed_ahead()
        if (candidate := self._table.row) is not None:
            self.dismiss(candidate)
