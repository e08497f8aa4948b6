"""Help: every key from the table of actions, every symbol from the presentation that draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ssm_tui.ui.actions import ACTIONS, ALL, View
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.legend import LEGEND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

_MOVING = (("↑ ↓ j k", "Move; PgUp PgDn Home End g G go further."),)


class HelpDialog(Dialog[None]):
    """Scrolls where the terminal is small."""

    DEFAULT_CSS = """
    HelpDialog > .box { width: 90%; max-width: 92; padding: 0 2; scrollbar-size-vertical: 1; }
    HelpDialog Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,q", "leave", show=False)]

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = Content("Help")
        box.border_subtitle = Content("Esc leaves")
        with box:
            yield Static(Content("\n").join(list(_lines())))


def _lines() -> Iterator[Content]:
    groups = [(f"In {view.value}", [a for a in ACTIONS if a.views != ALL and view in a.views]) for view in View]
    for title, actions in [*groups, ("Everywhere", [a for a in ACTIONS if a.views == ALL])]:
        yield Content.styled(title, "bold $text-primary")
        if title == "Everywhere":
            yield from (_line(keys, text) for keys, text in _MOVING)
        yield from (_line(action.shown_keys, action.help) for action in actions)
        yield Content("")
    for title, entries in LEGEND:
        yield Content.styled(title, "bold $text-primary")
        yield from (_line(sign, text) for sign, text in entries)
        yield Content("")


def _line(left: str, right: str) -> Content:
    return Content.assemble((f"  {left:<12}", "bold"), right)
