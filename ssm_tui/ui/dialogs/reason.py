"""The question for a reason, before just-in-time access to a node is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ssm_tui.domain.just_in_time import LONGEST_REASON, SHELLS_ALONE
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ReasonDialog(Dialog[str]):
    """Answers with a reason, which approvers read."""

    DEFAULT_CSS = """
    ReasonDialog > .box { width: 90%; max-width: 84; }
    ReasonDialog Input { background: $panel; margin: 1 0; }
    ReasonDialog .problem { color: $text-error; height: auto; }
    ReasonDialog .note { color: $text-muted; }
    """

    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content("Just-in-time access")
        box.border_subtitle = Content("↵ asks · Esc not now")
        with box:
            yield Static(Content(f"Why do you need a shell on {visible(self._node)}? Whoever approves it reads this."))
            yield Input(compact=True, placeholder="reason", max_length=LONGEST_REASON)
            yield Static(classes="problem")
            yield Static(Content(SHELLS_ALONE), classes="note")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """AWS takes no request without a reason."""
        if message.value.strip():
            self.dismiss(message.value.strip())
        else:
            self.query_one(".problem", Static).update(Content("a reason is wanted"))
