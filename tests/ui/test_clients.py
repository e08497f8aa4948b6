"""c on a database: the tunnel, the login, the client on the terminal, and how long the tunnel stays after it."""

from __future__ import annotations

from typing import Any

import pytest

from ssm_tui.domain.credentials import PasswordMeans
from ssm_tui.domain.databases import DatabasePage
from ssm_tui.domain.production import parse_mark
from ssm_tui.domain.sessions import Command
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import AccessDeniedError
from ssm_tui.ui.absent import NoClients
from ssm_tui.ui.services import UiSettings
from tests.ui.fakes import NETWORK, FakeHandOver, World, database
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

NEEDLE = "s3cret-needle"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1"
FOR_EVER = 3600.0


def world_of(linger: float = FOR_EVER, **facts: Any) -> World:
    world = small_world()
    world.cloud.password = NEEDLE
    world.cloud.database_list = [DatabasePage((database("orders", **facts),), NETWORK)]
    world.settings = UiSettings(client_linger_seconds=linger)
    return world


def runs(world: World) -> list[tuple[Command, str]]:
    assert isinstance(world.hand_over, FakeHandOver)
    return world.hand_over.runs


async def connect(person: Person, key: str = "c") -> None:
    await person.press("2")
    await person.sees("✓ ")
    await person.press(key)


async def stands(person: Person, world: World, **facts: Any) -> None:
    """The tunnel that was opened becomes ready."""
    await person.until(world.tunnels.statuses)
    world.tunnels.become(len(world.tunnels.statuses()), TunnelState.READY, local_port=15432, message="", **facts)


def states(world: World) -> list[TunnelState]:
    return [status.state for status in world.tunnels.statuses()]


async def test_the_client_starts_once_the_tunnel_stands() -> None:
    world = world_of()
    async with started(world) as person:
        await connect(person)
        await person.sees("Opening the tunnel to orders")
        assert not runs(world)
        await stands(person, world)
        await person.until(lambda: runs(world))
        command, title = runs(world)[0]
        assert title == "psql · orders"
        assert command.argv[0] == "/usr/bin/psql"
        assert "hostaddr=127.0.0.1" in command.argv[1]
        assert "port=15432" in command.argv[1]
        assert "PGPASSWORD" not in command.environment
        await person.is_told("The tunnel to orders stays for 3600 s; t keeps it.")
        assert states(world) == [TunnelState.READY]


async def test_a_tunnel_that_is_there_is_used_and_stays() -> None:
    world = world_of(linger=0)
    async with started(world) as person:
        await connect(person, "t")
        await stands(person, world)
        await person.sees("⇄ 127.0.0.1:15432")
        await person.press("c")
        await person.until(lambda: runs(world))
        await person.until(lambda: not person.home._clients._running)
        assert states(world) == [TunnelState.READY]


async def test_a_tunnel_that_was_opened_for_it_is_stopped_after_its_time() -> None:
    world = world_of(linger=0.05)
    async with started(world) as person:
        await connect(person)
        await stands(person, world)
        await person.is_told("orders stopped; its port is free.")
        assert states(world) == [TunnelState.STOPPED]
        assert len(runs(world)) == 1


async def test_it_is_not_stopped_under_somebody_elses_connection() -> None:
    world = world_of(linger=0.01)
    async with started(world) as person:
        await connect(person)
        await stands(person, world, connections=1)
        await person.is_told("stays for 0.01 s")
        await person.until(lambda: runs(world))
        await person.settle()
        assert states(world) == [TunnelState.READY]
        world.tunnels.become(1, TunnelState.READY, connections=0)
        await person.until(lambda: states(world) == [TunnelState.STOPPED])


async def test_t_keeps_it() -> None:
    world = world_of(linger=0.5)
    async with started(world) as person:
        await connect(person)
        await stands(person, world)
        await person.is_told("t keeps it")
        await person.press("t")
        await person.is_told("The tunnel to orders stays until it is stopped.")
        assert not person.home._clients._lingering
        assert states(world) == [TunnelState.READY]


async def test_a_second_client_goes_through_the_tunnel_of_the_first() -> None:
    world = world_of(linger=0.5)
    async with started(world) as person:
        await connect(person)
        await stands(person, world)
        await person.until(lambda: len(runs(world)) == 1)
        await person.sees("⇄ 127.0.0.1:15432")
        await person.press("c")
        await person.until(lambda: len(runs(world)) == 2)
        assert len(world.tunnels.statuses()) == 1
        await person.until(lambda: states(world) == [TunnelState.STOPPED])


