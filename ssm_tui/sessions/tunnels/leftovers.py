"""Sessions that the service could not be told to end, without network or credentials: told as soon as it can be."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ssm_tui.background import in_background
from ssm_tui.errors import CredentialsError, NetworkError, SsmTuiError, ThrottledError

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.services import Clouds

_log = logging.getLogger("ssm_tui.tunnels")

# What passes. Whoever may not end sessions will not be allowed to later; the service ends abandoned ones by itself.
_PASSING = (NetworkError, CredentialsError, ThrottledError)


class Leftovers:
    """Ends sessions at the service, one by one, and keeps those for which it could not be reached."""

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds
        self._kept: dict[Context, set[str]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def end(self, context: Context, session_id: str, seconds: float) -> None:
        """TerminateSession, waited for so long. A refusal is told in the log alone: it changes nothing here."""
        ending = in_background(lambda: self._clouds.open(context).terminate_session(session_id), "end a session")
        try:
            async with asyncio.timeout(seconds):
                await ending
        except (*_PASSING, TimeoutError):
            self._kept.setdefault(context, set()).add(session_id)
        except SsmTuiError as error:
            _log.warning("session %s was not ended, and ends by itself: %s; %s", session_id, error.message, error.hint)

    def settle(self, context: Context, seconds: float) -> None:
        """AWS answers again: ends in the background what was kept."""
        for session_id in self._kept.pop(context, ()):
            task = asyncio.create_task(self.end(context, session_id, seconds))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
