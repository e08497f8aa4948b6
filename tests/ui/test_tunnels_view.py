"""The tunnels view: every state by symbol and word, countdowns, what is carried, a tunnel's lines, trying again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Static

from ssm_tui.domain.tunnels import Connection, Traffic, TunnelEvent, TunnelRequest, TunnelState, Way
from ssm_tui.errors import SessionError
from tests.ui.fakes import CONTEXT, HOSTILE, NOW, DetachableTunnels
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

if TYPE_CHECKING:
    from tests.ui.fakes import World

SHOWN = {
    TunnelState.STARTING: "◐ starting",
    TunnelState.IDLE: "◌ idle",
    TunnelState.READY: "● ready",
    TunnelState.DEGRADED: "◍ degraded",
    TunnelState.RECONNECTING: "↻ reconnecting",
    TunnelState.PAUSED: "‖ paused",
    TunnelState.STOPPING: "◑ stopping",
    TunnelState.FAILED: "✗ failed",
}


def tunnel(world: World, name: str, state: TunnelState = TunnelState.READY, **facts: object) -> int:
    """A tunnel of this name in a state."""
    number = world.tunnels.open(TunnelRequest(CONTEXT, "i-1", 5432, host=f"{name}.internal", title=name))
    world.tunnels.become(number, state, **{"local_port": 5000 + number, "message": "", **facts})  # type: ignore[arg-type]  # facts of a status
    return number


async def quiet(person: Person) -> None:
    """Without the toasts that lie over the list."""
    await person.until(lambda: not person.home._news._changed)
    person.app.clear_notifications()
    await person.until(lambda: not person.app.screen.query("Toast"))


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_every_state_is_said_by_a_symbol_and_a_word(size: tuple[int, int]) -> None:
    world = small_world()
    async with started(world, size=size) as person:
        for state in SHOWN:
            tunnel(world, f"a-{state.value}", state)
        await person.press("3")
        await quiet(person)
        for state, words in SHOWN.items():
            found = [line for line in person.lines() if f"a-{state.value} " in line and words in line]
            assert len(found) == 1, person.text()
        assert "Tunnels 8" in person.text()


async def test_the_head_line_ends_before_the_last_column() -> None:
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        for name, state in [("a", TunnelState.PAUSED), ("b", TunnelState.RECONNECTING), ("c", TunnelState.READY)]:
            tunnel(world, name, state)
        await person.sees("1 paused, 1 reconnecting ")
        assert len(person.lines()[0].rstrip()) == 79


async def test_the_details_name_the_node_it_goes_through_and_those_that_stand_by() -> None:
    world = small_world()
    relay, *others = (Way(f"i-{n}", f"relay-{n}") for n in (1, 2, 3))
    request = TunnelRequest(CONTEXT, relay.target, 5432, host="db", title="db", label=relay.label, others=tuple(others))
    async with started(world, size=(120, 35)) as person:
        world.tunnels.become(world.tunnels.open(request), TunnelState.READY, local_port=5432, via=others[0])
        await person.press("3")
        await person.sees("stands by   relay-1, relay-3")
        assert "relay-2" in person.line_with("through")


async def test_the_head_line_tells_what_is_not_well() -> None:
    world = small_world()
    async with started(world, size=(160, 35)) as person:
        tunnel(world, "a")
        tunnel(world, "b", TunnelState.RECONNECTING)
        tunnel(world, "c", TunnelState.IDLE)
        await person.sees("⇄ 3 tunnels, 1 reconnecting ")
        tunnel(world, "d", TunnelState.PAUSED)
        tunnel(world, "e", TunnelState.FAILED)
        await person.sees("⇄ 4 tunnels, 1 failed, 1 paused, … ")


async def test_the_time_until_the_next_try_counts_down_and_paints_one_line() -> None:
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        for number in range(6):
            tunnel(world, f"well-{number}")
        due = NOW + timedelta(seconds=9)
        tunnel(world, "ill", TunnelState.RECONNECTING, next_try=due, message="the network is down")
        await person.press("3")
        await quiet(person)
        await person.sees("next try in 9 s: the n")
        table = person.home._lists.tunnels
        painted = table.painted
        world.now = NOW + timedelta(seconds=3)
        await person.sees("next try in 6 s: the n")
        assert table.painted - painted == 1
        world.now = due
        await person.sees("trying again: the netw")


async def test_nothing_is_looked_at_by_the_second_where_it_is_not_shown() -> None:
    world = small_world()
    async with started(world) as person:
        tunnel(world, "orders", TunnelState.DEGRADED, connections=1)
        await person.press("3")
        await person.until(lambda: world.tunnels.asked)
        second = person.home._seconds
        assert second is not None

        def ticks() -> bool:
            return bool(second._active.is_set())

        assert ticks()
        await person.press("1")
        await person.until(lambda: not ticks())


async def test_bytes_and_width_are_shown_in_units_of_people() -> None:
    world = small_world()
    async with started(world, size=(160, 35)) as person:
        tunnel(world, "dump", traffic=Traffic(4, 1_234, 34_000_000), sessions=4)
        await person.press("3")
        await quiet(person)
        row = person.line_with("▌ dump")
        assert row.split("127.0.0.1:5001")[1].split()[:6] == ["4", "×4", "1.2", "KB", "34", "MB"]


async def test_the_details_tell_what_is_carried_through_whom_and_what_was_tried() -> None:
    world = small_world()
    async with started(world, size=(120, 50)) as person:
        number = tunnel(
            world,
            "orders",
            connections=1,
            via=Way("i-2", "relay-b"),
            sessions=2,
        )
        world.tunnels.clients[number] = (Connection("127.0.0.1:50123", NOW - timedelta(minutes=3), 812, 3_400_000),)
        await person.press("3")
        await person.sees("127.0.0.1:50123 for 3 min, sent 812 B, received 3.4 MB")
        await person.sees("relay-b")
        await person.sees("2 of at most 4")
        world.tunnels.events[number] = (
            TunnelEvent(NOW, TunnelState.READY, "reached orders.internal:5432"),
            TunnelEvent(NOW, TunnelState.RECONNECTING, "the agent does not answer"),
        )
        due = NOW + timedelta(seconds=40)
        world.tunnels.become(
            number, TunnelState.RECONNECTING, connections=0, message="no agent", hint="is it up?", next_try=due
        )
        await person.sees("reconnecting: next try in 40 s: no agent")
        await person.sees("is it up?")
        await person.sees("reconnecting: the agent does not answer")


async def test_l_shows_the_tunnels_own_lines_follows_them_and_copies_them() -> None:
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        number = tunnel(world, HOSTILE)
        events = tuple(TunnelEvent(NOW, TunnelState.RECONNECTING, f"try {at} {HOSTILE}") for at in range(40))
        world.tunnels.events[number] = events
        await person.press("3")
        await quiet(person)
        await person.press("l")
        await person.sees("Log · [/x]␛]0;pwned␇")
        await person.sees("try 39 [/x]␛]0;pwned␇")
        world.tunnels.events[number] = (*events, TunnelEvent(NOW, TunnelState.READY, "back again"))
        await person.sees("● ready")
        await person.sees("back again")
        await person.press("g")
        await person.sees("try 0 ")
        world.tunnels.events[number] = (*events, TunnelEvent(NOW, TunnelState.FAILED, "gone for good"))
        await person.until(lambda: "gone for good" in str(person.app.screen.query_one(Static).render()))
        assert "try 0 " in person.text(), "who has scrolled up stays there"
        await person.press("y")
        await person.until(lambda: world.clipboard.copied)
        assert world.clipboard.copied[0].count("\n") == 41
        assert "failed        gone for good" in world.clipboard.copied[0]
        await person.press("escape")
        await person.sees_no("Log ·")


async def test_r_tries_at_once_what_waits_and_opens_again_what_failed() -> None:
    world = small_world()
    async with started(world) as person:
        number = tunnel(world, "orders", TunnelState.RECONNECTING, next_try=NOW + timedelta(seconds=99))
        await person.press("3")
        await person.sees("next try in 1 min")
        await person.press("r")
        await person.until(lambda: world.tunnels.retried == [number])
        world.tunnels.become(number, TunnelState.READY)
        await person.sees("● ready")
        await quiet(person)
        await person.press("r")
        await person.is_told("orders is ready: there is nothing to try again.")
        world.tunnels.become(number, TunnelState.FAILED, message="access denied")
        await person.sees("✗ failed")
        await person.press("r")
        await person.until(lambda: len(world.tunnels.statuses()) == 2)
        await person.sees_no("✗ failed")
        assert world.tunnels.retried == [number]


async def test_a_connection_string_can_be_copied_while_the_session_is_replaced() -> None:
    world = small_world()
    async with started(world) as person:
        tunnel(world, "orders", TunnelState.RECONNECTING)
        await person.press("3")
        await person.sees("↻ reconnecting")
        await person.press("y", "enter")
        await person.until(lambda: world.clipboard.copied == ["127.0.0.1:5001"])


async def test_b_leaves_a_tunnel_running() -> None:
    world = small_world()
    world.tunnels = tunnels = DetachableTunnels()
    async with started(world) as person:
        tunnel(world, "orders")
        await person.press("3")
        await quiet(person)
        await person.sees("b Background")
        tunnels.refusal = SessionError("the supervisor has another environment", "stop it first")
        await person.press("b")
        await person.is_told("the supervisor has another environment\nstop it first")
        tunnels.refusal = None
        await person.press("b")
        await person.is_told("orders goes on when ssm-tui is left.")
        await person.sees("⌁ orders")
        await person.sees("goes on without ssm-tui")
        await person.press("b")
        await person.is_told("orders goes on without ssm-tui already")


async def test_where_tunnels_cannot_be_left_running_the_key_is_not_offered() -> None:
    world = small_world()
    async with started(world) as person:
        tunnel(world, "orders")
        await person.press("3")
        await quiet(person)
        await person.press("b")
        assert "Background" not in person.text()
        assert not person.app.screen.query("Toast")
