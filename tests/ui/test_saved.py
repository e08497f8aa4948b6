"""Saved tunnels and groups as rows and keys, and what a power cut left over."""

from __future__ import annotations

import threading
from datetime import timedelta

from ssm_tui.domain.saved import SavedTunnel
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState
from ssm_tui.errors import TargetError
from tests.ui.fakes import CONTEXT, NOW, FakeDirectory, FakeLeftOver, World
from tests.ui.fleet import small_world
from tests.ui.screen import started
from tests.ui.test_tunnels_view import quiet, tunnel

ORDERS = SavedTunnel(name="my-orders", database="orders")
CACHE = SavedTunnel(name="my-cache", target="web-1", port=6379, host="cache.internal", on_demand=True)
LEDGER = SavedTunnel(name="my-ledger", database="ledger/writer")


def world_with(*saved: SavedTunnel, **groups: tuple[str, ...]) -> World:
    world = small_world()
    world.directory = FakeDirectory(saved, groups)
    return world


def running(world: World) -> list[str]:
    return [s.request.name for s in world.tunnels.statuses() if not s.state.ended]


async def test_a_saved_tunnel_is_a_row_that_enter_brings_up_and_stop_takes_down() -> None:
    world = world_with(ORDERS, CACHE)
    async with started(world, size=(80, 24)) as person:
        await person.press("3")
        await person.sees("☆ saved")
        assert "Tunnels 0" in person.text()
        await person.press("down")
        assert "my-cache" in person.line_with("▌")
        await person.press("enter")
        await person.until(lambda: running(world) == ["my-cache"])
        world.tunnels.become(1, TunnelState.READY, local_port=6379, message="")
        await person.until(lambda: "● ready" in person.line_with("▌ my-cache"))
        assert "☆ saved" in person.line_with("my-orders")
        await quiet(person)
        await person.press("s")
        await person.until(lambda: "☆ saved" in person.line_with("▌ my-cache"))
        assert running(world) == []


async def test_while_it_is_looked_up_the_row_says_so_and_stop_gives_it_up() -> None:
    world = world_with(ORDERS)
    gate = world.directory.gate = threading.Semaphore(0)
    async with started(world) as person:
        await person.press("3", "enter")
        await person.sees("finding out where it leads")
        await person.sees("◐ starting")
        await person.press("enter", "s")
        await person.sees("☆ saved")
        gate.release()
        await person.until(lambda: not person.home._saved.looked_up)
        assert not world.tunnels.statuses()
        await person.press("enter")
        gate.release()
        await person.until(lambda: running(world) == ["my-orders"])


async def test_what_is_wrong_with_it_is_told() -> None:
    world = world_with(ORDERS)
    world.directory.error = TargetError("no database is called 'orders'", "db lists them")
    async with started(world) as person:
        await person.press("3", "enter")
        await person.is_told("my-orders: no database is called 'orders'\ndb lists them")
        await person.sees("☆ saved")


async def test_a_failed_one_is_tried_again_in_its_row() -> None:
    world = world_with(ORDERS)
    async with started(world) as person:
        await person.press("3", "enter")
        await person.until(lambda: running(world) == ["my-orders"])
        world.tunnels.become(1, TunnelState.FAILED, message="denied")
        await person.sees("✗ failed")
        await person.press("enter")
        await person.until(lambda: running(world) == ["my-orders"])
        await person.sees_no("✗ failed")
        assert sum("my-orders" in line for line in person.lines()[2:8]) == 1


async def test_the_only_group_goes_up_and_down_with_one_key() -> None:
    world = world_with(ORDERS, CACHE, LEDGER, work=("my-orders", "my-ledger"))
    async with started(world) as person:
        await person.press("3")
        await person.sees("u Groups")
        await person.press("u")
        await person.is_told("Bringing up work: my-orders, my-ledger")
        await person.until(lambda: sorted(running(world)) == ["my-ledger", "my-orders"])
        for number in (1, 2):
            world.tunnels.become(number, TunnelState.READY, local_port=5000 + number, connections=number)
        await person.is_told("2 tunnels are ready: ")
        await quiet(person)
        await person.press("u")
        await person.sees("Take the group work down?")
        await person.sees("3 connections")
        await person.press("y")
        await person.until(lambda: not running(world))


