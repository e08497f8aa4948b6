"""The main job in a real terminal: filter, shell and back; database, tunnel, query, copy, stop; every way out."""

from __future__ import annotations

import re
import signal
import socket
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop
from tests.e2e.terminal import Terminal, processes
from tests.wire import Fleet, Wire

pytestmark = pytest.mark.e2e

PROMPT = "~]$"
_UNTIL_CLEARED = 25.0
"""Seconds that a slow call would take. Its client asks again after 30."""


def listed(terminal: Terminal) -> None:
    """The list has been read and access is known."""
    terminal.wait_for(lambda screen: "● fresh" in screen and "s f r" in screen)


def filtered(terminal: Terminal, text: str, shown: str) -> None:
    """Types a filter and leaves its line; `shown` is what the count says then."""
    terminal.send("/")
    terminal.send(text)
    terminal.wait_for(shown)
    terminal.send("enter")


def highlighted(screen: str) -> str:
    """The row with the cursor."""
    return next((line for line in screen.splitlines() if line.startswith("▌")), "")


def first_cell(screen: str) -> str:
    """The highlighted row's name; what else the row says may change under our eyes."""
    return highlighted(screen).removeprefix("▌").strip().partition("  ")[0]


def leave(terminal: Terminal) -> None:
    """Leaves while tunnels are open, and stops them."""
    terminal.send("q")
    terminal.wait_for("Leave ssm-tui?")
    terminal.send("y")
    assert terminal.wait_end() == 0


def listening(terminal: Terminal) -> set[int]:
    """The ports that the app has. The database's usual one may be another test's the moment that it is free."""
    mine = psutil.Process(terminal.process.pid).net_connections("tcp")
    return {each.laddr.port for each in mine if each.status == psutil.CONN_LISTEN}


def _moved_from(here: str, screen: str) -> bool:
    return first_cell(screen) not in ("", here)


def select(terminal: Terminal, name: str) -> None:
    """Moves down to the row that begins with a name."""
    for _ in range(60):
        here = first_cell(terminal.text)
        if here == name:
            return
        terminal.send("down")
        terminal.wait_for(partial(_moved_from, here))
    raise AssertionError(f"no row {name}\n{terminal.text}")


def test_list_filter_shell_and_back_three_times(laptop: Laptop) -> None:
    with laptop.terminal(columns=80, rows=24) as terminal:
        listed(terminal)
        filtered(terminal, "결제-api-1", "1/49")
        before = terminal.attributes()
        for do in (_a_far_command, _ctrl_c_and_ctrl_z_stop_the_far_command, _a_resize_reaches_the_far_shell):
            terminal.send("enter")
            terminal.wait_for(PROMPT)
            do(terminal)
            terminal.send("exit", "enter")
            # The list is painted over the shell from above: only without the old prompt can the next one be seen.
            terminal.wait_for(lambda s: "1/49" in s and "결제-api-1" in highlighted(s) and PROMPT not in s)
            assert terminal.attributes() == before
        terminal.wait_for("ADDRESS")  # so the resize has reached the list too
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert not processes(laptop.mark)


def _a_far_command(terminal: Terminal) -> None:
    terminal.send("echo far-$((40+1))-$(hostname)", "enter")
    terminal.wait_for("far-41-ip-10-1-")


def _ctrl_c_and_ctrl_z_stop_the_far_command(terminal: Terminal) -> None:
    """And not the app."""
    for key in ("ctrl+c", "ctrl+z"):
        terminal.send("sh -c 'echo run''ning; exec sleep 1000'", "enter")
        terminal.wait_for("running\n")
        terminal.send(key)
        terminal.send("clear; echo still-$((1+1))", "enter")
        terminal.wait_for("still-2")
    terminal.send("clear; kill %1; wait; echo ended-$((1+1))", "enter")
    terminal.wait_for("ended-2")


def _a_resize_reaches_the_far_shell(terminal: Terminal) -> None:
    terminal.resize(130, 40)
    terminal.send("stty size", "enter")
    terminal.wait_for("40 130")


