"""Every node that might be a database's relay, with its verdict: looked at, and another one taken."""

from __future__ import annotations

from dataclasses import replace

from ssm_tui.domain.databases import DatabasePage
from ssm_tui.domain.nodes import NodePage
from ssm_tui.domain.relays import Preferences
from ssm_tui.domain.tunnels import TunnelState
from tests.ui.fakes import NETWORK, World, database, node
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

GOOD = node(1, "app-1")
BETTER = node(2, "bastion-1")
STRANGER = node(3, "stranger", security_groups=("sg-other",))


def relayed(preferences: Preferences | None = None) -> World:
    """Two nodes that reach the one database, and one that it does not admit."""
    world = small_world()
    other = replace(NETWORK.groups[0], id="sg-other")
    world.cloud.pages = [NodePage((GOOD, BETTER, STRANGER))]
    world.cloud.answers = {}
    network = replace(NETWORK, groups=(*NETWORK.groups, other))
    world.cloud.database_list = [DatabasePage((database("orders"),), network)]
    world.preferences = (lambda: preferences) if preferences is not None else None
    return world


async def ranked(person: Person) -> None:
    await person.press("2")
    await person.sees("✓ ")
    await person.press("v")
    await person.sees("Relays for orders")


async def test_the_ranking_is_shown_with_verdict_and_why() -> None:
    async with started(relayed()) as person:
        await ranked(person)
        await person.sees("sg-db admits sg-app on port 5432")
        await person.sees("✓ yes")
        await person.press("end")
        await person.sees("✗ sg-db does not admit sg-other on port 5432")
        await person.sees("→ aws ec2 authorize-security-group-ingress --group-id sg-db")
        await person.press("escape")
        await person.sees_no("Relays for orders")


async def test_another_relay_is_taken_though_it_is_thought_not_to_reach_it() -> None:
    world = relayed()
    async with started(world) as person:
        await ranked(person)
        await person.type("strang")
        await person.until(lambda: "app-1" not in person.text())
        await person.press("enter")
        await person.until(lambda: len(world.tunnels.statuses()) == 1)
        request = world.tunnels.statuses()[0].request
        assert (request.target, request.others) == (STRANGER.id, ())
        await person.is_told("sg-db does not admit sg-other")


async def test_a_tunnel_that_is_open_is_replaced_by_one_through_the_other() -> None:
    world = relayed()
    async with started(world) as person:
        await person.press("2")
        await person.sees("✓ ")
        await person.press("t")
        await person.until(lambda: len(world.tunnels.statuses()) == 1)
        world.tunnels.become(1, TunnelState.READY, local_port=5432)
        await person.press("v")
        await person.sees("Relays for orders")
        await person.press("down", "enter")
        await person.until(lambda: len(world.tunnels.statuses()) == 2)
        first, second = world.tunnels.statuses()
        assert first.state is TunnelState.STOPPED
        assert second.request.target != first.request.target


async def test_the_preferred_relay_is_chosen() -> None:
    async with started(relayed(Preferences(("bastion-*",)))) as person:
        await person.press("2")
        await person.sees("✓ bastion-1")
    async with started(relayed()) as person:
        await person.press("2")
        await person.sees("✓ app-1")