async def test_of_several_groups_one_is_chosen_and_half_a_group_is_completed() -> None:
    world = world_with(ORDERS, CACHE, LEDGER, work=("my-orders", "my-ledger"), play=("my-cache",))
    async with started(world, size=(80, 24)) as person:
        await person.press("3", "enter")
        await person.until(lambda: running(world) == ["my-orders"])
        await person.press("u")
        await person.sees("work  1 of 2 up  my-orders, my-ledger")
        await person.sees("play  0 of 1 up  my-cache")
        await person.press("1")
        await person.until(lambda: sorted(running(world)) == ["my-ledger", "my-orders"])
        await person.press("u")
        await person.sees("work  2 of 2 up")
        await person.press("escape")
        await person.sees_no("2 of 2")


async def test_a_group_of_which_one_cannot_come_up_goes_down_all_the_same() -> None:
    world = world_with(ORDERS, CACHE, work=("my-orders", "my-cache"))
    async with started(world, size=(80, 24)) as person:
        await person.press("3", "enter")
        await person.until(lambda: running(world) == ["my-orders"])
        await person.press("u")
        await person.sees("work  1 of 2 up")
        await person.sees("s down")
        await person.press("s")
        await person.until(lambda: not running(world))
        await person.is_told("my-orders stopped; its port is free.")


async def test_what_ended_gives_its_row_to_the_same_tunnel_opened_elsewhere() -> None:
    world = world_with(ORDERS)
    request = TunnelRequest(CONTEXT, "i-1", 5432, host="db", name="my-orders")
    async with started(world) as person:
        await person.press("3")
        for state, seconds in ((TunnelState.FAILED, 0), (TunnelState.FAILED, 1), (TunnelState.READY, 2)):
            number = world.tunnels.open(request)
            since = NOW + timedelta(seconds=seconds)
            world.tunnels.become(number, state, since=since, local_port=5000 + seconds, detached=True)
        await person.sees("⌁ my-orders  ● ready")
        assert sum("my-orders" in line for line in person.lines()[2:8]) == 1
        # Somebody else's attempt that fails later has a row of its own, and leaves the one that runs alone.
        number = world.tunnels.open(request)
        world.tunnels.become(number, TunnelState.FAILED, message="taken", since=NOW + timedelta(seconds=3))
        await person.sees("✗ failed")
        assert "● ready" in person.line_with("▌ ⌁ my-orders")


async def test_without_groups_their_key_is_not_offered() -> None:
    async with started(world_with(ORDERS)) as person:
        await person.press("3", "u")
        await person.sees("☆ saved")
        assert "u Groups" not in person.text()


async def test_a_tunnel_opened_by_hand_stands_above_the_saved_ones_and_moves_no_highlight() -> None:
    world = world_with(ORDERS, CACHE)
    async with started(world) as person:
        await person.press("3", "down")
        tunnel(world, "by-hand")
        await person.sees("by-hand")
        assert "my-cache" in person.line_with("▌")


LEFT = tuple(TunnelRequest(CONTEXT, "i-1", 5432, name, title=name) for name in ("orders", "cache", "ledger"))


async def test_what_a_power_cut_ended_is_offered_without_taking_a_key() -> None:
    world = small_world()
    world.left_over = FakeLeftOver(LEFT)
    async with started(world, size=(80, 24)) as person:
        await person.sees("3 tunnels were open when ssm-tui was cut off: orders, cache, ledger")
        await person.sees("o opens them again or forgets them")
        await person.press("down", "slash")
        await person.type("foo")
        await person.sees("/ foo")
        await person.press("escape", "escape")
        assert not world.tunnels.statuses()
        await person.press("o")
        await person.sees("y open them again")
        await person.press("y")
        await person.until(lambda: [s.request for s in world.tunnels.statuses()] == list(LEFT))
        await person.sees_no("cut off")
        assert world.left_over.forgotten == 1


async def test_it_is_forgotten_or_left_for_later() -> None:
    world = small_world()
    world.left_over = FakeLeftOver(LEFT[:1])
    async with started(world) as person:
        await person.sees("1 tunnel was open when ssm-tui was cut off: orders")
        await person.press("o", "n")
        await person.sees("cut off")
        assert world.left_over.forgotten == 0
        await person.press("o", "f")
        await person.sees_no("cut off")
        await person.until(lambda: world.left_over.forgotten == 1)
        assert not world.tunnels.statuses()
        await person.press("o")
        assert person.app.screen is person.home


async def test_what_was_opened_meanwhile_is_not_offered_a_second_time() -> None:
    world = small_world()
    world.left_over = FakeLeftOver(LEFT[:2])
    world.tunnels.open(LEFT[1])
    async with started(world) as person:
        await person.sees("1 tunnel was open when ssm-tui was cut off: orders")
        world.tunnels.open(LEFT[0])
        await person.sees_no("cut off")
        await person.press("o")
        assert person.app.screen is person.home
