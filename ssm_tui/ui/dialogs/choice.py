"""A question with a few answers, each a key of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ssm_tui.ui.dialogs.base import Dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class Answer(Generic[E]):
    """A key, what it does in a few words, and what the dialog answers with."""

    key: str
    words: str
    value: E


class Choice(Dialog[E]):
    """Answers with the value of the key pressed; None where the user would rather not."""

    DEFAULT_CSS = """
    Choice > .box { width: 64; border: round $warning; border-title-color: $text-warning; }
    Choice .keys { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("n,q", "leave", "No", show=False)]

    def __init__(self, title: str, text: str, answers: Sequence[Answer[E]], stay: str) -> None:
        super().__init__()
        self._title, self._text, self._answers, self._stay = title, text, answers, stay

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content(self._title)
        lines = [*((answer.key, answer.words) for answer in self._answers), ("n", self._stay)]
        with box:
            yield Static(Content(self._text))
            keys = (Content.assemble((f"{key} ", "bold $text-primary"), words) for key, words in lines)
            yield Static(Content("\n").join(list(keys)), classes="keys")

    def on_key(self, event: events.Key) -> None:
        """One of the answers; Enter is the first."""
        for at, answer in enumerate(self._answers):
            if event.key == answer.key or (event.key == "enter" and at == 0):
                event.stop()
                self.dismiss(answer.value)
                return
