"""The question for an MFA code: whose, of which device. A code is good once, so it is shown as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ssm_tui.domain.signing import CODE_LENGTH, is_code
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ssm_tui.domain.signing import CodeQuestion


class MfaDialog(Dialog[str]):
    """Answers with six digits."""

    DEFAULT_CSS = """
    MfaDialog > .box { width: 90%; max-width: 80; }
    MfaDialog Input { width: 12; background: $panel; margin: 1 0; }
    MfaDialog .problem { color: $text-error; height: auto; }
    """

    def __init__(self, question: CodeQuestion) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content("MFA code")
        box.border_subtitle = Content("↵ signs in · Esc not now")
        whose = f"profile {self._question.profile}" if self._question.profile else "the default profile"
        with box:
            yield Static(Content(f"For {visible(whose)}, the code that is on\n{visible(self._question.serial)}"))
            yield Input(compact=True, restrict=r"[0-9]*", placeholder=f"{CODE_LENGTH} digits", max_length=CODE_LENGTH)
            yield Static(Content(visible(self._question.trouble)), classes="problem")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Something that cannot be a code is not sent."""
        if is_code(message.value):
            self.dismiss(message.value)
        else:
            self.query_one(".problem", Static).update(Content(f"an MFA code has {CODE_LENGTH} digits"))