async def test_escape_gets_out_of_waiting_and_stops_what_nobody_wants() -> None:
    world = world_of()
    async with started(world) as person:
        await connect(person)
        await person.sees("Opening the tunnel to orders")
        await person.press("escape")
        await person.until(lambda: states(world) == [TunnelState.STOPPED])
        assert not runs(world)


@pytest.mark.parametrize("state", [TunnelState.FAILED, TunnelState.PAUSED])
async def test_a_tunnel_that_does_not_come_up_starts_no_client(state: TunnelState) -> None:
    world = world_of()
    async with started(world) as person:
        await connect(person)
        await person.until(world.tunnels.statuses)
        world.tunnels.become(1, state, message="no way there", hint="i signs in")
        await person.is_told("no way there")
        await person.sees_no("Opening the tunnel")
        assert not runs(world)


@pytest.mark.parametrize(("key", "means"), [("t", PasswordMeans.TOKEN), ("s", PasswordMeans.SECRET), ("a", None)])
async def test_the_password_goes_into_the_environment_alone(key: str, means: PasswordMeans | None) -> None:
    world = world_of(iam_auth=True, secret_arn=ARN)
    async with started(world) as person:
        await connect(person)
        await person.sees("How shall psql log in to orders?")
        await person.press(key)
        await stands(person, world)
        if means is PasswordMeans.TOKEN:
            await person.sees("Log in as")
            await person.press("enter")
        await person.until(lambda: runs(world))
        command, title = runs(world)[0]
        assert command.environment.get("PGPASSWORD") == (NEEDLE if means else None)
        assert NEEDLE not in " ".join((*command.argv, title, repr(command), person.text()))
        assert [asked[1] for asked in world.cloud.passwords_asked] == ([means] if means else [])
        assert not world.clipboard.lent


async def test_without_the_password_no_client_starts() -> None:
    world = world_of(linger=0, secret_arn=ARN)
    world.cloud.refusal = AccessDeniedError("you may not call secretsmanager:GetSecretValue", "ask for it")
    async with started(world) as person:
        await connect(person)
        await person.sees("How shall psql log in")
        await person.press("s")
        await stands(person, world)
        await person.is_told("you may not call secretsmanager:GetSecretValue")
        await person.until(lambda: states(world) == [TunnelState.STOPPED])
        assert not runs(world)


@pytest.mark.parametrize("yes", [True, False])
async def test_production_is_asked_about_once_before_anything(yes: bool) -> None:
    world = world_of(tags={"env": "prod"})
    world.settings = UiSettings(production=parse_mark("env=prod"))
    async with started(world) as person:
        await connect(person)
        await person.sees("y start psql")
        assert not world.tunnels.statuses()
        await person.press("y" if yes else "n")
        if yes:
            await stands(person, world)
        await person.until(lambda: bool(runs(world)) is yes)
        await person.sees_no("is production")


async def test_where_there_is_no_client_it_is_said_and_nothing_opened() -> None:
    world = world_of()
    world.clients = NoClients()
    async with started(world) as person:
        await connect(person)
        await person.is_told("there is no client for postgres here")
        assert not world.tunnels.statuses()


async def test_a_client_that_fails_is_told_of() -> None:
    world = world_of()
    assert isinstance(world.hand_over, FakeHandOver)
    world.hand_over.status = 2
    async with started(world) as person:
        await connect(person)
        await stands(person, world)
        await person.is_told("psql ended with status 2.")


async def test_without_a_terminal_there_is_nowhere_to_run_it() -> None:
    world = world_of()
    world.hand_over = None
    async with started(world) as person:
        await connect(person)
        await person.is_told("no terminal here")
        assert not world.tunnels.statuses()


async def test_c_shows_the_contexts_elsewhere_and_another_key_does_here() -> None:
    world = world_of()
    async with started(world) as person:
        await person.press("c")
        await person.sees("r reads again · i signs in")
        await person.press("escape")
        await person.press("2")
        await person.sees("✓ ")
        await person.press("K")
        await person.sees("r reads again · i signs in")
        assert not world.tunnels.statuses()
