"""The supervisor against the demo cloud: tunnels that stand, fail, are stopped and are killed, and what they leave."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.databases import Family
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from ssm_tui.store.ports import Ports
from tests.free_ports import free_port
from tests.sessions.supervising import HERE, QUICK, Landscape, Processes, Watched, ask, supervised

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left over is read from /proc")

S = TunnelState
PATIENT = replace(QUICK, quiet_probe=20, word=20)
"""A refusal is waited for, however busy the machine: a silence does not pass for a far end that was reached."""


def is_free(port: int | None) -> bool:
    """This process does not listen there any more; another test's may."""
    mine = psutil.Process().net_connections("tcp")
    return port not in {each.laddr.port for each in mine if each.status == psutil.CONN_LISTEN}


async def test_ready_carries_and_stops(watched: Watched, landscape: Landscape) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    ready = await watched.until(number, S.READY)
    assert ready.local_port is not None
    assert await ask(ready.local_port, b"hello") == b"hello"
    await watched.supervisor.stop(number)
    assert watched.supervisor.statuses()[0].state is S.STOPPED
    assert is_free(ready.local_port)
    assert landscape.active("web-1") == []
    await watched.supervisor.stop(number)  # once more changes nothing


async def test_a_query_through_a_database_tunnel(
    watched: Watched, landscape: Landscape, demo_cloud: DemoProcess
) -> None:
    number = watched.supervisor.open(landscape.to_database("orders", "web-1"))
    ready = await watched.until(number, S.READY)
    where = f"host=127.0.0.1 port={ready.local_port} dbname=orders user=app"
    password = demo_cloud.environment["DEMO_DB_PASSWORD"]
    async with await psycopg.AsyncConnection.connect(where, password=password) as connection:
        answer = await connection.execute("select current_database()")
        assert await answer.fetchone() == ("orders",)


async def test_a_failure_says_why(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape
) -> None:
    dropped = landscape.to_database("catalog", "web-1")
    unknown = TunnelRequest(HERE, "i-00000000000000000", 7)
    async with supervised(launcher, clouds, processes, PATIENT) as watched:
        numbers = [watched.supervisor.open(request) for request in (dropped, unknown)]
        ends = [await watched.until(number, S.FAILED) for number in numbers]
    assert "did not answer" in ends[0].message
    assert unknown.target in ends[1].message
    assert all(end.hint for end in ends)


async def test_a_busy_port_is_said_before_anything_starts(watched: Watched, landscape: Landscape) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        number = watched.supervisor.open(landscape.to_node("web-1", 7, local_port=port))
        failed = await watched.until(number, S.FAILED)
    assert str(port) in failed.message
    assert landscape.active("web-1") == []


@pytest.mark.parametrize("moment", ["starting the session", "reaching the far end"])
async def test_stopped_while_it_starts(watched: Watched, landscape: Landscape, moment: str) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.until_said(number, moment)
    await watched.supervisor.stop(number)
    assert [status.state for status in watched.supervisor.statuses()] == [S.STOPPED]
    assert landscape.active("web-1") == []


async def test_stopped_before_its_first_step(watched: Watched, landscape: Landscape) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.supervisor.stop(number)
    assert [status.state for status in watched.supervisor.statuses()] == [S.STOPPED]
    assert landscape.active("web-1") == []


async def test_stopped_with_connections_open(watched: Watched, landscape: Landscape) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    port = (await watched.until(number, S.READY)).local_port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    await watched.supervisor.stop(number)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    writer.close()


async def test_killed(watched: Watched, landscape: Landscape, processes: Processes) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=1))
    port = (await watched.until(number, S.READY)).local_port
    for victim in (processes.plugin, processes.guard):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        (session,) = landscape.active("web-1")
        os.kill(victim(), signal.SIGKILL)
        again = await watched.until(number, S.RECONNECTING, seconds=15)
        assert again.message.startswith("the session process ended")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert await ask(port, b"waits for the next session") == b"waits for the next session"
        assert (await watched.until(number, S.READY)).local_port == port
        async with asyncio.timeout(10):
            while session in landscape.active("web-1"):
                await asyncio.sleep(0.05)
    await watched.supervisor.stop(number)
    assert landscape.active("web-1") == []


async def test_an_administrator_ends_the_session(watched: Watched, landscape: Landscape) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=1))
    port = (await watched.until(number, S.READY)).local_port
    (session,) = landscape.active("web-1")
    await landscape.terminate(session)
    lost = await watched.until(number, S.RECONNECTING, seconds=15)
    assert lost.message == "the session was ended at the service"
    assert await ask(port, b"hello") == b"hello"
    assert landscape.active("web-1") != [session]


