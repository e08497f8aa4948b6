"""Waits until the credentials of a profile are good again, once for all its paused tunnels."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.errors import SsmTuiError

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.services import Clouds


class Logins:
    """Looks by itself every `every` seconds while somebody waits: the user may have signed in elsewhere."""

    def __init__(self, clouds: Clouds, every: float) -> None:
        self._clouds = clouds
        self._every = every
        self._waiting: dict[str | None, int] = {}
        self._asked: dict[str | None, asyncio.Event] = {}
        self._looks: dict[str | None, asyncio.Task[None]] = {}
        self._renewing: set[asyncio.Task[None]] = set()

    async def renewed(self, context: Context) -> None:
        """Returns when the profile's credentials are good again, or may be: `renew` was called for it."""
        profile = context.profile
        self._waiting[profile] = self._waiting.get(profile, 0) + 1
        if profile not in self._looks:
            self._asked[profile] = asyncio.Event()
            self._looks[profile] = asyncio.create_task(self._look(context))
        looking = self._looks[profile]
        try:
            await asyncio.shield(looking)
        finally:
            self._waiting[profile] -= 1
            if not self._waiting[profile]:
                looking.cancel()
                if self._looks.get(profile) is looking:
                    del self._looks[profile], self._asked[profile]

    def renew(self, profile: str | None) -> None:
        """There are new ones: what is known of the old is forgotten, then those who wait go on, and find out."""
        task = asyncio.create_task(self._renew(profile))
        self._renewing.add(task)
        task.add_done_callback(self._renewing.discard)

    async def _renew(self, profile: str | None) -> None:
        await in_background(lambda: self._clouds.renew(profile), "forget credentials")
        if asked := self._asked.get(profile):
            asked.set()

    async def _look(self, context: Context) -> None:
        profile, asked = context.profile, asyncio.create_task(self._asked[context.profile].wait())
        try:
            while not (await asyncio.wait([asked], timeout=self._every))[0]:
                looking = in_background(lambda: self._good(context), "look at credentials")
                # A program that fetches credentials may hang: who asks need not wait for it.
                either: list[asyncio.Future[Any]] = [asked, looking]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if asked.done() or looking.result():
                    break
        finally:
            asked.cancel()
        del self._looks[profile], self._asked[profile]

    def _good(self, context: Context) -> bool:
        """Whether AWS says who we are, by what the profile holds now. Blocks."""
        self._clouds.renew(context.profile)
        try:
            self._clouds.open(context).identify()
        except SsmTuiError:
            return False
        return True
