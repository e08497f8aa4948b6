"""The lines above and below the list: contexts, views, notices, keys. Each shows what it is given on one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from ssm_tui.ui.presentation.cells import Tone, shortened, width_of
from ssm_tui.ui.presentation.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.geometry import Size

    from ssm_tui.ui.actions import Action, View
    from ssm_tui.ui.presentation.cells import Cell
    from ssm_tui.ui.presentation.contexts import Notice

STYLES = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.DIM: "$text-muted",
    Tone.GOOD: "$text-success",
    Tone.WARN: "$text-warning",
    Tone.BAD: "$text-error",
    Tone.ACCENT: "$text-accent",
}

APART = 3  # cells before each context


def content(cell: Cell) -> Content:
    """A cell as Textual shows it outside the table. Its text is made harmless already."""
    return Content.assemble(*((text, STYLES[tone]) for text, tone in cell))


class ContextBar(Widget):
    """The program's name, the contexts with their state, and the tunnels at the right."""

    DEFAULT_CSS = "ContextBar { height: 1; background: $panel; }"
    NAME = " ssm-tui"

    @dataclass
    class Clicked(Message):
        """The contexts were clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._ways: Sequence[Sequence[Cell]] = ()
        self._tunnels: Cell = ()

    def show(self, ways: Sequence[Sequence[Cell]], tunnels: Cell) -> None:
        """Other states. `ways` are ways to show the contexts, the fullest first: the first that fits is taken, of the
        last as much as fits."""
        if (ways, tunnels) != (self._ways, self._tunnels):
            self._ways, self._tunnels = ways, tunnels
            self.refresh()

    def render(self) -> Content:
        # One cell stays free before the tunnels, and one behind them.
        room = self.size.width - cell_len(self.NAME) - width_of(self._tunnels) - 2
        cells = next((way for way in self._ways if sum(APART + width_of(cell) for cell in way) <= room), None)
        if cells is None:
            cells = [shortened(cell, room - APART) for cell in self._ways[-1]] if self._ways else ()
        shown = (Content.assemble(" " * APART, content(cell)) for cell in cells)
        line = Content("").join([Content.styled(self.NAME, "bold $text-primary"), *shown])
        blank = max(1, self.size.width - line.cell_length - width_of(self._tunnels) - 1)
        return Content.assemble(line, " " * blank, content(self._tunnels))

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class ViewTabs(Widget):
    """The views with their counts."""

    DEFAULT_CSS = "ViewTabs { height: 1; margin-top: 0; }"

    @dataclass
    class Clicked(Message):
        """A view was chosen with the mouse."""

        view: View

    def __init__(self) -> None:
        super().__init__()
        self._tabs: Sequence[tuple[View, str]] = ()
        self._current: View | None = None

    def show(self, tabs: Sequence[tuple[View, str]], current: View) -> None:
        """Other counts, or another view."""
        if (tabs, current) != (self._tabs, self._current):
            self._tabs, self._current = tabs, current
            self.refresh()

    def render(self) -> Content:
        parts = []
        for number, (view, count) in enumerate(self._tabs, 1):
            name = f"{view.value.capitalize()} {count}"
            if view is self._current:
                parts.append(Content.assemble((f" {number} ", "$text-muted"), (name, "bold underline $text-primary")))
            else:
                parts.append(Content.styled(f" {number} {name}", "$text-muted"))
        return Content("  ").join(parts)

    def on_click(self, event: events.Click) -> None:
        start = 0
        for number, (view, count) in enumerate(self._tabs, 1):
            end = start + len(f" {number} {view.value} {count}") + 2
            if start <= event.x < end:
                self.post_message(self.Clicked(view))
                return
            start = end


class Notices(Widget):
    """What went wrong while reading, for as long as it is so; nothing where all is well."""

    DEFAULT_CSS = "Notices { height: auto; padding: 0 1; }"
    MOST = 4  # lines

    def __init__(self) -> None:
        super().__init__()
        self._notices: Sequence[Notice] = ()
        self.display = False

    def show(self, notices: Sequence[Notice]) -> None:
        """Other notices."""
        if notices != self._notices:
            self._notices = notices
            self.display = bool(notices)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as are rendered."""
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        shown: list[Content] = []
        for at, notice in enumerate(self._notices):
            lines = list(_notice_lines(notice, width, most=2 if len(self._notices) == 1 else 1))
            last = at + 1 == len(self._notices)
            if len(shown) + len(lines) > self.MOST - (not last) and shown:
                shown.append(Content.styled(f"  and {len(self._notices) - at} more", "$text-muted"))
                break
            shown += lines
        return shown


def _notice_lines(notice: Notice, width: int, most: int) -> Iterator[Content]:
    """A line where message and hint fit one; else each starts on its own and takes at most so many."""
    sign = (f"{notice.sign} ", STYLES[notice.tone])
    if notice.hint and cell_len(f"{notice.message} · {notice.hint}") <= width - 2:
        yield Content.assemble(sign, notice.message, (f" · {notice.hint}", "$text-muted"))
        return
    for text in wrapped(notice.message, width - 2, most):
        yield Content.assemble(sign, text)
        sign = ("  ", "")
    for text in wrapped(notice.hint, width - 2, most) if notice.hint else ():
        yield Content.styled(f"  {text}", "$text-muted")


class KeyBar(Widget):
    """The keys of the view; what does not fit gives way from the middle, the last ones stay."""

    DEFAULT_CSS = "KeyBar { height: 1; background: $panel; }"
    KEPT = 2

    @dataclass
    class Clicked(Message):
        """A key was clicked."""

        action: Action

    def __init__(self) -> None:
        super().__init__()
        self._actions: Sequence[Action] = ()

    def show(self, actions: Sequence[Action]) -> None:
        """Other keys."""
        if actions != self._actions:
            self._actions = actions
            self.refresh()

    def _fitting(self) -> tuple[list[Action], int]:
        """The keys, and the gap between them: that gives way before a key does."""
        actions = list(self._actions)
        while True:
            for gap in (2, 1):
                if sum(_key_width(action) + gap for action in actions) - gap <= self.size.width:
                    return actions, gap
            if len(actions) <= self.KEPT:
                return actions, 1
            del actions[-self.KEPT - 1]

    def render(self) -> Content:
        actions, gap = self._fitting()
        parts = [Content.assemble(" ", (_key(each), "bold $text-primary"), f" {each.label}") for each in actions]
        return Content(" " * gap).join(parts)

    def on_click(self, event: events.Click) -> None:
        start = 0
        actions, gap = self._fitting()
        for action in actions:
            if start <= event.x < (start := start + _key_width(action) + gap):
                self.post_message(self.Clicked(action))
                return


def _key(action: Action) -> str:
    return action.shown_keys.split()[0]


def _key_width(action: Action) -> int:
    return cell_len(f" {_key(action)} {action.label}")
