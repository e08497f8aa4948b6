"""What dialogs with a long list have in common: it is filtered as one types, while the arrows move in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

    from ssm_tui.ui.widgets.table import Table

A = TypeVar("A")
R = TypeVar("R")


class FindLine(Input):
    """Leaves some keys to the dialog: Textual gives bindings only what the focused line does not consume."""

    def __init__(self, left: Container[str]) -> None:
        super().__init__(placeholder="type to filter", compact=True, select_on_focus=False, max_length=200)
        self._left = left

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        return key not in self._left and super().check_consume_key(key, character)

    def restricted(self) -> None:
        """No bell for each letter beyond the longest."""

    async def settled(self) -> None:
        """Until the keys that were on their way here have been taken in."""
        taken = asyncio.Event()
        self.call_later(taken.set)
        await taken.wait()


class Finder(Dialog[A], Generic[A, R]):
    """Each kind has its table, says which rows match what is typed, and what Enter does. `KEYS` are those that it takes
    before the line: what is looked for is found without them too."""

    DEFAULT_CSS = """
    Finder > .box { padding: 0 1; }
    Finder Input { background: $surface; padding: 0 1; height: 1; border: none; }
    Finder Table { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the line takes them.
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("home", "edge(False)", show=False, priority=True),
        Binding("end", "edge(True)", show=False, priority=True),
        Binding("enter", "accept", show=False, priority=True),
    ]
    KEYS: ClassVar[tuple[str, ...]] = ()

    _table: Table[R]
    _filtered_by = ""

    def __init__(self, title: str, keys: str = "") -> None:
        super().__init__()
        self._title, self._keys = title, keys

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title, box.border_subtitle = Content(self._title), Content(self._keys)
        with box:
            yield FindLine(self.KEYS)
            yield self._table
            yield from self._below()

    def _below(self) -> Sequence[Widget]:
        """What stands under the list."""
        return ()

    def on_mount(self) -> None:
        self.query_one(FindLine).focus()
        self._fill()

    def _matching(self, wanted: str) -> Sequence[R]:
        """The rows that what is typed, folded, finds."""
        raise NotImplementedError

    def _why_empty(self, wanted: str) -> str:
        """What is said where none match."""
        return f"None matches “{visible(wanted)}”." if wanted else "There are none."

    async def action_accept(self) -> None:
        raise NotImplementedError

    def _fill(self, *, restart: bool = False) -> None:
        self._filtered_by = self.query_one(FindLine).value
        wanted = self._filtered_by.strip().casefold()
        rows = self._matching(wanted)
        self._table.empty_text = "" if rows else self._why_empty(wanted)
        self._table.set_rows(rows, restart=restart)

    @on(Input.Changed)
    def _typed(self) -> None:
        if self.query_one(FindLine).value != self._filtered_by:
            self._fill(restart=True)

    async def _typed_ahead(self) -> None:
        """The dialog's keys overtake the letters before them, whose row is meant."""
        await self.query_one(FindLine).settled()
        self._typed()

    async def action_move(self, by: int) -> None:
        await self._typed_ahead()
        self._table.action_move(by)

    async def action_page(self, by: int) -> None:
        await self._typed_ahead()
        self._table.action_page(by)

    async def action_edge(self, last: bool) -> None:
        await self._typed_ahead()
        self._table.action_edge(last)
