"""Why the caller may or may not: verdicts with what decided them, and the request that can be copied and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.why import KEYS, copied, shown, why_lines
from ssm_tui.ui.widgets.bars import content

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from ssm_tui.domain.grants import Explanation


class WhyDialog(Dialog[None]):
    """`read` asks IAM, which takes a second or two; `copy` takes what to ask for and what to call it."""

    DEFAULT_CSS = """
    WhyDialog > .box { width: 90%; max-width: 116; padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    WhyDialog Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", show=False),
        *(Binding(key, f"only('{name}')", show=False) for name, key in KEYS.items()),
        Binding("w,q", "leave", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
        Binding("g", "edge(False)", show=False),
        Binding("G", "edge(True)", show=False),
    ]

    def __init__(
        self, title: str, read: Callable[[], Awaitable[Explanation]], copy: Callable[[str, str], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._title, self._read, self._copy = title, read, copy
        self._found: Explanation | None = None
        self._error: SsmTuiError | None = None
        self._only = ""  # of the undertaking whose request is shown; all of them without

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = Content(f"Why · {visible(self._title)}")
        box.border_subtitle = Content("Esc leaves")
        with box:
            yield Static()

    def on_mount(self) -> None:
        self._show()
        self.run_worker(self._ask())

    async def _ask(self) -> None:
        try:
            self._found = await self._read()
        except SsmTuiError as error:
            self._error = error
        self._show()

    def on_resize(self) -> None:
        """Lines are broken anew."""
        self._show()

    def _show(self) -> None:
        if not self.is_running:
            return
        box = self.query_one(VerticalScroll)
        text = self.query_one(Static)
        if self._error is not None:
            text.update(Content("\n").join(map(Content, (visible(self._error.message), visible(self._error.hint)))))
        elif self._found is None:
            text.update(Content("Asking IAM …"))
        else:
            width = box.scrollable_content_region.width
            lines = [content(line) for line in shown(why_lines(self._found, self._only), width)]
            text.update(Content("\n").join(lines))
            keys = " ".join(KEYS[each.name] for each in self._found.undertakings)
            one = f"{keys} for one alone · " if len(keys) > 1 else ""
            box.border_subtitle = Content(f"y copies what to ask for · {one}Esc leaves")

    def action_only(self, name: str) -> None:
        """What to ask for is for this undertaking alone; the same key again: for all."""
        if self._found is None or name not in (each.name for each in self._found.undertakings):
            return
        self._only = "" if self._only == name else name
        self._show()
        if self._only:
            self.call_after_refresh(self.action_edge, True)  # what to ask for stands at the end

    async def action_copy(self) -> None:
        """The policy to ask for."""
        if self._found is not None and (text := copied(self._found.request(self._only))):
            await self._copy("request", text)

    def action_scroll(self, by: int) -> None:
        """A line up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_edge(self, last: bool) -> None:
        """To the first line or the last."""
        box = self.query_one(VerticalScroll)
        box.scroll_end(animate=False) if last else box.scroll_home(animate=False)