async def test_many_at_once_each_fail_say_why_and_leave_nothing(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape
) -> None:
    requests = [
        landscape.to_node("web-1", 80, host="nowhere.invalid"),
        landscape.to_node("검색-index-1", 7),
        landscape.to_node("web-1", 9, family=Family.POSTGRES),
    ]
    async with supervised(launcher, clouds, processes, replace(PATIENT, probe=60)) as watched:
        numbers = [watched.supervisor.open(requests[index % 3]) for index in range(15)]
        ends = await asyncio.gather(*(watched.until(number, S.FAILED, seconds=90) for number in numbers))
    words = ("nowhere.invalid", "ssm:StartSession", "refused")
    assert all(words[index % 3] in end.message for index, end in enumerate(ends)), [end.message for end in ends]
    assert all(end.hint for end in ends)


async def test_closing_ends_tunnels_in_every_state(watched: Watched, landscape: Landscape) -> None:
    stood = [watched.supervisor.open(landscape.to_node("web-1", 7)) for _ in range(3)]
    ready = [await watched.until(number, S.READY) for number in stood]
    failed = watched.supervisor.open(landscape.to_node("검색-index-1", 7))
    await watched.until(failed, S.FAILED)
    for _ in range(3):
        watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.supervisor.close()
    states = [status.state for status in watched.supervisor.statuses()]
    assert states == [S.STOPPED] * 3 + [S.FAILED] + [S.STOPPED] * 3
    assert all(is_free(status.local_port) for status in ready if status.local_port)
    assert landscape.active("web-1") == []


class Noted:
    """What a supervisor wants to be remembered."""

    def __init__(self) -> None:
        self.open: list[int] = []

    def opened(self, _request: TunnelRequest, port: int) -> None:
        self.open.append(port)

    def closed(self, port: int) -> None:
        self.open.remove(port)


async def test_ports_and_what_is_open_are_remembered(
    launcher: Launcher, clouds: AwsClouds, landscape: Landscape, processes: Processes, tmp_path: Path
) -> None:
    noted, memory = Noted(), Ports(tmp_path / "state")
    async with supervised(launcher, clouds, processes, memory=memory, wanted=noted) as watched:
        asked = landscape.to_node("web-1", 7, local_port=free_port())
        first = watched.supervisor.open(asked)
        failed = watched.supervisor.open(landscape.to_node("검색-index-1", 7))
        await watched.until(first, S.READY)
        await watched.until(failed, S.FAILED)
        assert noted.open == [asked.local_port]
        await watched.supervisor.stop(first)
        assert noted.open == []
        again = await watched.until(watched.supervisor.open(replace(asked, local_port=None)), S.READY)
        assert again.local_port == asked.local_port
    assert noted.open == []


class Broken:
    """A launcher with a mistake in it."""

    def prepare(self, spec: SessionSpec) -> Command:
        raise LookupError("a secret perhaps")


async def test_a_mistake_of_ours_is_an_end_and_shown_as_one(
    clouds: AwsClouds, landscape: Landscape, processes: Processes
) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with supervised(Broken(), clouds, processes) as watched:
        failed = await watched.until(watched.supervisor.open(landscape.to_node("web-1", 7)), S.FAILED)
    assert failed.message == "the tunnel broke: LookupError"
    assert [type(context["exception"]) for context in told] == [LookupError]


class Slow:
    """A launcher whose StartSession is answered only when it is told."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self.answer = threading.Event()

    def prepare(self, spec: SessionSpec) -> Command:
        self.answer.wait(30)
        return self._launcher.prepare(spec)


async def test_a_session_that_comes_too_late_is_ended(
    clouds: AwsClouds,
    launcher: Launcher,
    landscape: Landscape,
    processes: Processes,
) -> None:
    slow = Slow(launcher)
    async with supervised(slow, clouds, processes, replace(QUICK, answer=0.1)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        await watched.until_said(number, "starting the session")
        await watched.supervisor.stop(number)
        ended = landscape.ended("web-1")
        slow.answer.set()
        async with asyncio.timeout(20):
            while landscape.active("web-1") or landscape.ended("web-1") == ended:
                await asyncio.sleep(0.05)


@pytest.fixture
def cli(clouds: AwsClouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Launcher:
    """The real AWS CLI and our plugin under its official name."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    return Launcher(clouds, LauncherChoice.AWS, PluginChoice.OURS, tmp_path)


async def test_the_aws_cli_holds_a_tunnel_loses_its_plugin_and_leaves_nothing(
    clouds: AwsClouds, cli: Launcher, landscape: Landscape, processes: Processes
) -> None:
    async with supervised(cli, clouds, processes) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=1))
        denied = watched.supervisor.open(landscape.to_node("검색-index-1", 7))
        ready = await watched.until(number, S.READY)
        assert await ask(ready.local_port, b"hello") == b"hello"
        assert "ssm:StartSession" in (await watched.until(denied, S.FAILED)).message
        (plugin,) = (pid for pid, words in processes.all().items() if b"\0ssm_tui.plugin\0AWS_SSM" in words)
        os.kill(plugin, signal.SIGKILL)
        lost = await watched.until(number, S.RECONNECTING, seconds=15)
        assert lost.message.startswith("the session process ended")
        assert await ask(lost.local_port, b"hello again") == b"hello again"
        await watched.supervisor.stop(number)
        assert processes.all() == {}
        assert landscape.active("web-1") == []
