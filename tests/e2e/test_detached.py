"""Detached tunnels with the real thing: opened, used and stopped from several terminals, and what they leave."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import administrator_of
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop, own_port, port_is_free
from tests.e2e.terminal import processes

pytestmark = pytest.mark.e2e


@pytest.fixture
def laptop(demo_cloud: DemoProcess, tmp_path: Path) -> Iterator[Laptop]:
    """A laptop on which nothing runs any more at the end; its runtime folder's path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="detached-") as runtime:
        own = make_laptop(demo_cloud.environment, tmp_path, BARE_PATH)
        laptop = Laptop(own.home, {**own.environment, "XDG_RUNTIME_DIR": runtime}, own.mark)
        try:
            yield laptop
        finally:
            if processes(laptop.mark):
                laptop.run("tunnels", "stop", "--all")
            assert until(lambda: not processes(laptop.mark)), processes(laptop.mark)


@pytest.fixture(scope="module")
def web(demo_cloud: DemoProcess) -> str:
    """The id of a node that echoes on port 7: with it nothing has to be looked up in AWS."""
    ec2 = administrator_of(demo_cloud).client("ec2")
    (reservation,) = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-1"]}])["Reservations"]
    return str(reservation["Instances"][0]["InstanceId"])


def until(test: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it comes to hold: processes are gone a moment after their last word."""
    pause, deadline = Event(), time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.05)
    return True


def listed(laptop: Laptop) -> dict[str, dict[str, Any]]:
    """The detached tunnels by name."""
    answer = laptop.run("tunnels", "--json")
    assert answer.returncode == 0, answer.stderr
    return {each["name"]: each for each in json.loads(answer.stdout)}


def detached(laptop: Laptop, *arguments: str) -> int:
    """The port of a tunnel that was left to the supervisor."""
    answer = laptop.run("tunnel", *arguments, "--detach")
    assert answer.returncode == 0, answer.stderr
    ready = answer.stdout.splitlines()[0]
    assert ready.startswith("ready 127.0.0.1:")
    return int(ready.rsplit(":", 1)[1])


def supervisors(laptop: Laptop) -> list[int]:
    """The supervisors' processes."""
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if laptop.mark in _read(folder / "environ") and "commands" in _read(folder / "cmdline").split("guard.py")[0]
    ]


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def save(laptop: Laptop, web: str, more: str = "") -> None:
    """Two saved tunnels that need no lookup, and more."""
    file = laptop.home / ".config" / "ssm-tui" / "config.toml"
    file.parent.mkdir(parents=True)
    text = f'[tunnels.one]\ntarget = "{web}"\nport = 7\n[tunnels.two]\ntarget = "{web}"\nport = 80\n'
    file.write_text(text + more, encoding="utf-8")


def echoes(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"hello")
        return client.recv(5, socket.MSG_WAITALL) == b"hello"


def count_of_orders(laptop: Laptop, port: int) -> str:
    answer = laptop.psql(port, "select count(*) > 0 from orders", database="orders", user="app")
    return answer.stdout.strip() or answer.stderr


def test_a_tunnel_outlives_its_terminal_until_it_is_stopped(laptop: Laptop) -> None:
    port = detached(laptop, "orders", "--local-port", own_port())
    assert count_of_orders(laptop, port) == "t"
    assert detached(laptop, "orders") == port  # it is what there is
    orders = listed(laptop)["orders"]
    assert (orders["state"], orders["local_port"], orders["connections"]) == ("ready", port, 0)
    assert orders["received"] > 0
    assert laptop.run("tunnels").stdout.split()[:3] == ["orders", "ready", f"127.0.0.1:{port}"]
    assert laptop.run("tunnels", "stop", "cache").returncode == 1
    assert laptop.run("tunnels", "stop", "ord").returncode == 0
    assert port_is_free(port)
    assert until(lambda: not processes(laptop.mark))
    assert listed(laptop) == {}
    log = next(laptop.home.rglob("ssm-tui.log"))
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "ready" in log.read_text(encoding="utf-8")
    assert laptop.environment["AWS_SECRET_ACCESS_KEY"] not in log.read_text(encoding="utf-8")


