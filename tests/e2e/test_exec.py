"""`tunnel --exec` against the demo cloud: the command's surroundings, its streams, its status, signals, and the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from tests.e2e.conftest import Laptop, own_port, port_is_free
from tests.e2e.terminal import processes

pytestmark = pytest.mark.e2e

# The environment, and PostgreSQL's answer to "may we speak TLS?", which is one letter.
SHOW = """
import json, os, socket
with socket.create_connection(("127.0.0.1", int(os.environ["TUNNEL_PORT"]))) as client:
    client.sendall(bytes.fromhex("0000000804d2162f"))
    print(json.dumps({**os.environ, "answer": client.recv(1).decode()}))
"""
# Says that it is there, and how it was ended.
LASTING = r"""
import os, signal, sys, time
def end(number, frame):
    os.write(1, b"ended by %d\n" % number)  # print may be at work where the signal comes
    sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, end)
os.write(1, b"there %s\n" % os.environ["PGPORT"].encode())
while True:
    time.sleep(1)
"""


def words(*more: str, database: str = "orders") -> list[str]:
    return ["tunnel", database, "--local-port", own_port(), *more]


def python(code: str) -> list[str]:
    return ["--exec", "--", sys.executable, "-c", code]


def test_a_command_finds_the_way_in_its_environment_and_the_tunnel_stands_while_it_runs(laptop: Laptop) -> None:
    answer = laptop.run(*words(*python(SHOW)), PGSERVICE="elsewhere", PGHOSTADDR="::1")
    assert (answer.returncode, answer.stderr) == (0, "")
    told = json.loads(answer.stdout)
    port = told["TUNNEL_PORT"]
    assert told["answer"] in ("S", "N")
    assert told["TUNNEL_HOST"] == "127.0.0.1"
    assert told["PGHOST"].startswith("orders.")
    assert (told["PGHOSTADDR"], told["PGPORT"]) == ("127.0.0.1", port)
    assert (told["PGUSER"], told["PGDATABASE"]) == ("app", "orders")
    assert f"127.0.0.1:{port}/orders" in told["DATABASE_URL"]
    assert "PGSERVICE" not in told
    assert "PGPASSWORD" not in told
    assert port_is_free(int(port))
    assert not processes(laptop.mark)


def test_its_status_is_ours_and_its_streams_its_own(laptop: Laptop) -> None:
    answer = laptop.run(*words("--exec", "--", "sh", "-c", "cat; echo out; echo err >&2; exit 42"))
    # stdin is its own too: it is /dev/null there, and cat ends at once.
    assert (answer.returncode, answer.stdout, answer.stderr) == (42, "out\n", "err\n")
    killed = laptop.run(*words("--exec", "--", "sh", "-c", "kill -TERM $$"))
    assert killed.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_to_us_are_the_commands(laptop: Laptop, number: signal.Signals) -> None:
    with laptop.start(*words(*python(LASTING))) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("there "), process.communicate(timeout=60)
        port = int(line.removeprefix("there "))
        process.send_signal(number)
        assert process.stdout.readline() == f"ended by {number.value}\n"
        assert process.wait(60) == 7
    assert port_is_free(port)
    assert not processes(laptop.mark)


def test_ctrl_c_goes_to_the_command(laptop: Laptop) -> None:
    with laptop.terminal(*words(*python(LASTING))) as terminal:
        terminal.wait_for("there ")
        terminal.send("ctrl+c")
        terminal.wait_for(f"ended by {signal.SIGINT.value}")
        assert terminal.wait_end() == 7
    assert not processes(laptop.mark)


def test_a_command_that_ends_by_ctrl_c_lets_the_shell_know(laptop: Laptop) -> None:
    with laptop.terminal(*words("--exec", "--", "sh", "-c", "echo here; exec sleep 1000")) as terminal:
        terminal.wait_for("here")
        terminal.send("ctrl+c")
        assert terminal.wait_end() == 128 + signal.SIGINT


def test_ctrl_c_before_it_begins_ends_all(laptop: Laptop, faults: FaultClient) -> None:
    marker = laptop.home / "began"
    faults.inject(Order(Fault.SLOW, action="ssm:StartSession", seconds=20, calls=1))
    with laptop.terminal(*words("--exec", "--", "touch", str(marker))) as terminal:
        terminal.wait_for("starting the session")
        terminal.send("ctrl+c")
        faults.inject(Order(Fault.CLEAR))
        assert terminal.wait_end() == 130
    assert not marker.exists()
    assert not processes(laptop.mark)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--exec"], "--exec wants a command"),
        (["--exec", "--"], "--exec wants a command"),
        (["--detach", "--exec", "--", "true"], "--detach does not go together"),
        (["--show", "url", "--exec", "--", "true"], "--show does not go together"),
        (["--password", "token"], "--password is for a command"),
    ],
)
def test_what_does_not_go_together(laptop: Laptop, given: list[str], said: str) -> None:
    answer = laptop.run("tunnel", "orders", *given)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr.splitlines()[0]


def test_what_is_no_program_is_said_before_anything_starts(laptop: Laptop) -> None:
    answer = laptop.run("tunnel", "no-such-database", "--exec", "--", "no-such-program")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no-such-program is not a program" in answer.stderr


def test_a_forward_that_is_saved_has_its_address_and_no_password(laptop: Laptop, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[tunnels.web]\ntarget = "web-1"\nport = 7\n', encoding="utf-8")
    code = "import os; print(os.environ['TUNNEL_HOST'], os.environ.get('DATABASE_URL'))"
    answer = laptop.run("--config", str(settings), "tunnel", "web", "--local-port", own_port(), *python(code))
    assert (answer.returncode, answer.stdout) == (0, "127.0.0.1 None\n"), answer.stderr
    refused = laptop.run("--config", str(settings), "tunnel", "web", "--password", "token", *python(code))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "leads to no database" in refused.stderr


def test_a_tunnel_that_cannot_be_opened_runs_nothing(laptop: Laptop) -> None:
    marker = laptop.home / "began"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = laptop.run("tunnel", "orders", "--local-port", port, "--exec", "--", "touch", str(marker))
    assert answer.returncode == 1
    assert port in answer.stderr
    assert not marker.exists()
    assert os.environ.get("PGPORT") is None