def test_databases_tunnel_query_copy_stop(laptop: Laptop) -> None:
    with laptop.terminal() as terminal:
        listed(terminal)
        terminal.send("2")
        terminal.wait_for("orders-proxy")
        select(terminal, "orders")
        terminal.send("enter")
        screen = terminal.wait_for(lambda screen: "⇄ 127.0.0.1:" in highlighted(screen))
        found = re.search(r"⇄ 127\.0\.0\.1:(\d+)", highlighted(screen))
        assert found is not None
        port = int(found[1])
        assert port in listening(terminal)
        answer = laptop.psql(port, "select count(*) > 0 from orders", database="orders", user="app")
        assert (answer.stdout.strip(), answer.stderr) == ("t", "")
        terminal.send("y")
        terminal.wait_for(f":{port}/orders?hostaddr=127.0.0.1")
        terminal.send("enter")
        terminal.wait_for(lambda screen: "1 url" not in screen)
        terminal.wait_for(lambda screen: "opied" in screen)
        # The clipboard of a terminal without a desktop is the terminal's own, by OSC 52.
        assert b"\x1b]52;c;" in terminal.raw
        terminal.send("s")
        terminal.wait_for(lambda screen: "⇄ 127.0.0.1:" not in highlighted(screen))
        terminal.wait_for(lambda _: port not in listening(terminal))
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert not processes(laptop.mark)


def two_tunnels(laptop: Laptop, terminal: Terminal) -> None:
    listed(terminal)
    terminal.send("2")
    terminal.wait_for("orders-proxy")
    for name in ("catalog", "orders"):
        select(terminal, name)
        terminal.send("enter")
        terminal.wait_for(lambda screen: "⇄ 127.0.0.1:" in highlighted(screen))
    # The app, and for each tunnel a guard and a plugin.
    terminal.wait_for(lambda screen: "2 tunnels" in screen and len(processes(laptop.mark)) == 5)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_no_plugin_outlives_the_app(laptop: Laptop, number: signal.Signals) -> None:
    with laptop.terminal() as terminal:
        two_tunnels(laptop, terminal)
        terminal.process.send_signal(number)
        terminal.wait_end()
        until = time.monotonic() + 10
        while processes(laptop.mark):
            assert time.monotonic() < until, processes(laptop.mark)
            terminal.read(0.1)


def test_leaving_says_that_a_tunnel_carries_connections(laptop: Laptop) -> None:
    with laptop.terminal() as terminal:
        two_tunnels(laptop, terminal)
        found = re.search(r"⇄ 127\.0\.0\.1:(\d+)", highlighted(terminal.text))
        assert found is not None
        import psycopg

        password = laptop.environment["DEMO_DB_PASSWORD"]
        with psycopg.connect(f"host=127.0.0.1 port={found[1]} user=app dbname=orders password={password}") as client:
            terminal.send("q")
            terminal.wait_for("still carries 1 connection")
            terminal.send("n")
            terminal.wait_for(lambda screen: "still carries" not in screen)
            terminal.send("3")
            terminal.wait_for(lambda screen: len(re.findall(r"127\.0\.0\.1:\d+ +[01] ", screen)) == 2)
            assert client.execute("select 42").fetchone() == (42,)
        terminal.wait_for(lambda screen: len(re.findall(r"127\.0\.0\.1:\d+ +0 ", screen)) == 2)
        leave(terminal)
    assert not processes(laptop.mark)


def test_a_forward_to_a_node_whose_hostile_name_is_harmless_wherever_it_is_shown(laptop: Laptop) -> None:
    with laptop.terminal() as terminal:
        listed(terminal)
        filtered(terminal, "pwned", "1/49")
        terminal.wait_for(lambda screen: "[/x]␛]0;pwned␇" in highlighted(screen))
        terminal.send("y")
        terminal.wait_for("Copy ·")
        terminal.send("escape")
        terminal.wait_for(lambda screen: "Copy ·" not in screen)
        terminal.send("f")
        terminal.wait_for("Forward through")
        terminal.send("80", "enter")
        terminal.wait_for("127.0.0.1:8080")
        terminal.send("3")
        terminal.wait_for(lambda screen: "pwned" in screen)
        terminal.send("1", "enter")
        terminal.wait_for(PROMPT)
        terminal.send("exit", "enter")
        terminal.wait_for("1/49")
        leave(terminal)
        assert terminal.title != "pwned"
        assert b"\x1b]0;pwned" not in terminal.raw
    assert not processes(laptop.mark)


def test_a_cloud_that_goes_away_takes_no_row_along(tmp_path: Path) -> None:
    """The list stays, the trouble is named with what to do, and the app goes on."""
    with ExitStack() as cloud:
        wire = cloud.enter_context(Wire(Fleet(30, unmanaged=0.0)))
        with make_laptop(wire.environment(), tmp_path, BARE_PATH).terminal(rows=40) as terminal:
            listed(terminal)
            terminal.wait_for("Nodes 30")
            rows = terminal.text.splitlines()[4:10]
            cloud.close()
            terminal.send("r")
            terminal.wait_for("failed", within=90)
            assert [row[2:40] for row in terminal.text.splitlines()[4:10]] == [row[2:40] for row in rows]
            terminal.send("q")
            assert terminal.wait_end() == 0


