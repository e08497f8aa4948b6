"""Databases, tunnels, forwards, copying and leaving."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ssm_tui.domain.tunnels import TunnelRequest, TunnelState
from ssm_tui.errors import PortError
from ssm_tui.store.client_files import ClientFiles
from tests.ui.fakes import CONTEXT, FakeTunnels, World
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started


async def open_orders(world: World, person: Person, *, connections: int = 0) -> None:
    """The tunnel to `orders`, ready."""
    await person.press("2")
    await person.sees("✓ ")
    await person.press("end", "t")
    await person.sees("◐ starting")
    world.tunnels.become(1, TunnelState.READY, local_port=5432, message="", connections=connections)
    await person.sees("⇄ 127.0.0.1:5432")


async def test_databases_show_the_relay_and_why() -> None:
    async with started(small_world()) as person:
        await person.press("2")
        await person.sees("Databases 4")
        await person.sees("✓ ")
        await person.until(lambda: "✗ no relay" in person.line_with("far-away"))
        await person.press("down")
        await person.sees("no node that Systems Manager knows is in vpc-9")
        await person.press("slash")
        await person.type("reachable:no")
        await person.sees("Databases 2/4")


async def test_a_tunnel_is_opened_and_its_connection_string_copied() -> None:
    world = small_world()
    async with started(world) as person:
        await open_orders(world, person)
        await person.is_told("orders is at 127.0.0.1:5432")
        request = world.tunnels.statuses()[0].request
        assert (request.host, request.port) == ("orders.abc123.eu-west-1.rds.amazonaws.com", 5432)
        await person.press("y")
        await person.sees("1 url")
        # The whole of it, and what is checked, below the list.
        await person.sees("who signed it, and that it names the endpoint")
        await person.press("enter")
        server = "orders.abc123.eu-west-1.rds.amazonaws.com"
        query = "hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=/rds.pem"
        await person.until(lambda: world.clipboard.copied == [f"postgresql://app@{server}:5432/app?{query}"])
        await person.is_told("url copied to the clipboard")


async def test_what_a_client_cannot_check_is_said_before_it_is_copied() -> None:
    world = small_world()
    async with started(world) as person:
        await open_orders(world, person)
        await person.press("y")
        await person.sees("names the endpoint")
        await person.press("down", "down", "down")
        await person.sees("not that it names the endpoint")
        await person.press("enter")
        await person.is_told("jdbc copied to the clipboard")
        assert world.clipboard.copied[0].startswith("jdbc:postgresql://127.0.0.1:5432/app?user=app&sslmode=verify-ca")


async def test_every_format_can_be_read_on_a_small_screen() -> None:
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        await open_orders(world, person)
        await person.press("y")
        await person.sees("1 url")
        await person.sees("↵ copies · 1-9 at once · Esc leaves")
        await person.sees("hostaddr=127.0.0.1&sslmode=verify-full")  # not cut
        await person.press("end", "up")
        await person.sees("endpoint")
        await person.press("up", "up")
        await person.sees("psql service=orders")


async def test_an_entry_is_written_where_the_client_looks(tmp_path: Path) -> None:
    world = small_world()
    world.client_files = ClientFiles(tmp_path / "state", {"PGSERVICEFILE": str(tmp_path / "services")})
    async with started(world) as person:
        await open_orders(world, person)
        for _ in range(2):
            await person.press("y")
            await person.sees("Copy · orders")
            await person.press("end", *["up"] * 3)
            await person.sees("writes an entry where the client looks")
            await person.press("enter")
            await person.is_told("psql service=orders")
            await person.sees_no("Copy · orders")
    assert (tmp_path / "services").read_text().count("[orders]") == 1
    assert not world.clipboard.copied


async def test_an_entry_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    world = small_world()
    world.client_files = ClientFiles(tmp_path / "state", {"PGSERVICEFILE": str(tmp_path)})
    async with started(world) as person:
        await open_orders(world, person)
        await person.press("y")
        await person.sees("Copy · orders")
        await person.press("end", *["up"] * 3, "enter")
        await person.is_told("is no ordinary file")


async def test_without_a_tunnel_the_copy_menu_offers_to_open_it() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("2")
        await person.sees("✓ ")
        await person.press("end", "y")
        await person.sees("is needed for connection strings: open it now")
        await person.press("1")
        await person.until(lambda: len(world.tunnels.statuses()) == 1)
        await person.sees("◐ starting")


async def test_a_database_without_a_relay_says_why() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("2")
        await person.sees("far-away")
        await person.press("down", "enter")
        await person.is_told("No tunnel to far-away")
        assert not world.tunnels.statuses()


async def test_a_relay_that_is_not_admitted_is_tried_at_the_second_asking() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("2")
        await person.sees("✗ no relay")
        await person.press("enter")
        await person.is_told("sg-db does not admit sg-app on port 6379")
        assert not world.tunnels.statuses()
        await person.press("enter")
        await person.until(lambda: len(world.tunnels.statuses()) == 1)


async def test_a_failed_tunnel_tells_why_and_can_be_tried_again() -> None:
    world = small_world()
    async with started(world) as person:
        await open_orders(world, person)
        world.tunnels.become(1, TunnelState.FAILED, message="the far end refused", hint="does it listen?")
        await person.is_told("orders: the far end refused")
        await person.press("3")
        await person.sees("✗ failed")
        await person.press("enter")
        await person.until(lambda: len(world.tunnels.statuses()) == 2)
        await person.sees("◐ starting")
        assert "Tunnels 1" in person.text()


async def test_stopping_asks_first_where_connections_would_end() -> None:
    world = small_world()
    async with started(world) as person:
        await open_orders(world, person, connections=2)
        await person.press("3")
        await person.sees("● ready")
        await person.press("s")
        await person.sees("orders carries 2 connections.")
        await person.press("n")
        await person.sees_no("carries 2")
        assert world.tunnels.statuses()[0].state is TunnelState.READY
        await person.press("x")
        await person.sees("orders carries 2 connections.")
        await person.press("y")
        await person.sees("No tunnels.")
        assert world.tunnels.statuses()[0].state is TunnelState.STOPPED


async def test_a_forward_is_checked_and_shows_its_command() -> None:
    world = small_world()
    async with started(world) as person:
        await person.sees("half-known")
        await person.press("down", "f")
        await person.sees("Forward through half-known")
        await person.press("enter")
        await person.sees("which port?")
        await person.type("70000")
        await person.sees("70000 is not a port")
        await person.press("enter")
        assert not world.tunnels.statuses()
        await person.press(*["backspace"] * 5)
        await person.type("6379")
        await person.press("tab")
        await person.type("cache.local")
        await person.press("tab")
        await person.type("16379")
        await person.sees("AWS-StartPortForwardingSessionToRemoteHost")
        await person.press("enter")
        await person.sees("cache.local:6379")
        request = world.tunnels.statuses()[0].request
        assert request == TunnelRequest(
            CONTEXT,
            "i-000000000000000e2",
            6379,
            "cache.local",
            16379,
            title="cache.local:6379",
            label="half-known (i-000000000000000e2)",
        )
        await person.sees("Tunnels 1")


class BusyPort(FakeTunnels):
    """Refuses every tunnel."""

    def open(self, request: TunnelRequest) -> int:
        raise PortError(f"port {request.local_port} is taken", "choose another with --local-port")


async def test_a_refused_forward_is_said() -> None:
    world = small_world()
    world.tunnels = BusyPort()
    async with started(world) as person:
        await person.sees("half-known")
        await person.press("f")
        await person.sees("Forward through")
        await person.type("80")
        await person.press("enter")
        await person.is_told("choose another")


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_asks_first_where_connections_would_end(key: str) -> None:
    world = small_world()
    async with started(world) as person:
        await open_orders(world, person, connections=1)
        await person.press(key)
        await person.sees("1 tunnel still carries 1 connection: orders.")
        await person.press("escape")
        await person.sees_no("still carries")
        assert person.app.is_running
        await person.press(key)
        await person.sees("still carries")
        await person.press("y")
        await person.until(lambda: world.tunnels.closed)
    assert world.tunnels.statuses()[0].state is TunnelState.STOPPED


async def test_leaving_stops_idle_tunnels_without_a_question() -> None:
    world = small_world()
    async with started(world) as person:
        await open_orders(world, person)
        await person.press("q")
        await person.until(lambda: world.tunnels.closed)
    assert world.tunnels.statuses()[0].state is TunnelState.STOPPED


async def test_an_open_copy_menu_follows_its_tunnel() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("2")
        await person.sees("✓ ")
        await person.press("end", "t")
        await person.sees("◐ starting")
        await person.press("y")
        await person.sees("is still starting")
        await person.press("down", "down")
        world.tunnels.become(1, TunnelState.READY, local_port=5432, message="")
        await person.sees("datagrip")
        await person.sees_no("is still starting")
        # What was highlighted still is.
        await person.press("enter")
        await person.until(lambda: world.clipboard.copied == ["orders.abc123.eu-west-1.rds.amazonaws.com:5432"])


async def test_databases_whose_nodes_are_still_read_say_so() -> None:
    world = small_world()
    gate = world.cloud.gate = threading.Semaphore(0)
    async with started(world) as person:
        await person.press("2")
        await person.sees("◐ reading")
        await person.until(lambda: "◐ reading" in person.line_with("orders"))
        assert "no relay" not in person.text()
        await person.sees("the nodes that might reach it are still being read")
        await person.press("t")
        await person.is_told("still being read")
        for _ in world.cloud.pages:
            gate.release()
        await person.until(lambda: "✓ " in person.line_with("orders"))
        assert "✗ no relay" in person.line_with("far-away")


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        ("1", ["↵ Shell", "f Forward", "w Why", "y Copy", "/ Filter", "d Details", "? Help", "q Quit"]),
        ("2", ["↵ Tunnel", "w Why", "s Stop", "c Connect", "y Copy", "/ Filter", "d Details", "? Help", "q Quit"]),
        ("3", ["↵ Use", "s Stop", "r Retry", "l Log", "y Copy", "d Details", "? Help", "q Quit"]),
    ],
)
async def test_the_keys_that_matter_are_on_the_last_line_at_80_by_24(view: str, keys: list[str]) -> None:
    async with started(small_world(), size=(80, 24)) as person:
        await person.press(view)
        assert [key for key in keys if key not in person.lines()[-1]] == []


async def test_messages_never_pile_up_over_the_list_and_escape_takes_them_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ssm_tui.ui.flows.news.TOGETHER", 0.02)  # each is told by itself
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        for number in range(1, 7):
            world.tunnels.open(TunnelRequest(CONTEXT, "i-1", number, title=f"far-{number}"))
            world.tunnels.become(number, TunnelState.READY, local_port=9000 + number, message="")
            await person.is_told(f"far-{number} is at 127.0.0.1:900{number}")
        assert len(person.app._notifications) == 3
        await person.press("escape")
        await person.until(lambda: not person.app.screen.query("Toast"))


async def test_why_a_tunnel_failed_is_in_its_row_at_80_by_24_and_it_has_no_address() -> None:
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        world.tunnels.open(TunnelRequest(CONTEXT, "i-1", 5432, title="orders"))
        world.tunnels.become(1, TunnelState.FAILED, local_port=5432, message="connection refused at the far end")
        await person.press("3")
        await person.is_told("connection refused")
        await person.press("escape")
        await person.until(lambda: not person.app.screen.query("Toast"))
        assert "connection refused" in person.line_with("✗ failed")
        assert "127.0.0.1" not in person.line_with("✗ failed")


@pytest.mark.parametrize("dialog", ["question_mark", "f"])
@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_the_keys_that_leave_the_app_leave_a_dialog_first(dialog: str, key: str) -> None:
    async with started(small_world()) as person:
        await person.press(dialog)
        await person.until(lambda: len(person.app.screen_stack) == 2)
        await person.press(key)
        await person.until(lambda: person.app.screen is person.home)
        assert person.app.is_running


async def test_ctrl_c_leaves_the_app_from_the_filter_too() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("slash")
        await person.type("web")
        await person.press("ctrl+c")
        await person.until(lambda: world.tunnels.closed)
