"""The command line against the demo cloud, with no AWS CLI and no plugin: what it prints, and what it leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.demo.runner import DemoProcess
from tests.builders import HOSTILE
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop, own_port, port_is_free
from tests.e2e.terminal import processes

pytestmark = pytest.mark.e2e


def test_ls_shows_what_there_is_and_what_one_may(laptop: Laptop) -> None:
    answer = laptop.run("ls", "--json")
    assert answer.returncode == 0, answer.stderr
    nodes = {node["name"]: node for node in json.loads(answer.stdout)}
    assert nodes["결제-api-1"]["access"] == dict.fromkeys(("shell", "forward", "remote", "ssh"), "allowed")
    assert nodes["검색-index-1"]["access"]["shell"] == "denied"
    assert nodes[HOSTILE]["id"].startswith("mi-")
    assert nodes["web-lost"]["ping"] == "ConnectionLost"
    assert nodes["web-without-role"]["ping"] == "Unmanaged"


def test_hostile_names_are_harmless_on_a_terminal(laptop: Laptop) -> None:
    with laptop.terminal("ls", columns=300, rows=100) as terminal:
        assert terminal.wait_end() == 0
        assert "[/x]" in terminal.text
        assert "pwned" in terminal.text
        assert terminal.title != "pwned"
        assert b"\x1b]0;pwned" not in terminal.raw


def test_a_filter_narrows_and_a_wrong_one_says_where(laptop: Laptop) -> None:
    found = laptop.run("ls", "-f", "team=pay env=prod access:shell", "--json")
    assert {node["tags"]["team"] for node in json.loads(found.stdout)} == {"pay"}
    wrong = laptop.run("ls", "-f", "colour:red")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert len(wrong.stderr.strip().splitlines()) == 2


@pytest.fixture(scope="module")
def databases(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `db` says of them, by id."""
    answer = make_laptop(demo_cloud.environment, tmp_path_factory.mktemp("db"), BARE_PATH).run("db", "--json")
    assert answer.returncode == 0, answer.stderr
    return {each["id"]: each for each in json.loads(answer.stdout)}


def test_db_names_the_relay_and_why(databases: dict[str, dict[str, Any]]) -> None:
    orders = databases["orders"]
    assert orders["reachable"] == "yes"
    assert orders["relay"].startswith("i-")
    assert "sg-" in orders["why"]


def test_a_shell_is_a_real_shell(laptop: Laptop) -> None:
    with laptop.terminal("shell", "결제-api-1") as terminal:
        terminal.wait_for("~]$")
        terminal.send("echo $((6*7))-$(hostname)", "enter")
        terminal.wait_for("42-ip-10-1-")
        terminal.resize(100, 40)
        terminal.send("stty size", "enter")
        terminal.wait_for("40 100")
        terminal.send("sh -c 'echo run''ning; exec sleep 1000'", "enter")
        terminal.wait_for("running\n")
        terminal.send("ctrl+c")
        terminal.send("echo back-$((1+1))", "enter")
        terminal.wait_for("back-2")
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0
    assert not processes(laptop.mark)


def test_a_denied_node_is_denied_by_the_cloud(laptop: Laptop) -> None:
    answer = laptop.run("shell", "검색-index-1")
    assert answer.returncode == 1
    message, hint = answer.stderr.strip().splitlines()
    assert "ssm:StartSession" in message
    assert hint.strip()


def test_a_tunnel_to_a_private_database_and_a_query_through_it(
    laptop: Laptop, databases: dict[str, dict[str, Any]]
) -> None:
    db = databases["orders"]
    with pytest.raises(socket.gaierror):  # there is no other way to it
        socket.getaddrinfo(db["endpoint"], 5432)
    with laptop.ready("tunnel", "orders", "--local-port", own_port()) as (process, port):
        answer = laptop.psql(port, "select count(*) > 0 from orders", database=db["database"], user=db["user"])
        assert (answer.stdout.strip(), answer.stderr) == ("t", "")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert port_is_free(port)
    assert not processes(laptop.mark)


def test_a_database_without_a_server_is_refused_at_the_far_end(laptop: Laptop) -> None:
    answer = laptop.run("tunnel", "reviews", "--relay", "정산-배치-1")
    assert answer.returncode == 1
    assert "refused at the far end" in answer.stderr
    assert answer.stdout == ""


