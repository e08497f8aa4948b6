"""Waiting for credentials: one look for all tunnels of a profile, and none where nobody waits."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.errors import CredentialsError
from ssm_tui.sessions.tunnels.logins import Logins

PROD, DEV = Context("prod", "us-east-1"), Context("dev", "us-east-1")


class Profiles(AwsClouds):
    """Clouds that know who we are once the profile has been signed in to."""

    def __init__(self, *good: str) -> None:
        super().__init__()
        self.good = set(good)
        self.asked: list[str | None] = []
        self.renewed: list[str | None] = []
        self.looked = threading.Event()

    def open(self, context: Context) -> AwsCloud:
        return _SignedIn(context, self)

    def renew(self, profile: str | None) -> None:
        self.renewed.append(profile)


class _SignedIn(AwsCloud):
    def __init__(self, context: Context, profiles: Profiles) -> None:
        super().__init__(context)
        self._profiles = profiles

    def identify(self) -> Caller:
        profile = self.context.profile
        self._profiles.asked.append(profile)
        self._profiles.looked.set()
        if profile not in self._profiles.good:
            raise CredentialsError("expired")
        return Caller("123456789012", "arn:aws:iam::123456789012:user/x")


async def test_it_looks_until_they_are_good_once_for_all_who_wait() -> None:
    clouds = Profiles()
    logins = Logins(clouds, every=0.02)
    waiting = [asyncio.create_task(logins.renewed(context)) for context in (PROD, PROD, DEV)]
    await asyncio.to_thread(clouds.looked.wait, 10)
    clouds.good.add("prod")
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting[:2])
    assert not waiting[2].done()
    looks = clouds.asked.count("prod")
    assert clouds.renewed.count("prod") == looks  # never by what was read before
    clouds.good.add("dev")
    async with asyncio.timeout(10):
        await waiting[2]
    assert clouds.asked.count("prod") == looks


async def test_renew_lets_the_profile_go_on_without_a_look() -> None:
    clouds = Profiles()
    logins = Logins(clouds, every=3600)
    prod, dev = (asyncio.create_task(logins.renewed(context)) for context in (PROD, DEV))
    await asyncio.sleep(0)
    logins.renew("prod")
    async with asyncio.timeout(10):
        await prod
    assert not dev.done()
    assert clouds.asked == []
    assert clouds.renewed == ["prod"]
    dev.cancel()


async def test_nobody_looks_where_nobody_waits() -> None:
    clouds = Profiles()
    logins = Logins(clouds, every=0.02)
    waiting = asyncio.create_task(logins.renewed(PROD))
    await asyncio.to_thread(clouds.looked.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0.05)  # what had begun has ended
    looks = len(clouds.asked)
    await asyncio.sleep(0.1)
    assert len(clouds.asked) == looks


async def test_it_can_be_waited_for_again() -> None:
    clouds = Profiles("prod")
    logins = Logins(clouds, every=0.01)
    for _ in range(3):
        async with asyncio.timeout(10):
            await logins.renewed(PROD)
    assert clouds.asked == ["prod"] * 3


async def test_who_asks_does_not_wait_for_a_look_that_hangs() -> None:
    answered = threading.Event()

    class Hanging(Profiles):
        def open(self, context: Context) -> AwsCloud:
            self.looked.set()
            answered.wait(20)
            return super().open(context)

    clouds = Hanging()
    logins = Logins(clouds, every=0.01)
    waiting = asyncio.create_task(logins.renewed(PROD))
    await asyncio.to_thread(clouds.looked.wait, 10)
    logins.renew("prod")
    try:
        async with asyncio.timeout(5):
            await waiting
    finally:
        answered.set()
