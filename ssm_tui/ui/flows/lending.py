"""A password in the clipboard for a while: lent, and taken back where nobody has copied something else meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ssm_tui.ui.flows.telling import tell

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.credentials import Secret
    from ssm_tui.ui.services import Clipboard


class LendingFlow:
    """One password at a time. `seconds` is how long, 0 for as long as the app runs."""

    def __init__(self, app: App[Any], clipboard: Clipboard, seconds: float) -> None:
        self._app, self._clipboard, self._seconds = app, clipboard, seconds
        self._waiting: asyncio.Task[None] | None = None

    async def lend(self, secret: Secret) -> str:
        """Copies it; says how, and for how long."""
        self._stop_waiting()
        if not await self._clipboard.lend(self._app, secret):
            return "copied through the terminal, which nobody can ask what it has: copy something else afterwards"
        if not self._seconds:
            return "copied to the clipboard"
        self._waiting = asyncio.create_task(self._wait())
        return f"copied to the clipboard for {self._seconds:g} s"

    async def close(self) -> None:
        """At the end of the app it is taken back at once."""
        self._stop_waiting()
        await self._clipboard.take_back()

    async def _wait(self) -> None:
        await asyncio.sleep(self._seconds)
        if await self._clipboard.take_back():
            tell(self._app, "The password is out of the clipboard again.")

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            with suppress(RuntimeError):  # its loop has ended
                self._waiting.cancel()
            self._waiting = None
