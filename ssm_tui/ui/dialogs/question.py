"""A yes-or-no question before something is ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ssm_tui.ui.dialogs.base import Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Question(Dialog[bool]):
    """True only for an explicit yes."""

    DEFAULT_CSS = """
    Question > .box { width: 60; border: round $warning; border-title-color: $text-warning; }
    Question .keys { margin-top: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,q", "answer(False)", "No"),
    ]

    def __init__(self, title: str, text: str, yes: str) -> None:
        super().__init__()
        self._title, self._text, self._yes = title, text, yes

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content(self._title)
        with box:
            yield Static(Content(self._text))
            yield Static(Content(f"y {self._yes}    n go back"), classes="keys")

    def action_answer(self, yes: bool) -> None:
        """The answer."""
        self.dismiss(yes)
