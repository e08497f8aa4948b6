"""Enter on a node: warnings, waiting, outcomes. The terminal itself is in test_handover."""

from __future__ import annotations

import threading

from ssm_tui.domain.nodes import NodePage, Ping
from ssm_tui.domain.sessions import Command
from ssm_tui.errors import AccessDeniedError, PrerequisiteError
from tests.ui.fakes import FakeHandOver, World, node
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started


async def go_to(person: Person, text: str) -> None:
    """Filters to one row."""
    await person.press("slash")
    await person.type(text)
    await person.sees("Nodes 1/11")
    await person.press("enter")


def runs(world: World) -> list[tuple[Command, str]]:
    assert isinstance(world.hand_over, FakeHandOver)
    return world.hand_over.runs


async def test_enter_hands_the_terminal_to_the_session_and_comes_back() -> None:
    world = small_world()
    async with started(world) as person:
        await go_to(person, "web-10")
        while len(runs(world)) < 3:
            done = len(runs(world))
            await person.press("enter")
            await person.until(lambda: len(runs(world)) > done)  # noqa: B023 - awaited within the turn
        assert runs(world)[0][1] == "web-10 (i-000000000000000b3)"
        assert {spec.target for spec in world.shells.prepared} == {"i-000000000000000b3"}
        await person.sees("Nodes 1/11")


async def test_a_denied_node_says_why_and_a_second_enter_tries_anyway() -> None:
    world = small_world()
    async with started(world) as person:
        await go_to(person, "secret")
        await person.press("enter")
        await person.is_told("is denied: no statement allows")
        await person.is_told("press Enter again")
        assert not world.shells.prepared
        await person.press("enter")
        await person.until(lambda: runs(world))
        # StartSession let us in: its answer stands above the simulation's.
        await person.sees("allowed: a session of this kind was started")


async def test_start_sessions_denial_is_shown_and_remembered() -> None:
    world = small_world()
    world.shells.error = AccessDeniedError("not authorized to perform ssm:StartSession", "ask for it", action="x")
    async with started(world) as person:
        await go_to(person, "web-10")
        await person.press("enter")
        await person.is_told("ask for it")
        await person.sees("– f r")
        assert not runs(world)


async def test_a_node_that_is_not_online_is_asked_about_first() -> None:
    world = small_world()
    async with started(world) as person:
        await go_to(person, "legacy")
        await person.press("enter")
        await person.is_told("its agent has lost the connection, last heard 3 h ago")
        assert not world.shells.prepared


async def test_a_missing_program_is_said_with_its_hint() -> None:
    world = small_world()
    world.shells.error = PrerequisiteError("session-manager-plugin is missing", "install it [/x]")
    async with started(world) as person:
        await go_to(person, "web-10")
        await person.press("enter")
        await person.is_told("session-manager-plugin is missing")
        await person.sees("install it [/x]")


async def test_an_exit_status_is_told() -> None:
    world = small_world()
    world.hand_over = FakeHandOver(status=255)
    async with started(world) as person:
        await go_to(person, "web-10")
        await person.press("enter")
        await person.is_told("ended with status 255")


async def test_escape_gives_up_waiting_and_a_session_that_comes_late_is_ended() -> None:
    world = small_world()
    gate = world.shells.gate = threading.Event()
    async with started(world) as person:
        await go_to(person, "web-10")
        await person.press("enter")
        await person.sees("Starting a shell on web-10")
        await person.press("escape")
        await person.sees_no("Starting a shell")
        gate.set()
        await person.until(lambda: world.cloud.terminated == ["s-1"])
        assert not runs(world)
        await person.press("enter")
        await person.until(lambda: runs(world))


async def test_without_a_terminal_a_shell_is_refused_with_a_reason() -> None:
    world = small_world()
    world.hand_over = None
    async with started(world) as person:
        await go_to(person, "web-10")
        await person.press("enter")
        await person.is_told("There is no terminal here")
        assert not world.shells.prepared


async def test_enter_typed_ahead_of_the_filter_acts_on_what_was_filtered() -> None:
    world = small_world()
    async with started(world) as person:
        await person.sees("web-10")
        await person.type("/web-10\r\r\r")
        await person.sees("Nodes 1/11")
        await person.press("enter")
        await person.until(lambda: runs(world))
        assert {spec.target for spec in world.shells.prepared} == {"i-000000000000000b3"}


async def test_letters_typed_ahead_of_the_filters_end_are_keys_of_the_list() -> None:
    async with started(small_world()) as person:
        # From the first row: which one is highlighted hangs on whether the first page was shown without the second.
        await person.type("g/web\rjf")
        await person.sees("Forward through legacy-batch")
        await person.press("escape")
        await person.sees("Nodes 6/11")
        assert "/ web " in person.text()


async def test_an_unmanaged_node_says_what_to_check_first() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("a", "slash")
        await person.type("no-role")
        await person.sees("Nodes 1/12")
        await person.press("enter")
        await person.sees("AmazonSSMManagedInstanceCore")
        await person.press("enter")
        await person.is_told("Systems Manager does not know it\ncheck for an instance profile with AmazonSSM")
        await person.press("f")
        await person.sees("Systems Manager does not know it. check for")
        assert not world.shells.prepared


async def test_a_stopped_node_is_said_to_be_stopped() -> None:
    world = small_world()
    world.cloud.pages = [NodePage((node(1, "sleeper", ping=Ping.LOST, state="stopped"),))]
    async with started(world) as person:
        await person.press("enter")
        await person.is_told("the instance is stopped\nstart it")
        await person.press("enter")
        await person.until(lambda: runs(world))
