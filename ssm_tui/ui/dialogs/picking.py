"""A picker: a long list with check marks, filtered as one types. What it lists it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ssm_tui.ui.dialogs.finding import Finder
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.picking import Pick
from ssm_tui.ui.presentation.text import cut, visible
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from textual import events
    from textual.widget import Widget

    from ssm_tui.ui.presentation.cells import Column, Piece

MARGIN = 3  # cells before the first column
NAME = 18  # cells of a name in the line of keys, so that all of it is read at 80 columns


@dataclass(frozen=True, slots=True)
class Picked:
    """The keys of the lines that were picked, in their order; None for as it was started."""

    keys: tuple[Hashable, ...] | None


class Picks(Table[Pick]):
    """Lines that the mouse marks before their names."""

    @dataclass
    class Marked(Message):
        """The highlighted line's mark was clicked."""

    def on_click(self, event: events.Click) -> None:
        if event.x < MARGIN and 0 < event.y <= len(self.rows) - self.scroll_offset.y and event.chain == 1:
            self.post_message(self.Marked())  # taken in once the table itself has highlighted the line


class Picker(Finder[Picked, Pick]):
    """Enter picks the highlighted line alone, or the marked ones once a mark has been changed. `open_now` are the keys
    of those that are open, which have their marks from the beginning."""

    DEFAULT_CSS = """
    Picker > .box { width: 90%; max-width: 130; height: 90%; }
    Picker .note { height: auto; max-height: 2; color: $text-warning; display: none; }
    Picker .note.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", show=False, priority=True),
        Binding("ctrl+a", "mark_all", show=False, priority=True),
    ]
    KEYS = ("space",)

    def __init__(
        self, title: str, columns: Sequence[Column[Pick]], open_now: Collection[Hashable], empty: str = "Reading …"
    ) -> None:
        super().__init__(visible(title))
        self._picks: Sequence[Pick] = ()
        self._open_now, self._marks = frozenset(open_now), set(open_now)
        self._empty, self._note = empty, ""
        self._table = Picks(columns, Form(lambda pick: pick.key, sign=self._sign), id="picks")
        self._begun = False

    def _below(self) -> Sequence[Widget]:
        return (Static(classes="note"),)

    def show(self, picks: Sequence[Pick], note: str = "") -> None:
        """Other lines, or what is known of them by now. What was open at the beginning stands before the others."""
        self._picks = sorted(picks, key=lambda pick: not pick.fixed and 1 + (pick.key not in self._open_now))
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

    def _matching(self, wanted: str) -> Sequence[Pick]:
        found = [pick for pick in self._picks if wanted in pick.words.casefold()]
        # The fixed ones are found by their names too, and are not what a few letters pick by mistake.
        return sorted(found, key=lambda pick: pick.fixed) if wanted else found

    def _why_empty(self, wanted: str) -> str:
        return super()._why_empty(wanted) if self._picks else self._empty

    def _fill(self, *, restart: bool = False) -> None:
        super()._fill(restart=restart)
        rows = self._table.rows
        if rows and not self._begun:
            self._begun = True
            self._table.highlight(next((at for at, pick in enumerate(rows) if pick.key in self._open_now), 0))
        note = self.query_one(".note", Static)
        note.set_class(bool(self._note), "-shown")
        note.update(Content(visible(self._note)))
        self._tell()

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
            enter = f"↵ opens {'' if pick.fixed else 'only '}{cut(visible(pick.name), NAME)} · "
        box = self.query_one(".box", Vertical)
        box.border_subtitle = Content(f"{enter}space marks · ^a all · Esc leaves")

    async def action_mark(self) -> None:
        """Marks the highlighted line, or takes its mark away."""
        await self._typed_ahead()
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
        await self._typed_ahead()
        shown = {pick.key for pick in self._table.rows if not pick.fixed}
        self._marks = self._marks - shown if shown <= self._marks else self._marks | shown
        self._table.repaint()
        self._tell()

    @on(Table.Chosen)
    async def action_accept(self) -> None:
        """Answers with what is marked, where marks have been changed; else with the highlighted line."""
        await self._typed_ahead()
        pick = self._table.row
        if pick is None:
            return
        if pick.alone:
            self.dismiss(Picked(None))
        elif self._marked_anew:
            self.dismiss(Picked(self.marked))
        else:
            self.dismiss(Picked((pick.key,)))
