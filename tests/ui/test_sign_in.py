"""Expired credentials: said once a profile, renewed once, and every tunnel of the profile goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.sessions import Command
from ssm_tui.domain.signing import Way
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState
from ssm_tui.errors import CredentialsError
from ssm_tui.ui.services import Services
from tests.ui.fakes import FakeClouds, FakeHandOver, World
from tests.ui.fleet import small_world
from tests.ui.screen import started
from tests.ui.test_tunnels_view import tunnel

if TYPE_CHECKING:
    from collections.abc import Sequence

LOGIN = Command(("aws", "sso", "login", "--profile", "dev"))
WIDE = (200, 35)  # a toast hides nothing of what waits


class Clouds(FakeClouds):
    """Like those of any world, but remembered here."""


def expired_world(names: Sequence[str]) -> tuple[World, FakeClouds]:
    world = small_world()
    world.sign_ins.ways["dev"] = world.sign_ins.ways["prod"] = Way(command=LOGIN)
    clouds = world.clouds = FakeClouds({world.cloud.context: world.cloud})
    for name in names:
        tunnel(world, name)
    return world, clouds


def expire(world: World) -> None:
    for status in world.tunnels.statuses():
        world.tunnels.become(status.id, TunnelState.PAUSED, message="credentials expired", hint="run: aws sso login")


async def test_one_notice_and_one_login_for_all_tunnels_of_a_profile() -> None:
    world, clouds = expired_world(["orders", "cache", "ledger"])
    async with started(world, size=(80, 24)) as person:
        await person.sees("● fresh")
        expire(world)
        await person.is_told("The credentials of profile dev are not valid any more; 3 tunnels wait: orders, cache")
        assert sum("credentials" in n.message for n in person.app._notifications) == 1
        person.app.clear_notifications()
        await person.sees("profile dev: 3 tunnels wait for new credentials: orders, cache, ledger")
        await person.press("i")
        await person.sees("$ aws sso login --profile dev")
        assert isinstance(world.hand_over, FakeHandOver)
        assert not world.hand_over.runs
        await person.press("y")
        await person.until(lambda: world.tunnels.renewed == ["dev"])
        assert clouds.renewed == ["dev"]
        assert world.hand_over.runs == [(LOGIN, "signing in, profile dev")]
        for status in world.tunnels.statuses():
            world.tunnels.become(status.id, TunnelState.READY)
        await person.sees_no("wait for new credentials")


async def test_a_login_that_fails_leaves_them_waiting() -> None:
    world, clouds = expired_world(["orders"])
    world.hand_over = FakeHandOver(status=255)
    async with started(world) as person:
        await person.sees("● fresh")
        expire(world)
        await person.sees("i signs in")
        await person.press("3", "enter")
        await person.sees("Sign in?")
        await person.press("y")
        await person.is_told("Signing in ended with status 255; nothing has changed.")
        assert world.tunnels.renewed == clouds.renewed == []


async def test_where_there_is_no_way_to_sign_in_it_says_what_to_do_by_hand() -> None:
    world, clouds = expired_world(["orders"])
    world.sign_ins.ways.clear()
    async with started(world) as person:
        await person.sees("● fresh")
        expire(world)
        await person.sees("i signs in")
        await person.press("i")
        await person.sees("run: aws sso login")
        await person.sees("y that is done: go on")
        await person.press("n")
        await person.sees_no("Sign in?")
        assert world.tunnels.renewed == []
        await person.press("i", "y")
        await person.until(lambda: world.tunnels.renewed == ["dev"])
        assert clouds.renewed == ["dev"]
        assert isinstance(world.hand_over, FakeHandOver)
        assert not world.hand_over.runs


async def test_a_question_that_nobody_waits_for_any_more_is_taken_back() -> None:
    world, _ = expired_world(["orders", "cache"])
    async with started(world, size=WIDE) as person:
        await person.sees("● fresh")
        expire(world)
        await person.sees("i signs in")
        await person.press("i")
        await person.sees("Sign in?")
        world.tunnels.become(1, TunnelState.READY)
        await person.sees("profile dev: 1 tunnel waits for new credentials: cache ")
        await person.sees("Sign in?")
        world.tunnels.become(2, TunnelState.READY)
        await person.sees_no("Sign in?")
        assert world.tunnels.renewed == []


async def test_the_next_tunnel_of_a_profile_that_waits_is_counted_and_not_told() -> None:
    world, _ = expired_world(["orders", "cache"])
    number = world.tunnels.open(TunnelRequest(Context("prod", "eu-west-1"), "i-9", 5432, title="theirs"))
    async with started(world, size=WIDE) as person:
        await person.sees("● fresh")
        world.tunnels.become(1, TunnelState.PAUSED)
        await person.is_told("The credentials of profile dev are not valid any more; 1 tunnel waits: orders")
        world.tunnels.become(2, TunnelState.PAUSED)
        world.tunnels.become(number, TunnelState.PAUSED)
        await person.is_told("The credentials of profile prod are not valid any more; 1 tunnel waits: theirs")
        await person.sees("profile dev: 2 tunnels wait for new credentials: orders, cache")
        assert not any("cache" in each.message for each in person.app._notifications)


async def test_profiles_are_signed_in_one_by_one_the_highlighted_tunnels_first() -> None:
    world, _ = expired_world(["orders"])
    number = world.tunnels.open(TunnelRequest(Context("prod", "eu-west-1"), "i-9", 5432, title="theirs"))
    world.tunnels.become(number, TunnelState.READY, local_port=5433)
    async with started(world) as person:
        await person.sees("● fresh")
        expire(world)
        await person.sees("profile dev: 1 tunnel waits")
        await person.sees("profile prod: 1 tunnel waits")
        await person.press("3", "end", "i")
        await person.sees("profile prod: 1 tunnel waits for new credentials: theirs.")
        await person.press("y")
        await person.until(lambda: world.tunnels.renewed == ["prod"])


async def test_what_could_not_be_read_with_the_old_credentials_is_read_again() -> None:
    world, _ = expired_world(["orders"])
    world.cloud.error = CredentialsError("the SSO session of profile dev has expired", "run: aws sso login")
    async with started(world) as person:
        await person.sees("✗ failed")
        expire(world)
        await person.sees("i signs in")
        world.cloud.error = None
        await person.press("i", "y")
        await person.sees("● fresh")


def test_the_services_have_no_way_to_sign_in_unless_told() -> None:
    world = small_world()
    services = world.services()
    bare = Services(services.clouds, services.shells, services.tunnels, services.clipboard, None)
    assert bare.sign_ins.way("dev") == Way()
    with pytest.raises(CredentialsError, match="cannot be signed in here"):
        bare.sign_ins.begin("dev")
    assert bare.left_over.offered() == ()
