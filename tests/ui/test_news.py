"""Toasts about tunnels: what is told, once, together, and what is not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.tunnels import TunnelState, Way
from ssm_tui.ui.flows.news import TOGETHER
from tests.ui.fakes import HOSTILE, NOW
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started
from tests.ui.test_tunnels_view import quiet, tunnel

if TYPE_CHECKING:
    from tests.ui.fakes import World


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing changes together, nothing need be waited for."""
    monkeypatch.setattr("ssm_tui.ui.flows.news.TOGETHER", 0.02)


def told(person: Person) -> list[str]:
    return [notification.message for notification in person.app._notifications]


async def settled(person: Person) -> None:
    """What has happened until now has been told."""
    await person.until(lambda: not person.home._news._changed)


async def heard(person: Person, number: int, state: TunnelState) -> None:
    """The change has come, and what is to be told of it has been."""

    def come() -> bool:
        known = person.home._news._known.get(number)
        return known is not None and known.state is state

    await person.until(come)
    await settled(person)


async def lose(world: World, person: Person, *numbers: int) -> None:
    for number in numbers:
        world.tunnels.become(number, TunnelState.RECONNECTING, message="the agent went away", hint="")
    for number in numbers:
        await heard(person, number, TunnelState.RECONNECTING)


async def test_a_loss_is_told_once_and_the_return_with_the_time_it_took() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders")
        await person.is_told("orders is at 127.0.0.1:5001")
        await quiet(person)
        await lose(world, person, number)
        assert told(person) == ["orders lost its session: the agent went away\nits local port stays open"]
        for at in range(3):
            world.tunnels.become(number, TunnelState.RECONNECTING, message=f"try {at} failed")
        await settled(person)
        world.now = NOW + timedelta(seconds=12)
        world.tunnels.become(number, TunnelState.READY, message="")
        await person.is_told("orders is ready again after 12 s")
        assert len(told(person)) == 2


async def test_a_return_through_another_node_names_it() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders", via=Way("i-1", "web-1"))
        await person.is_told("orders is at 127.0.0.1:5001")
        await lose(world, person, number)
        world.tunnels.become(number, TunnelState.READY, message="", via=Way("i-2", HOSTILE))
        await person.is_told("orders is ready again after 0 s\norders now goes through [/x]␛]0;pwned␇")


async def test_tunnels_that_change_together_give_one_toast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.ui.flows.news.TOGETHER", TOGETHER)
    world = small_world()
    async with started(world) as person:
        numbers = [tunnel(world, f"t{at}") for at in range(6)]
        await person.is_told("6 tunnels are ready: t0, t1, t2, t3 …")
        await quiet(person)
        await lose(world, person, *numbers)
        assert told(person) == [
            "6 tunnels lost their session: t0, t1, t2, t3 …\ntheir local ports stay open; 3 shows why"
        ]
        for number in numbers:
            world.tunnels.become(number, TunnelState.READY, message="")
        await person.is_told("6 tunnels are ready again after 0 s")
        assert len(told(person)) == 2
        for number in numbers[:2]:
            world.tunnels.become(number, TunnelState.FAILED, message="denied")
        await person.is_told("2 tunnels failed: t0, t1")


async def test_a_tunnel_that_comes_and_goes_makes_no_storm() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders")
        await settled(person)
        for at in range(4):
            world.now = NOW + timedelta(seconds=5 * at)
            await lose(world, person, number)
            world.tunnels.become(number, TunnelState.READY)
            await heard(person, number, TunnelState.READY)
        assert sum("lost its session" in text for text in told(person)) == 1
        assert sum("ready again" in text for text in told(person)) == 1
        world.now = NOW + timedelta(minutes=5)
        await lose(world, person, number)
        assert sum("lost its session" in text for text in told(person)) == 2


async def test_degraded_says_what_does_not_answer_and_failed_says_why() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders")
        await settled(person)
        world.tunnels.become(number, TunnelState.DEGRADED, message="orders.internal refuses", hint="is it up?")
        await person.is_told("orders: orders.internal refuses\nis it up?")
        world.tunnels.become(number, TunnelState.FAILED, message="you may not", hint="ask")
        await person.is_told("orders: you may not\nask")


async def test_a_tunnel_on_demand_says_that_it_listens_and_no_more() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders", TunnelState.IDLE)
        await person.is_told("orders listens at 127.0.0.1:5001\nthe first connection starts its session")
        await quiet(person)
        for state in (TunnelState.STARTING, TunnelState.READY, TunnelState.IDLE):
            world.tunnels.become(number, state)
            await heard(person, number, state)
        assert told(person) == []


async def test_one_that_was_never_reached_is_not_said_to_be_lost() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders", TunnelState.RECONNECTING, message="the network is down")
        await person.is_told("orders is not ready yet: the network is down")
        world.tunnels.become(number, TunnelState.READY, message="")
        await person.is_told("orders is at 127.0.0.1:5001")


async def test_what_runs_in_the_background_already_is_no_news() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders", detached=True)
        await heard(person, number, TunnelState.READY)
        assert told(person) == []
        await lose(world, person, number)
        assert len(told(person)) == 1


async def test_another_kind_of_trouble_is_told_at_once() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders")
        await person.is_told("orders is at")
        await lose(world, person, number)
        world.tunnels.become(number, TunnelState.READY)
        await person.is_told("ready again")
        world.tunnels.become(number, TunnelState.DEGRADED, message="orders.internal refuses")
        await person.is_told("orders: orders.internal refuses")
