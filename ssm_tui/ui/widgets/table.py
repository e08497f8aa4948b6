"""A table that renders only the lines it shows. It knows rows by key and nothing of what they are.

Filling 10,000 rows costs a scan for the highlighted one; Textual's DataTable took 2.5 s for the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.scroll_view import ScrollView

from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.widgets.table_lines import Form, Lines

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from rich.style import Style
    from textual import events
    from textual.strip import Strip

    from ssm_tui.ui.presentation.cells import Column

R = TypeVar("R")


class Table(ScrollView, Generic[R], can_focus=True):
    """Rows under a fixed heading. The highlighted row is followed by its key, and stays at its place on the screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--heading",
        "table--highlight",
        "table--found",
        *(f"table--{tone}" for tone in Tone),
    }
    DEFAULT_CSS = """
    Table {
        height: 1fr; background: $background;
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        & > .table--heading { color: $text-muted; background: $surface; }
        & > .table--highlight { background: $block-cursor-blurred-background; }
        &:focus > .table--highlight { background: $block-cursor-background; }
        & > .table--strong { text-style: bold; }
        & > .table--dim { color: $text-muted; }
        & > .table--good { color: $text-success; }
        & > .table--warn { color: $text-warning; }
        & > .table--bad { color: $text-error; }
        & > .table--accent { color: $text-accent; }
        & > .table--found { color: $text-accent; text-style: underline; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(False)", "First", show=False),
        Binding("end,G", "edge(True)", "Last", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """Another row is highlighted, or the highlighted one says something else now."""

        table: Table[object]

    @dataclass
    class Chosen(Message):
        """A row was double-clicked."""

        table: Table[object]

    @dataclass
    class HeadingClicked(Message):
        """The heading of a column that rows can be ordered by."""

        table: Table[object]
        name: str

    def __init__(self, columns: Sequence[Column[R]], form: Form[R], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._form = form
        self._rows: Sequence[R] = ()
        self._cursor = 0
        self._lost: Hashable = None  # who was highlighted when the list became empty
        self._lines = Lines(form, columns, self._style_of)
        self.empty_text = ""
        """What stands in the place of rows where there are none; a line each."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))  # Textual's own lays out the whole screen whenever it changes

    def watch_virtual_size(self, size: Size) -> None:
        """Only the scrollbar depends on it."""
        self._scroll_update(size)

    # Rows and the highlighted one

    @property
    def rows(self) -> Sequence[R]:
        """The rows as they are listed."""
        return self._rows

    @property
    def shown(self) -> Sequence[R]:
        """Those of them that are on the screen."""
        top = int(self.scroll_offset.y)
        return self._rows[top : top + self._page]

    @property
    def row(self) -> R | None:
        """The highlighted row."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def row_key(self) -> Hashable:
        """Which row that is, whatever it says now."""
        return None if (row := self.row) is None else self._form.key(row)

    @property
    def place(self) -> int:
        """Where in the list the highlighted row is."""
        return self._cursor

    @property
    def columns(self) -> tuple[Column[R], ...]:
        """All columns, also those that found no place."""
        return self._lines.columns

    @property
    def painted(self) -> int:
        """How many rows have been turned into lines so far: what the tests count."""
        return self._lines.painted

    def find(self, key: Hashable) -> int | None:
        """Where in the list the row with this key is."""
        return self._form.find(self._rows, key, self._cursor)

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Other columns, for the same rows."""
        self._lines.set_columns(columns)
        self._measure()
        self.repaint()

    def set_order(self, by: str, *, descending: bool) -> None:
        """The heading tells by which column rows are ordered."""
        self._lines.set_order(by, descending=descending)
        self.refresh()

    def set_rows(self, rows: Sequence[R], *, restart: bool = False) -> None:
        """Other rows. The highlighted one is kept by its key and keeps its place on the screen; where it is gone, its
        place in the list is highlighted, or the first row with `restart`."""
        before, top = self.row, self.scroll_offset.y
        line = self._cursor - top
        seen = 0 <= line < self._page
        first = self._form.key(self._rows[top]) if not seen and top < len(self._rows) else None
        wanted = self._lost if before is None else self._form.key(before)
        self._rows = rows
        found = self._form.find(rows, wanted, self._cursor)
        if found is None:
            found = self._first(rows) if restart or before is None else min(self._cursor, max(len(rows) - 1, 0))
        self._cursor = found
        # A filter that finds nothing while it is being typed does not lose the row.
        self._lost = None if rows else wanted
        self._measure()
        self.virtual_size = Size(self._width, len(rows) + 1)
        if not seen and not restart:
            # Scrolled away from the highlighted row: what is looked at stays instead.
            self._scroll(self._form.find(rows, first, top) or 0)
        else:
            # A list that is read from its top goes on being so while rows arrive above the highlighted one.
            self._scroll(0 if top == 0 and found < self._page else found - line)
            self._reveal()
        self.refresh()
        if self.row is not None or before is not None:
            self.post_message(self.Highlighted(self))  # type: ignore[arg-type]  # the message is not generic

    def _first(self, rows: Sequence[R]) -> int:
        """The first row that is no heading of others, where that is near: Enter is meant for it."""
        banner = self._form.banner
        return 1 if len(rows) > 1 and banner(rows[0]) and not banner(rows[1]) else 0

    def renew(self, rows: Sequence[R]) -> None:
        """The same rows, of which some say something else now: only their lines are painted."""
        if [self._form.key(row) for row in rows] != [self._form.key(row) for row in self._rows]:
            self.set_rows(rows)
            return
        before, self._rows, placed = self._rows, rows, self._lines.placed
        self._measure()
        if self._lines.placed != placed:
            self.refresh()
            return
        for at, (row, old) in enumerate(zip(rows, before, strict=True)):
            if row != old:
                self.refresh(Region(0, at + 1 - self.scroll_offset.y, self.size.width, 1))

    def highlight(self, place: int) -> None:
        """Highlights the row at this place of the list, or the nearest there is."""
        place = max(0, min(place, len(self._rows) - 1))
        if place == self._cursor or not self._rows:
            return
        self._cursor = place
        self._reveal()
        self.refresh()
        self.post_message(self.Highlighted(self))  # type: ignore[arg-type]  # the message is not generic

    # Keys and mouse

    def action_move(self, by: int) -> None:
        self.highlight(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.highlight(self._cursor + by * self._page)

    def action_edge(self, last: bool) -> None:
        self.highlight(len(self._rows) - 1 if last else 0)

    def on_click(self, event: events.Click) -> None:
        place = self.scroll_offset.y + event.y - 1
        if event.y < 1:
            column = self._lines.column_at(event.x)
            if column is not None and column.name and event.chain == 1:
                self.post_message(self.HeadingClicked(self, column.name))  # type: ignore[arg-type]  # as above
            return
        if place >= len(self._rows):
            return
        self.highlight(place)
        # A banner holds nothing but what it folds: one click does it.
        if event.chain == (1 if self._form.banner(self._rows[place]) else 2):
            self.post_message(self.Chosen(self))  # type: ignore[arg-type]  # the message is not generic

    # Layout

    @property
    def _width(self) -> int:
        """Without the scrollbar, whose column is kept free so that nothing moves when it comes."""
        return self.scrollable_content_region.width

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _reveal(self) -> None:
        if not self.size.height:
            return  # the first layout is still to come, and calls again
        top = self.scroll_offset.y
        if self._cursor < top:
            self._scroll(self._cursor)
        elif self._cursor >= top + self._page:
            self._scroll(self._cursor - self._page + 1)

    def _scroll(self, top: int) -> None:
        # At once, not after the next refresh: keys held down must find the place the last one left.
        top = max(0, min(top, len(self._rows) - self._page))
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def on_resize(self) -> None:
        self.virtual_size = Size(self._width, len(self._rows) + 1)
        self._measure()
        self._reveal()
        self.repaint()

    def _measure(self) -> None:
        self._lines.measure(self._rows, self._width)

    # Painting

    def repaint(self) -> None:
        """Renders the shown lines anew: what cells say has changed without rows (the time, what a filter finds)."""
        self._lines.forget()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines.restyle()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._lines.heading(width)
        place = self.scroll_offset.y + y - 1
        if place < len(self._rows):
            return self._lines.row(self._rows[place], lit=place == self._cursor, width=width)
        notes = self.empty_text.split("\n") if not self._rows else []
        return self._lines.note(notes[y - 2], width) if 2 <= y < len(notes) + 2 else self._lines.blank(width)

    def _style_of(self, name: str, partial: bool) -> Style:
        return self.get_component_rich_style(name, partial=partial) if name else self.rich_style