def test_however_the_supervisor_ends_nothing_is_left_and_the_next_one_begins(laptop: Laptop, web: str) -> None:
    save(laptop, web)
    port = detached(laptop, "one", "--local-port", own_port())
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        (supervisor,) = supervisors(laptop)
        assert len(processes(laptop.mark)) >= 3  # with the guard and the plugin, and those of a spare session
        os.kill(supervisor, number)
        assert until(lambda: not processes(laptop.mark)), number
        assert port_is_free(port), number
        assert listed(laptop) == {}, number
        assert detached(laptop, "one", "--local-port", str(port)) == port
        assert echoes(port), number


def test_two_at_once_share_one_supervisor(laptop: Laptop, web: str) -> None:
    save(laptop, web)
    started = [laptop.start("tunnel", name, "--detach", "--local-port", own_port()) for name in ("one", "two")]
    assert [process.communicate(timeout=60)[0][:6] for process in started] == ["ready ", "ready "]
    assert until(lambda: len(supervisors(laptop)) == 1)  # one that began too early and was not needed ends by itself
    assert set(listed(laptop)) == {"one", "two"}


def test_another_version_takes_over_on_the_same_port(laptop: Laptop, web: str) -> None:
    save(laptop, web)
    old = "import ssm_tui, sys; ssm_tui.__version__ = '0.0.1'; from {0} import main; sys.exit(main({1!r}))"

    def as_old(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", old.format(module, list(arguments))],
            env=dict(laptop.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    port = own_port()
    assert as_old("ssm_tui.commands.supervisor").returncode == 0
    opened = as_old("ssm_tui.cli", "tunnel", "one", "--detach", "--local-port", port)
    assert (opened.stdout, opened.stderr) == (f"ready 127.0.0.1:{port}\n", "")
    (first,) = supervisors(laptop)
    assert listed(laptop)["one"]["state"] == "ready"  # to look on disturbs nobody
    assert supervisors(laptop) == [first]
    detached(laptop, "two", "--local-port", own_port())
    assert until(lambda: listed(laptop).get("one", {}).get("state") == "ready")
    assert listed(laptop)["one"]["local_port"] == int(port)
    assert echoes(int(port))
    assert until(lambda: first not in supervisors(laptop))  # it makes way first, and is gone a moment later
    assert until(lambda: len(supervisors(laptop)) == 1)  # one that began too early and was not needed ends by itself


def test_other_credentials_are_refused(laptop: Laptop, web: str) -> None:
    save(laptop, web)
    detached(laptop, "one", "--local-port", own_port())
    key, secret = (laptop.environment[f"DEMO_ADMIN_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
    other = laptop.run("tunnel", "two", "--detach", AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
    message, hint = other.stderr.splitlines()
    assert (other.returncode, other.stdout) == (1, "")
    assert "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY differ" in message
    assert "stop --all" in hint
    assert secret not in other.stderr
    assert set(listed(laptop)) == {"one"}


def test_one_that_fails_says_why_and_is_not_kept(laptop: Laptop) -> None:
    answer = laptop.run("tunnel", "reviews", "--relay", "정산-배치-1", "--detach")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "refused at the far end" in answer.stderr
    assert listed(laptop) == {}
    assert until(lambda: not processes(laptop.mark))


def test_ctrl_c_before_it_is_ready_takes_it_back(laptop: Laptop) -> None:
    # This relay is not admitted: the far end is silent for as long as a probe waits.
    with laptop.start("tunnel", "catalog", "--relay", "web-1", "--detach") as process:
        assert until(lambda: bool(listed(laptop)))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
    assert listed(laptop) == {}
    assert until(lambda: not processes(laptop.mark))


def test_a_group_of_saved_tunnels(laptop: Laptop, web: str) -> None:
    ports = [int(own_port()), int(own_port())]
    save(
        laptop,
        web,
        f'[tunnels.db]\ndatabase = "orders"\nlocal_port = {ports[0]}\n'
        f'[tunnels.echo]\ntarget = "{web}"\nport = 7\nlocal_port = {ports[1]}\non_demand = true\n'
        '[groups]\npay = ["db", "echo"]',
    )
    both = {f"ready 127.0.0.1:{ports[0]} db", f"ready 127.0.0.1:{ports[1]} echo"}
    with laptop.start("tunnel", "--group", "pay") as process:
        assert process.stdout is not None
        assert {process.stdout.readline().strip() for _ in range(2)} == both
        assert count_of_orders(laptop, ports[0]) == "t"
        process.send_signal(signal.SIGTERM)
        assert (process.communicate(timeout=30), process.returncode) == (("", ""), 0)
    answer = laptop.run("tunnel", "--group", "pay", "--detach")
    assert set(answer.stdout.splitlines()) == both
    assert {name: each["state"] for name, each in listed(laptop).items()} == {"db": "ready", "echo": "idle"}
    assert echoes(ports[1])
    assert listed(laptop)["echo"]["state"] == "ready"
    unknown = laptop.run("tunnel", "--group", "ops")
    assert unknown.returncode == 1
    assert "groups are pay" in unknown.stderr


def test_a_saved_tunnel_that_names_everything_asks_nothing_of_aws_until_somebody_dials(laptop: Laptop) -> None:
    save(laptop, "i-0a1b2c3d4e5f60718")
    port = own_port()
    away = Laptop(
        laptop.home, {**laptop.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{own_port()}"}, laptop.mark
    )
    with away.ready("tunnel", "one", "--on-demand", "--local-port", port) as (_, opened):
        assert opened == int(port)


def row(screen: str, begin: str) -> str:
    """The row that begins so."""
    return next((line for line in screen.splitlines() if line.startswith(begin)), "")


def test_the_interface_finds_what_runs_and_leaves_what_it_is_told_to(laptop: Laptop, web: str) -> None:
    save(laptop, web)
    one = detached(laptop, "one", "--local-port", own_port())
    with laptop.terminal() as terminal:
        terminal.wait_for("fresh")
        terminal.send("3")
        terminal.wait_for(lambda screen: f"127.0.0.1:{one}" in screen and "two" in screen)
        terminal.send("down")
        terminal.wait_for(lambda screen: "saved" in row(screen, "▌ two"))
        terminal.send("enter")
        terminal.wait_for(lambda screen: "ready" in row(screen, "▌ two"))
        terminal.send("b")
        terminal.wait_for(lambda screen: "ready" in row(screen, "▌ ⌁ two"))
        two = listed(laptop)["two"]["local_port"]
        terminal.send("up")
        terminal.wait_for(lambda screen: bool(row(screen, "▌ ⌁ one")))
        terminal.send("s")
        assert until(lambda: "one" not in listed(laptop))
        assert port_is_free(one)
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert {name: each["local_port"] for name, each in listed(laptop).items()} == {"two": two}
    assert laptop.run("tunnels", "stop", f"127.0.0.1:{two}").returncode == 0


def test_what_was_open_when_the_supervisor_was_killed_is_offered_again(laptop: Laptop, web: str) -> None:
    save(laptop, web)
    port = detached(laptop, "one", "--local-port", own_port())
    os.kill(supervisors(laptop)[0], signal.SIGKILL)
    assert until(lambda: not processes(laptop.mark))
    with laptop.terminal() as terminal:
        terminal.wait_for("was open when ssm-tui was cut off")
        terminal.send("o")
        terminal.wait_for("open them again")
        terminal.send("y")
        assert until(lambda: not port_is_free(port))
        terminal.send("3")
        terminal.wait_for(lambda screen: f"127.0.0.1:{port}" in screen and "ready" in screen)
        assert echoes(port)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.wait_end()
    assert until(lambda: not processes(laptop.mark))
