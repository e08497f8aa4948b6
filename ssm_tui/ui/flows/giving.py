"""Whether the terminal is given away: who asks for nothing in the background meanwhile looks here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.sessions import Command
    from ssm_tui.ui.services import HandOver


class GivenAway:
    """The hand-over, and whether it is under way."""

    def __init__(self, hand_over: HandOver) -> None:
        self._hand_over = hand_over
        self.now = False

    async def __call__(self, app: App[Any], command: Command, title: str) -> int:
        """Runs the command in the foreground, as the hand-over does."""
        self.now = True
        try:
            return await self._hand_over(app, command, title)
        finally:
            self.now = False
