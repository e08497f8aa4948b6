"""A tunnel's own lines: what became of it and when. Follows what still happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.history import history_lines, history_text
from ssm_tui.ui.widgets.bars import content

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from ssm_tui.domain.tunnels import TunnelEvent

EVERY = 0.5  # seconds between looks at what is new


class HistoryDialog(Dialog[None]):
    """`read` gives the lines so far, `copy` takes the text of all of them."""

    DEFAULT_CSS = """
    HistoryDialog > .box { width: 90%; max-width: 130; padding: 0 1; scrollbar-size-vertical: 1; }
    HistoryDialog Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", show=False),
        Binding("l,q", "leave", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
        Binding("g", "edge(False)", show=False),
        Binding("G", "edge(True)", show=False),
    ]

    def __init__(
        self,
        title: str,
        read: Callable[[], Awaitable[tuple[TunnelEvent, ...]]],
        copy: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._title, self._read, self._copy = title, read, copy
        self._events: tuple[TunnelEvent, ...] | None = None

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = Content(f"Log · {self._title}")
        box.border_subtitle = Content("y copies all · Esc leaves")
        with box:
            yield Static()

    async def on_mount(self) -> None:
        self.set_interval(EVERY, self._look)
        await self._look()

    async def _look(self) -> None:
        """Shows what is new. Who reads at the end goes on reading there; who has scrolled up stays."""
        try:
            events = await self._read()
        except SsmTuiError:  # the supervisor has ended: what it said stays
            return
        if events == self._events or not self.is_running:
            return
        self._events = events
        box = self.query_one(VerticalScroll)
        at_end = box.scroll_offset.y >= box.max_scroll_y
        self._show()
        if at_end:
            box.scroll_end(animate=False)

    def on_resize(self) -> None:
        """Lines are broken anew."""
        self._show()

    def _show(self) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width
        lines = [content(line) for line in history_lines(self._events or (), width)]
        self.query_one(Static).update(Content("\n").join(lines) if lines else Content("Nothing has happened yet."))

    def action_scroll(self, by: int) -> None:
        """A line up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_edge(self, last: bool) -> None:
        """To the first line or the last."""
        box = self.query_one(VerticalScroll)
        box.scroll_end(animate=False) if last else box.scroll_home(animate=False)

    async def action_copy(self) -> None:
        """All of it, as plain text."""
        await self._copy(history_text(self._events or ()))
