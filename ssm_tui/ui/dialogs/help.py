"""Help: every key from the table of actions, every symbol from the presentation that draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from ssm_tui.ui.actions import ACTIONS, ALL, View
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.legend import LEGEND
from ssm_tui.ui.presentation.text import Cut, fit, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.geometry import Size

_MOVING = (("↑ ↓ j k", "Move; PgUp PgDn Home End g G go further."),)
_LEFT = 16  # cells of keys and signs, with what stands before and behind them
_MOST = 20  # lines of one explanation


class HelpDialog(Dialog[None]):
    """Scrolls where the terminal is small."""

    DEFAULT_CSS = """
    HelpDialog > .box { width: 90%; max-width: 94; padding: 0 2; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q", "leave", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = Content("Help")
        box.border_subtitle = Content("↑ ↓ PgUp PgDn scroll · Esc leaves")
        with box:
            yield HelpText()

    def action_scroll(self, lines: int) -> None:
        """As in every list, beside the arrows."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


class HelpText(Widget):
    """Explanations beside what they explain, also where they take several lines."""

    DEFAULT_CSS = "HelpText { height: auto; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as are rendered."""
        return len(list(_lines(width)))

    def render(self) -> Content:
        return Content("\n").join(list(_lines(self.content_size.width)))


def _lines(width: int) -> Iterator[Content]:
    for title, entries in _parts():
        yield Content.styled(title, "bold $text-primary")
        for left, right in entries:
            shown = f"  {left} "
            for text in wrapped(right, max(1, width - max(_LEFT, cell_len(shown))), _MOST):
                yield Content.assemble((fit(shown, max(_LEFT, cell_len(shown)), Cut.END), "bold"), text)
                shown = " " * cell_len(shown)
        yield Content("")


def _parts() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    groups = [(f"In {view.value}", [a for a in ACTIONS if a.views != ALL and view in a.views]) for view in View]
    for title, actions in [*groups, ("Everywhere", [a for a in ACTIONS if a.views == ALL])]:
        keys = [(action.shown_keys, action.help) for action in actions]
        yield title, [*_MOVING, *keys] if title == "Everywhere" else keys
    yield from ((title, list(entries)) for title, entries in LEGEND)
