"""What all dialogs look like: a framed box in the middle, Escape leaves it, and so do the keys that leave the app."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

A = TypeVar("A")


class Dialog(ModalScreen[A | None]):
    """Asks for one thing; None where the user would rather not."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
    }
    Dialog > .box {
        width: auto; max-width: 90%; height: auto; max-height: 90%;
        border: round $primary; border-title-color: $text-primary; border-title-style: bold;
        border-subtitle-color: $text-muted;
        background: $surface; padding: 1 2;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        # Before an input takes it for its own; Ctrl-Q is the app's.
        Binding("ctrl+c", "leave", show=False, priority=True),
    ]

    _answered = False

    def dismiss(self, result: A | None = None) -> AwaitComplete:
        """Once: of a key that is held down the first answers, and the next would close whatever lies under the
        dialog."""
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    def action_leave(self) -> None:
        """Without an answer."""
        self.dismiss(None)
