"""R on a Windows node: the tunnel to its remote desktop, the address copied, the client started."""

from __future__ import annotations

import pytest

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import PrerequisiteError
from tests.ui.fakes import CONTEXT, FakeHandOver, World
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

WINDOWS = "legacy-batch"


async def go_to(person: Person, text: str) -> None:
    await person.press("slash")
    await person.type(text)
    await person.sees("Nodes 1/11")
    await person.press("enter")


async def wanted(person: Person, world: World) -> None:
    """The key, and the tunnel that it opens."""
    await go_to(person, WINDOWS)
    await person.press("R")
    await person.until(world.tunnels.statuses)


async def test_the_address_is_copied_and_the_client_started_once_the_tunnel_stands() -> None:
    world = small_world()
    world.desktops.client = ("/usr/bin/remmina", "-c")
    async with started(world) as person:
        await wanted(person, world)
        (status,) = world.tunnels.statuses()
        request = status.request
        assert (request.context, request.target, request.port, request.host) == (
            CONTEXT,
            "i-000000000000000d1",
            3389,
            "",
        )
        assert not world.clipboard.copied
        world.tunnels.become(1, TunnelState.READY, local_port=3390)
        await person.is_told("remmina shows the desktop; 127.0.0.1:3390 copied to the clipboard")
        assert [command.argv for command in world.desktops.started] == [("/usr/bin/remmina", "-c", "127.0.0.1:3390")]
        assert world.clipboard.copied == ["127.0.0.1:3390"]
        # What the tunnel becomes later starts nothing; the key again uses the tunnel there is.
        world.tunnels.become(1, TunnelState.DEGRADED, local_port=3390)
        world.tunnels.become(1, TunnelState.READY, local_port=3390)
        await person.press("R")
        await person.until(lambda: len(world.desktops.started) == 2)
        assert len(world.tunnels.statuses()) == 1


async def test_without_a_client_the_address_is_there_to_be_used() -> None:
    world = small_world()
    async with started(world) as person:
        await wanted(person, world)
        world.tunnels.become(1, TunnelState.READY, local_port=3389)
        await person.is_told("127.0.0.1:3389 copied")
        await person.is_told("none was found here")


async def test_a_client_that_asks_on_the_terminal_is_given_it() -> None:
    world = small_world()
    world.desktops.client, world.desktops.asks_here = ("xfreerdp",), True
    async with started(world) as person:
        await wanted(person, world)
        world.tunnels.become(1, TunnelState.READY, local_port=3389)
        assert isinstance(world.hand_over, FakeHandOver)
        runs = world.hand_over.runs
        await person.until(lambda: runs)
        assert runs[0][0].argv == ("xfreerdp", "127.0.0.1:3389")
        assert not world.desktops.started


async def test_a_client_that_fails_is_told_of() -> None:
    world = small_world()
    world.desktops.client, world.desktops.status = ("remmina",), 1
    async with started(world) as person:
        await wanted(person, world)
        world.tunnels.become(1, TunnelState.READY, local_port=3389)
        await person.is_told("remmina ended with status 1")


async def test_a_tunnel_that_fails_starts_nothing() -> None:
    world = small_world()
    world.desktops.client = ("remmina",)
    async with started(world) as person:
        await wanted(person, world)
        error = PrerequisiteError("no way", "none")
        world.tunnels.become(1, TunnelState.FAILED, message=error.message)
        world.tunnels.become(1, TunnelState.READY, local_port=3389)
        await person.until(lambda: True)
        assert not world.desktops.started
        assert not world.clipboard.copied


@pytest.mark.parametrize(("name", "shown"), [(WINDOWS, True), ("web-10", False)])
async def test_the_key_is_shown_where_there_is_a_desktop(name: str, shown: bool) -> None:
    world = small_world()
    async with started(world, size=(200, 40)) as person:
        await go_to(person, name)
        await person.sees("R Desktop") if shown else await person.sees_no("R Desktop")
        await person.press("R")
        await person.until(lambda: bool(world.tunnels.statuses()) is shown)
