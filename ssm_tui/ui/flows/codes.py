"""MFA codes: questions that come from threads that read are put to the user, and the answers go back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from ssm_tui.domain.services import Codes
    from ssm_tui.domain.signing import CodeQuestion


@dataclass
class CodeWanted(Message):
    """Somebody waits for an MFA code; `answer` takes it, or None, from any thread."""

    question: CodeQuestion
    answer: Callable[[str | None], None]


class CodeFlow:
    """Attends the desk for as long as the interface is there. `post` takes messages from any thread."""

    def __init__(self, app: App[Any], codes: Codes, post: Callable[[Message], object]) -> None:
        self._app, self._codes = app, codes
        self._post = post

    def begin(self) -> None:
        """From now on questions come as messages."""
        self._codes.attend(self._tell, "i asks for it")

    def _tell(self, question: CodeQuestion, answer: Callable[[str | None], None]) -> None:
        self._post(CodeWanted(question, answer))

    def ask(self, wanted: CodeWanted) -> None:
        """Puts the question."""
        from ssm_tui.ui.dialogs.mfa import MfaDialog

        self._app.push_screen(MfaDialog(wanted.question), wanted.answer)

    def end(self) -> None:
        """Nobody is here any more: who waits for an answer goes on without."""
        self._codes.leave()
