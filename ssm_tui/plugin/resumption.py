"""From a lost websocket to the next one of the same session: ResumeSession and dialling, for minutes if need be.

Final at once is what trying again cannot mend: a session that the service has no more, a refusal, credentials that no
longer hold. While the network is away everything else is tried again, and immediately after the machine woke up.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin import waking
from ssm_tui.plugin.dialing import ChannelError
from ssm_tui.plugin.service import ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ssm_tui.plugin.limits import Limits
    from ssm_tui.plugin.websocket import Link


class GoneError(Exception):
    """The service has no such session any more; the text is its own, empty where it just gave no token."""


class GaveUpError(Exception):
    """The session could not be resumed; says why."""


class Budget:
    """How long to go on, and how long to wait before each attempt: pure, time is told to it."""

    def __init__(self, total: float, first: float, longest: float, chance: Callable[[], float]) -> None:
        self._left = total
        self._first = self._delay = first
        self._longest = longest
        self._chance = chance

    def delay(self) -> float | None:
        """Seconds before the next attempt, half of them by chance so that many clients do not come at once; None when
        the time is over."""
        if self._left <= 0:
            return None
        delay, self._delay = self._delay, min(self._delay * 2, self._longest)
        return delay * (0.5 + self._chance() / 2)

    def spend(self, seconds: float) -> None:
        self._left -= seconds

    def woken(self) -> None:
        """What has happened since is not known: attempts are dense again."""
        self._delay = self._first


_GONE: Final = ("DoesNotExistException", "InvalidSessionId")


class Resumption:
    """One outage. `told` hears the reason of it, and again when the reason changes."""

    def __init__(
        self,
        limits: Limits,
        *,
        renew: Callable[[], Awaitable[str]],
        dial: Callable[[str], Awaitable[Link]],
        told: Callable[[str], None],
    ) -> None:
        self._limits = limits
        self._renew = renew
        self._dial = dial
        self._told = told
        self._reason = ""
        self._budget = Budget(
            limits.resume_total,
            limits.resume_delay,
            limits.resume_longest_delay,
            random.random,
        )

    async def run(self, cause: str) -> Link:
        """Raises `GoneError`, `GaveUpError`."""
        self._say(cause)
        longest = self._limits.api + self._limits.dial + self._limits.late
        while True:
            began = time.time()
            try:
                return await self._attempt()
            except (ChannelError, ServiceError) as error:
                if error.final:
                    raise GaveUpError(str(error)) from error
                self._say(str(error))
            passed = time.time() - began
            if passed > longest:  # suspended in the middle of it
                self._budget.woken()
                continue
            self._budget.spend(max(0.0, passed))
            await self._wait()

    async def _attempt(self) -> Link:
        try:
            token = await self._renew()
        except ServiceError as error:
            if str(error).startswith(_GONE):
                raise GoneError(str(error)) from error
            raise
        if not token:
            raise GoneError
        return await self._dial(token)

    async def _wait(self) -> None:
        delay = self._budget.delay()
        if delay is None:
            raise GaveUpError(f"{self._reason}; gave up after {self._limits.resume_total:g} s")
        if await waking.sleep(delay, late=self._limits.late):
            self._budget.woken()
        else:
            self._budget.spend(delay)

    def _say(self, reason: str) -> None:
        reason = " ".join(reason.split())
        if reason != self._reason:
            self._reason = reason
            self._told(reason)
