"""Access on the screen: what is looked at is asked for first, and what sessions teach is asked about again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ssm_tui.domain.access import SessionKind, everywhere
from ssm_tui.domain.databases import DatabasePage
from ssm_tui.domain.nodes import NodePage
from ssm_tui.domain.sessions import Command
from tests.ui.fakes import CONTEXT, MAYBE, NO, YES, FakeCloud, FakeClouds, World, database, node
from tests.ui.screen import started

SHOWN = 30


def a_world() -> tuple[World, FakeCloud]:
    cloud = FakeCloud()
    return World(cloud=cloud, clouds=FakeClouds({CONTEXT: cloud})), cloud


def clouds_of(world: World) -> FakeClouds:
    assert world.clouds is not None
    return world.clouds


async def test_what_is_on_the_screen_is_asked_for_first() -> None:
    nodes = tuple(node(number, f"web-{number:03d}") for number in range(200))
    world, cloud = a_world()
    cloud.pages = [NodePage(nodes)]
    async with started(world) as person:
        await person.sees("Nodes 200")
        await person.press("end")
        await person.sees("web-199")
        await person.press("r")
        await person.until(lambda: len(cloud.looked_at) > 1)
    looked_at = cloud.looked_at[-1]
    assert nodes[-1].id in looked_at
    assert nodes[0].id not in looked_at
    assert len(looked_at) < SHOWN


async def test_what_a_session_taught_is_on_every_row_at_once() -> None:
    world, cloud = a_world()
    nodes = tuple(node(number, f"web-{number}") for number in range(3))
    cloud.pages = [NodePage(nodes)]
    cloud.answers = {each.id: everywhere(MAYBE) for each in nodes}
    async with started(world) as person:
        await person.sees("? ? ? ?")
        # A tunnel, say, was refused for its document: that is so on every node.
        cloud.answers = {each.id: everywhere(MAYBE).having(SessionKind.FORWARD, NO) for each in nodes}
        for tell in clouds_of(world).listeners:
            tell(CONTEXT)
        await person.sees("? – ? ?")
        assert cloud.asked[-1] == tuple(each.id for each in nodes)


async def test_a_shell_of_the_aws_clis_own_call_is_learned_from() -> None:
    world, cloud = a_world()
    world.shells.command = Command(("aws",))
    only = node(1, "web-1")
    cloud.pages = [NodePage((only,))]
    cloud.answers = {only.id: replace(everywhere(MAYBE), ssh=YES)}
    async with started(world) as person:
        await person.sees("? ? ? h")
        await person.press("enter")
        await person.sees("s ? ? h")
        await person.until(lambda: cloud.learned)
    spec, refusal = cloud.learned[0]
    assert (spec.target, spec.kind, refusal) == (only.id, SessionKind.SHELL, None)


async def test_verdicts_are_believed_for_a_while() -> None:
    world, cloud = a_world()
    cloud.pages = [NodePage((node(1, "web-1"), node(2, "web-2")))]
    async with started(world) as person:
        await person.sees("● fresh")
        asked = [2]
        for minutes, expected in ((2, 0), (2, 0), (7, 2), (2, 0)):
            world.now += timedelta(minutes=minutes)
            await person.press("down")
            person.home._tick()
            asked.append(expected)
            await person.until(lambda: list(map(len, cloud.asked)) == asked)


async def test_a_database_says_whether_iam_lets_one_log_in() -> None:
    world, cloud = a_world()
    cloud.login = NO
    cloud.pages = [NodePage((node(1, "web-1"),))]
    cloud.database_list = [DatabasePage((database("orders", iam_auth=True), database("stock")))]
    async with started(world) as person:
        await person.press("2")
        await person.sees("orders")
        await person.sees("denied: no statement allows")
        await person.press("down")
        await person.sees_no("iam login")