def test_an_unadmitted_relay_is_not_chosen_and_forced_it_fails_by_the_same_rule(
    laptop: Laptop, databases: dict[str, dict[str, Any]]
) -> None:
    catalog = databases["catalog"]
    assert catalog["reachable"] == "yes"
    unadmitted = [each for each in catalog["relays"] if "does not admit" in each["why"]]
    assert unadmitted
    assert {each["reachable"] for each in unadmitted} == {"no"}
    assert catalog["relay"] == catalog["relays"][0]["id"]
    relay = unadmitted[0]
    answer = laptop.run("tunnel", "catalog", "--relay", relay["id"])
    assert (answer.returncode, answer.stdout) == (1, "")
    message, hint = answer.stderr.strip().splitlines()[-2:]
    assert relay["name"] in message
    assert relay["why"] in message
    assert relay["change"] in hint
    assert relay["change"].startswith("aws ec2 authorize-security-group-ingress")
    assert not processes(laptop.mark)


def exchange(port: int, data: bytes) -> bytes:
    """Sends all, receives as much: both at once, as a client of an echo must."""
    received = hashlib.sha256()
    with socket.create_connection(("127.0.0.1", port)) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        left = len(data)
        while left:
            chunk = client.recv(1 << 16)
            assert chunk, f"closed with {left} bytes to come"
            received.update(chunk)
            left -= len(chunk)
        sender.join()
    return received.digest()


def test_fifty_connections_at_once_carry_64_mb_each_way(laptop: Laptop) -> None:
    payloads = [os.urandom(64 * 1024 * 1024 // 50) for _ in range(50)]
    with laptop.ready("forward", "web-1", "7") as (_, port), ThreadPoolExecutor(50) as clients:
        echoed = list(clients.map(lambda data: exchange(port, data), payloads))
    assert echoed == [hashlib.sha256(data).digest() for data in payloads]


def test_an_old_agent_serves_one_connection_after_another(laptop: Laptop) -> None:
    with laptop.ready("forward", "web-legacy", "7") as (_, port):
        for round_ in range(3):
            data = os.urandom(100_000) + bytes([round_])
            assert exchange(port, data) == hashlib.sha256(data).digest()


def test_what_happens_to_a_ready_tunnel_is_said_in_a_line_each_and_its_token_nowhere(
    laptop: Laptop, faults: FaultClient
) -> None:
    with laptop.ready("forward", "web-1", "7", "--local-port", own_port()) as (process, port):
        assert process.stderr is not None
        assert not any("TokenValue" in line for line in processes(laptop.mark))
        faults.inject(Order(Fault.TERMINATE, all=True))
        assert process.stderr.readline().startswith("ssm-tui: reconnecting")
        assert process.stderr.readline() == "ssm-tui: ready again\n"
        assert exchange(port, b"still here") == hashlib.sha256(b"still here").digest()
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == 0
        assert gone(laptop)
        assert port_is_free(port)


def test_a_busy_port_is_said_at_once(laptop: Laptop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = laptop.run("forward", "web-1", "80", "--local-port", str(port))
    assert answer.returncode == 1
    assert str(port) in answer.stderr
    assert not processes(laptop.mark)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_every_way_to_end_leaves_nothing(laptop: Laptop, number: signal.Signals) -> None:
    with laptop.ready("forward", "web-1", "7", "--local-port", own_port()) as (process, port):
        assert len(processes(laptop.mark)) >= 3  # ours, the guard, the plugin
        process.send_signal(number)
        process.wait(20)
        assert gone(laptop)
        assert port_is_free(port)


def gone(laptop: Laptop, within: float = 10) -> bool:
    """Whether no process of the laptop is left; SIGKILL gives them seconds."""
    done = threading.Event()
    for _ in range(int(within / 0.1)):
        if not processes(laptop.mark):
            return True
        done.wait(0.1)
    return False


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["shell", "no-such-node"], 1, "no-such-node"),
        (["shell", "pay-worker"], 1, "could be any of 2"),
        (["forward", "web-1", "99999"], 2, "65535"),
        (["forward", "web-1", "http"], 2, "http"),
        (["tunnel", "no-such-db"], 1, "no-such-db"),
        (["tunnel", "orders", "--show", "odbc"], 2, "odbc"),
        (["forward", "web-1", "9999"], 1, "refused at the far end"),
        (["forward", "web-1", "80", "--host", "no-such-host.invalid"], 1, "no such host"),
        (["shell", "web-lost"], 1, "not connected"),
        (["--profile", "nobody", "ls"], 1, "nobody"),
        (["--config", "/nonexistent/config.toml", "ls"], 2, "config.toml"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_what_bad_input_gets(laptop: Laptop, arguments: list[str], status: int, word: str) -> None:
    answer = laptop.run(*arguments)
    assert answer.stdout == ""
    assert word in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.returncode == status
