"""Leaving the app while tunnels are open."""

from __future__ import annotations

import pytest

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SessionError
from tests.ui.fakes import DetachableTunnels
from tests.ui.fleet import small_world
from tests.ui.screen import started
from tests.ui.test_tunnels_view import quiet, tunnel


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_open_tunnels_may_be_left_running(size: tuple[int, int]) -> None:
    world = small_world()
    world.tunnels = DetachableTunnels()
    async with started(world, size=size) as person:
        tunnel(world, "orders")
        tunnel(world, "cache", TunnelState.RECONNECTING)
        tunnel(world, "broken", TunnelState.FAILED)
        await quiet(person)
        await person.press("q")
        await person.sees("2 tunnels are open: orders, cache.")
        await person.press("n")
        await person.sees_no("are open")
        assert person.app.is_running
        await person.press("q")
        await person.sees("b leave and keep running in the background")
        await person.press("b")
        await person.until(lambda: world.tunnels.closed)
    assert [status.state.value for status in world.tunnels.statuses()] == ["ready", "reconnecting", "failed"]
    assert [status.detached for status in world.tunnels.statuses()] == [True, True, False]


async def test_they_are_stopped_where_that_is_wanted() -> None:
    world = small_world()
    world.tunnels = DetachableTunnels()
    async with started(world) as person:
        tunnel(world, "orders", connections=3)
        tunnel(world, "cache")
        await quiet(person)
        await person.press("q")
        await person.sees("1 tunnel still carries 3 connections: orders.")
        await person.sees("1 other ")
        await person.press("y")
        await person.until(lambda: world.tunnels.closed)
    assert {status.state for status in world.tunnels.statuses()} == {TunnelState.STOPPED}


async def test_what_cannot_be_handed_over_keeps_the_user_here() -> None:
    world = small_world()
    world.tunnels = tunnels = DetachableTunnels()
    tunnels.refusal = SessionError("the supervisor did not start", "see the log")
    async with started(world) as person:
        tunnel(world, "orders")
        await quiet(person)
        await person.press("q")
        await person.sees("1 tunnel is open: orders.")
        await person.press("b")
        await person.is_told("the supervisor did not start\nsee the log")
        await person.until(lambda: person.app.screen is person.home)
        assert not tunnels.closed
        assert tunnels.statuses()[0].state is TunnelState.READY


async def test_with_detached_tunnels_alone_nothing_is_asked_and_nothing_stopped() -> None:
    world = small_world()
    world.tunnels = DetachableTunnels()
    async with started(world) as person:
        tunnel(world, "orders", connections=1, detached=True)
        await quiet(person)
        await person.press("q")
        await person.until(lambda: world.tunnels.closed)
    assert world.tunnels.statuses()[0].state is TunnelState.READY


async def test_nothing_is_asked_about_a_tunnel_that_is_stopping_already() -> None:
    world = small_world()
    world.tunnels = DetachableTunnels()
    async with started(world) as person:
        tunnel(world, "orders", TunnelState.STOPPING)
        await quiet(person)
        await person.press("q")
        await person.until(lambda: world.tunnels.closed)
