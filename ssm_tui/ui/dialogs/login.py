"""The question for whom a password is made: IAM's tokens are one user's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

LONGEST = 128  # of the engines here, Redshift's names may be the longest


class LoginDialog(Dialog[str]):
    """Answers with the name of a database user. `nobody` says what an empty one means, where it means something."""

    DEFAULT_CSS = """
    LoginDialog > .box { width: 64; }
    LoginDialog Input { background: $panel; margin: 1 0 0 0; }
    LoginDialog .nobody { color: $text-muted; height: auto; }
    """

    def __init__(self, database: str, user: str, nobody: str = "") -> None:
        super().__init__()
        self._database, self._user, self._nobody = database, user, nobody

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content("Log in as")
        box.border_subtitle = Content("↵ goes on · Esc leaves")
        with box:
            yield Static(Content(f"The user of {visible(self._database)} that the token is for"))
            yield Input(visible(self._user), placeholder="a database user", compact=True, max_length=LONGEST)
            if self._nobody:
                yield Static(Content(self._nobody), classes="nobody")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Nobody is not sent where that means nothing."""
        user = message.value.strip()
        if user or self._nobody:
            self.dismiss(user)
