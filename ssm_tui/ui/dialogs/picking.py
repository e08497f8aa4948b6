"""A picker: a long list with check marks, filtered as one types. What it lists it is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.picking import Pick
from ssm_tui.ui.presentation.text import cut, visible
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from textual import events
    from textual.app import ComposeResult

    from ssm_tui.ui.presentation.cells import Column, Piece

MARGIN = 3  # cells before the first column


@dataclass(frozen=True, slots=True)
class Picked:
    """The keys of the lines that were picked, in their order; None for as it was started."""

    keys: tuple[Hashable, ...] | None


class PickerInput(Input):
    """Takes every letter but the space, which marks: a name has none in it."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether the key is taken for a letter."""
        return key != "space" and super().check_consume_key(key, character)

    def restricted(self) -> None:
        """No bell for each of them."""


class Picks(Table[Pick]):
    """Lines that the mouse marks before their names."""

    @dataclass
    class Marked(Message):
        """The highlighted line's mark was clicked."""

    def on_click(self, event: events.Click) -> None:
        if event.x < MARGIN and 0 < event.y <= len(self.rows) - self.scroll_offset.y and event.chain == 1:
            self.post_message(self.Marked())  # taken in once the table itself has highlighted the line


class Picker(Dialog[Picked]):
    """Enter picks the highlighted line alone, or the marked ones once a mark has been changed. `open_now` are the keys
    of those that are open, which have their marks from the beginning."""

    DEFAULT_CSS = """
    Picker > .box { width: 90%; max-width: 130; height: 90%; padding: 0 1; }
    Picker Input { background: $surface; padding: 0 1; height: 1; border: none; }
    Picker Table { background: $surface; }
    Picker .note { height: auto; max-height: 2; color: $text-warning; display: none; }
    Picker .note.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the filter's line takes them.
        Binding("space", "mark", show=False, priority=True),
        Binding("enter", "pick", show=False, priority=True),
        Binding("ctrl+a", "mark_all", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("home", "edge(False)", show=False, priority=True),
        Binding("end", "edge(True)", show=False, priority=True),
    ]

    def __init__(
        self, title: str, columns: Sequence[Column[Pick]], open_now: Collection[Hashable], empty: str = "Reading …"
    ) -> None:
        super().__init__()
        self._title = title
        self._picks: Sequence[Pick] = ()
        self._open_now, self._marks = frozenset(open_now), set(open_now)
        self._note = ""
        self._table = Picks(columns, Form(lambda pick: pick.key, sign=self._sign), id="picks")
        self._table.empty_text = empty
        self._begun = False
        self._wanted = ""

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content(visible(self._title))
        with box:
            yield PickerInput(placeholder="type to filter", compact=True, select_on_focus=False, max_length=200)
            yield self._table
            yield Static(classes="note")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._fill()
        self._tell()

    def show(self, picks: Sequence[Pick], note: str = "") -> None:
        """Other lines, or what is known of them by now. What was open at the beginning stands before the others."""
        self._picks = sorted(picks, key=lambda pick: (not pick.fixed, pick.key not in self._open_now))
        self._note = note
        if self.is_mounted:
            self._fill()

    @property
    def marked(self) -> tuple[Hashable, ...]:
        """The keys of the marked lines, in their order, and of those that are open without a line of their own."""
        listed = [pick.key for pick in self._picks if pick.key in self._marks]
        return (*listed, *(key for key in self._marks if key not in {pick.key for pick in self._picks}))

    def _sign(self, pick: Pick) -> Piece:
        return ("✓", Tone.GOOD) if pick.key in self._marks else (" ", Tone.PLAIN)

    def _fill(self, *, restart: bool = False) -> None:
        self._wanted = self.query_one(Input).value
        wanted = self._wanted.strip().casefold()
        rows = [pick for pick in self._picks if wanted in pick.words.casefold() and not (wanted and pick.fixed)]
        if self._picks:
            self._table.empty_text = f"None matches “{visible(wanted)}”." if wanted else "There are none."
        self._table.set_rows(rows, restart=restart)
        if rows and not self._begun:
            self._begun = True
            at = next((at for at, pick in enumerate(rows) if pick.key in self._open_now), 0)
            self._table.highlight(at)
        note = self.query_one(".note", Static)
        note.set_class(bool(self._note), "-shown")
        note.update(Content(visible(self._note)))

    @property
    def _marked_anew(self) -> bool:
        return bool(self._marks) and self._marks != self._open_now

    @on(Table.Highlighted)
    def _tell(self) -> None:
        """What Enter does now."""
        pick = self._table.row
        if pick is None:
            enter = ""
        elif self._marked_anew and not pick.alone:
            enter = f"↵ opens the {len(self._marks)} marked · "
        else:
            enter = f"↵ opens {'' if pick.fixed else 'only '}{cut(visible(pick.name), 30)} · "
        box = self.query_one(".box", Vertical)
        box.border_subtitle = Content(f"{enter}space marks · ^a marks all · Esc leaves")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value != self._wanted:
            self._fill(restart=True)
            self._tell()

    # Moving among the lines, while one goes on typing

    def action_move(self, by: int) -> None:
        self._table.action_move(by)

    def action_page(self, by: int) -> None:
        self._table.action_page(by)

    def action_edge(self, last: bool) -> None:
        self._table.action_edge(last)

    async def _settle(self) -> None:
        """What was typed before this key narrows the list first."""
        line, taken = self.query_one(Input), asyncio.Event()
        line.call_later(taken.set)
        await taken.wait()
        if line.value != self._wanted:
            self._fill(restart=True)

    async def action_mark(self) -> None:
        """Marks the highlighted line, or takes its mark away."""
        await self._settle()
        self._mark()

    @on(Picks.Marked)
    def _mark(self) -> None:
        pick = self._table.row
        if pick is not None and not pick.alone:
            self._marks ^= {pick.key}
            self._table.repaint()
            self._tell()

    async def action_mark_all(self) -> None:
        """Marks every line that the filter shows; where all have marks, takes them away."""
        await self._settle()
        shown = {pick.key for pick in self._table.rows if not pick.fixed}
        self._marks = self._marks - shown if shown <= self._marks else self._marks | shown
        self._table.repaint()
        self._tell()

    @on(Table.Chosen)
    async def action_pick(self) -> None:
        """Answers with what is marked, where marks have been changed; else with the highlighted line."""
        await self._settle()
        pick = self._table.row
        if pick is None:
            return
        if pick.alone:
            self.dismiss(Picked(None))
        elif self._marked_anew:
            self.dismiss(Picked(self.marked))
        else:
            self.dismiss(Picked((pick.key,)))
