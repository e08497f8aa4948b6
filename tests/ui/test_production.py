"""What the settings mark as production is asked about before a session there, once for a key, by its name."""

from __future__ import annotations

import pytest

from ssm_tui.domain.databases import DatabasePage
from ssm_tui.domain.production import parse_mark
from ssm_tui.domain.saved import SavedTunnel
from ssm_tui.ui.services import UiSettings
from tests.ui.fakes import NETWORK, FakeDirectory, FakeHandOver, World, database
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started
from tests.ui.test_sessions import go_to, runs


def guarded() -> World:
    """Nodes with env=prod, and one database."""
    world = small_world()
    world.cloud.database_list = [DatabasePage((database("orders", tags={"env": "prod"}), database("test")), NETWORK)]
    world.settings = UiSettings(production=parse_mark("env=prod"))
    return world


async def on_databases(person: Person, key: str) -> None:
    await person.press("2")
    await person.sees("✓ ")
    await person.press(key)


async def test_a_shell_in_production_begins_after_a_yes() -> None:
    world = guarded()
    async with started(world) as person:
        await go_to(person, "web-2")
        await person.press("enter")
        await person.sees("is production: env=prod")
        await person.sees("web-2 (i-000000000000000b2)")
        await person.press("n")
        await person.sees_no("is production")
        assert not world.shells.prepared
        await person.press("enter")
        await person.sees("y start the shell")
        await person.press("y")
        await person.until(lambda: runs(world))
        assert len(runs(world)) == 1


async def test_other_nodes_are_not_asked_about() -> None:
    world = guarded()
    async with started(world) as person:
        await go_to(person, "web-10")
        await person.press("enter")
        await person.until(lambda: runs(world))


@pytest.mark.parametrize("yes", [True, False])
async def test_a_tunnel_to_a_database_in_production(yes: bool) -> None:
    world = guarded()
    async with started(world) as person:
        await on_databases(person, "home")
        await person.press("enter")
        await person.sees("orders is production: env=prod")
        await person.press("y" if yes else "escape")
        await person.sees_no("is production")
        await person.until(lambda: bool(world.tunnels.statuses()) is yes)
        await person.press("down", "enter")
        await person.until(lambda: "test" in {status.request.title for status in world.tunnels.statuses()})


async def test_a_forward_names_those_that_are_production() -> None:
    world = guarded()
    async with started(world) as person:
        await person.press("ctrl+a", "f")
        await person.sees("and 3 others are")
        await person.sees("production: env=prod")
        await person.press("y")
        await person.sees("Forward")


async def test_a_desktop_in_production() -> None:
    world = guarded()
    async with started(world) as person:
        await go_to(person, "legacy-batch")
        await person.press("R")
        await person.sees("y show its desktop")
        await person.press("n")
        await person.sees_no("production")
        assert not world.tunnels.statuses()


async def test_a_saved_tunnel_is_asked_about_once_it_is_looked_up() -> None:
    world = guarded()
    world.directory = FakeDirectory((SavedTunnel(name="mine", target="i-000000000000000b1", port=80),))
    world.directory.target = "i-000000000000000b1"
    async with started(world) as person:
        await person.press("3", "enter")
        await person.sees("web-1 (i-000000000000000b1) is production")
        await person.press("n")
        await person.sees("☆ saved")
        assert not world.tunnels.statuses()
        await person.press("enter")
        await person.sees("y open the tunnel")
        await person.press("y")
        await person.until(world.tunnels.statuses)


async def test_without_a_mark_nothing_is_asked() -> None:
    world = small_world()
    async with started(world) as person:
        await go_to(person, "web-2")
        await person.press("enter")
        await person.until(lambda: isinstance(world.hand_over, FakeHandOver) and world.hand_over.runs)