def test_every_state_of_a_tunnel_is_seen(laptop: Laptop, faults: FaultClient) -> None:
    """One tunnel through all of them."""
    with laptop.terminal(columns=160, rows=40) as terminal:
        listed(terminal)
        terminal.send("2")
        terminal.wait_for("orders-proxy")
        select(terminal, "orders")
        port = _well_and_ill(terminal, faults)
        _idle_and_its_log(terminal, faults, port)
        faults.inject(Order(Fault.SLOW, action="ssm:StartSession", seconds=_UNTIL_CLEARED, calls=1))
        _open_again(terminal)
        terminal.wait_for("◐ starting")
        terminal.send("s")
        terminal.wait_for("◑ stopping")
        faults.inject(Order(Fault.CLEAR))
        terminal.wait_for("No tunnels.")
        faults.inject(Order(Fault.DATABASE_DOWN, database="orders"))
        _open_again(terminal)
        terminal.wait_for("✗ failed")
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert not processes(laptop.mark)


def _well_and_ill(terminal: Terminal, faults: FaultClient) -> int:
    """Starting, ready, reconnecting, paused, degraded, and ready again; its port."""
    faults.inject(Order(Fault.SLOW, action="ssm:StartSession", seconds=_UNTIL_CLEARED, calls=1))
    terminal.send("enter")
    terminal.wait_for("⇄ 1 ")
    terminal.send("3")
    terminal.wait_for("◐ starting")
    faults.inject(Order(Fault.CLEAR))
    port = _port(terminal.wait_for("● ready"))

    faults.inject(Order(Fault.THROTTLE, action="ssm:StartSession"))
    with socket.create_connection(("127.0.0.1", port)):
        terminal.wait_for(lambda screen: _carries(screen, 1))
        faults.inject(Order(Fault.TERMINATE, all=True))
        terminal.wait_for("↻ reconnecting")
        terminal.wait_for("1 reconnecting")
    terminal.wait_for(lambda screen: re.search(r"next try in \d+ s: ", screen) is not None, within=60)
    faults.inject(Order(Fault.EXPIRE_CREDENTIALS))
    terminal.send("r")
    terminal.wait_for("‖ paused", within=60)
    terminal.wait_for("1 tunnel waits for new credentials: orders")
    faults.inject(Order(Fault.CLEAR))
    terminal.send("i")
    terminal.wait_for("y that is done: go on")
    terminal.send("y")
    assert _port(terminal.wait_for("● ready", within=60)) == port

    faults.inject(Order(Fault.DATABASE_DOWN, database="orders"))
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(30)
        assert client.recv(1) == b""
    terminal.wait_for("◍ degraded")
    faults.inject(Order(Fault.CLEAR))
    terminal.send("r")
    terminal.wait_for("● ready", within=60)
    return port


def _idle_and_its_log(terminal: Terminal, faults: FaultClient, port: int) -> None:
    """Ended for being idle, told in its log with all before, and there again for the next client; then stopped."""
    faults.inject(Order(Fault.IDLE_TIMEOUT, all=True))
    terminal.wait_for("◌ idle")
    terminal.send("l")
    told = terminal.wait_for("Log · orders").partition("Log ·")[2]
    states = ("starting", "ready", "reconnecting", "paused", "degraded", "idle")
    assert [state for state in states if state not in told] == []
    terminal.send("escape")
    terminal.wait_for(lambda screen: "Log ·" not in screen)
    with socket.create_connection(("127.0.0.1", port)):
        terminal.wait_for("● ready", within=60)
    terminal.wait_for(lambda screen: _carries(screen, 0))
    terminal.send("s")
    terminal.wait_for("No tunnels.")


def _open_again(terminal: Terminal) -> None:
    terminal.send("2")
    terminal.wait_for(lambda screen: first_cell(screen) == "orders" and "⇄" not in highlighted(screen))
    terminal.send("enter")
    terminal.wait_for("⇄ 1 ")
    terminal.send("3")


def _carries(screen: str, connections: int) -> bool:
    return re.search(rf"127\.0\.0\.1:\d+ +{connections} ", screen) is not None


def _port(screen: str) -> int:
    """The local port of the only tunnel."""
    found = re.search(r"127\.0\.0\.1:(\d+) ", screen)
    assert found is not None
    return int(found[1])
