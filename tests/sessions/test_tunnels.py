"""The supervisor against the demo cloud: tunnels that stand, fail, are stopped and are killed, and what they leave."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Family
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.errors import PortError
from ssm_tui.sessions import ports, tunnels
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from ssm_tui.sessions.tunnels import Preparer, TunnelSupervisor
from tests.demo_cloud import administrator_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left over is read from /proc")

REGION = "ap-northeast-2"
HERE = Context(None, REGION)
S = TunnelState
NEXT = {
    S.STARTING: {S.STARTING, S.READY, S.STOPPING, S.FAILED},
    S.READY: {S.READY, S.STOPPING, S.FAILED},
    S.STOPPING: {S.STOPPING, S.STOPPED, S.FAILED},
    S.STOPPED: set(),
    S.FAILED: set(),
}


@dataclass
class Landscape:
    """Names of the fleet to ids and endpoints, and the cloud's own account of sessions."""

    nodes: dict[str, str]
    databases: dict[str, tuple[str, int]]
    ssm: Any

    def active(self, name: str) -> list[str]:
        """The sessions with a node that the service counts as active."""
        return self._sessions(name, "Active")

    def ended(self, name: str) -> int:
        """How many sessions with a node have ended."""
        return len(self._sessions(name, "History"))

    def _sessions(self, name: str, state: str) -> list[str]:
        wanted = [{"key": "Target", "value": self.nodes[name]}]
        return [one["SessionId"] for one in self.ssm.describe_sessions(State=state, Filters=wanted)["Sessions"]]

    def to_node(self, name: str, port: int, **more: Any) -> TunnelRequest:
        return TunnelRequest(HERE, self.nodes[name], port, **more)

    def to_database(self, name: str, relay: str, **more: Any) -> TunnelRequest:
        host, port = self.databases[name]
        return TunnelRequest(HERE, self.nodes[relay], port, host=host, family=Family.POSTGRES, **more)


@pytest.fixture(scope="module")
def landscape(demo_cloud: DemoProcess) -> Iterator[Landscape]:
    administrator = administrator_of(demo_cloud)
    nodes = {
        tag["Value"]: instance["InstanceId"]
        for page in administrator.client("ec2", REGION).get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        for tag in instance.get("Tags", [])
        if tag["Key"] == "Name"
    }
    databases = {
        one["DBInstanceIdentifier"]: (one["Endpoint"]["Address"], one["Endpoint"]["Port"])
        for one in administrator.client("rds", REGION).describe_db_instances()["DBInstances"]
    }
    for one in administrator.client("rds", REGION).describe_db_clusters()["DBClusters"]:
        databases[one["DBClusterIdentifier"]] = one["Endpoint"], one["Port"]
    yield Landscape(nodes, databases, administrator.client("ssm", REGION))
    administrator.close()


@pytest.fixture(scope="module")
def clouds(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsClouds]:
    """The developer's view, from an environment that leads to the demo cloud and nowhere else."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**demo_cloud.environment, "HOME": str(home)}.items():
            patch.setenv(name, value)
        yield AwsClouds((), (REGION,))


@dataclass
class Watched:
    """A supervisor, and every status it told."""

    supervisor: TunnelSupervisor
    told: list[TunnelStatus] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, status: TunnelStatus) -> None:
        before = self.last(status.id)
        if before is not None:
            assert status.state in NEXT[before.state], (before, status)
        self.told.append(status)
        self._news.set()

    def last(self, number: int) -> TunnelStatus | None:
        return next((status for status in reversed(self.told) if status.id == number), None)

    async def until(self, number: int, *states: TunnelState, seconds: float = 30) -> TunnelStatus:
        """Waits for a state; another end fails at once."""
        async with asyncio.timeout(seconds):
            while True:
                now = self.last(number)
                if now is not None and now.state in states:
                    return now
                assert now is None or not now.state.ended, now
                self._news.clear()
                await self._news.wait()

    async def until_said(self, number: int, words: str) -> None:
        async with asyncio.timeout(30):
            while not any(status.id == number and words in status.message for status in self.told):
                self._news.clear()
                await self._news.wait()


class Processes:
    """The session processes of one test, known by a mark in their environment."""

    def __init__(self, mark: str) -> None:
        self._mark = f"SSM_TUI_TEST={mark}".encode()

    def all(self) -> dict[int, bytes]:
        """Pids and command lines of guards and plugins."""
        found = {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdecimal() and self._mark in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes()
        found.pop(os.getpid(), None)
        return found

    def plugin(self) -> int:
        """The pid of the only plugin."""
        (pid,) = (pid for pid, words in self.all().items() if b"guard.py" not in words)
        return pid

    def guard(self) -> int:
        """The pid of the only guard."""
        (pid,) = (pid for pid, words in self.all().items() if b"guard.py" in words)
        return pid


def descriptors(endpoint: str) -> list[str]:
    """What this process has open, botocore's pool of connections to the endpoint left out."""
    port = f"{int(endpoint.rsplit(':', 1)[1]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    pool = {f"socket:[{fields[9]}]" for fields in lines if fields[2].endswith(f":{port}")}
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(descriptor.readlink()))
    return sorted(name for name in found if name not in pool)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    mark = uuid.uuid4().hex
    monkeypatch.setenv("SSM_TUI_TEST", mark)
    return Processes(mark)


@pytest.fixture
def launcher(clouds: AwsClouds, tmp_path: Path) -> Launcher:
    """Our own StartSession call and our plugin."""
    return Launcher(clouds, LauncherChoice.DIRECT, PluginChoice.OURS, tmp_path)


@pytest.fixture
async def watched(launcher: Launcher, clouds: AwsClouds, processes: Processes) -> AsyncIterator[Watched]:
    async with supervised(launcher, clouds, processes) as one:
        yield one


@asynccontextmanager
async def supervised(launcher: Preparer, clouds: AwsClouds, processes: Processes) -> AsyncIterator[Watched]:
    """A supervisor; at the end nothing of its tunnels may be left, neither process nor descriptor."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    clouds.open(HERE).identify()  # what botocore opens once is not counted
    supervisor = TunnelSupervisor(launcher, clouds)
    one = Watched(supervisor)
    supervisor.subscribe(one.hear)
    before = descriptors(endpoint)
    try:
        yield one
    finally:
        async with asyncio.timeout(40):
            await supervisor.close()
    assert all(status.state.ended for status in supervisor.statuses())
    assert processes.all() == {}
    async with asyncio.timeout(5):  # asyncio closes what was closed in its next rounds
        while len(descriptors(endpoint)) > len(before):
            await asyncio.sleep(0.01)


def is_free(port: int) -> bool:
    try:
        ports.bind(port, port).close()
    except PortError:
        return False
    return True


async def ask(port: int, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    answer = await asyncio.wait_for(reader.readexactly(len(words)), 10)
    writer.close()
    await writer.wait_closed()
    return answer


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


@pytest.mark.parametrize(
    ("request_of", "words"),
    [
        pytest.param(lambda there: there.to_node("검색-index-1", 7), "ssm:StartSession", id="denied"),
        pytest.param(lambda there: there.to_node("web-1", 9, family=Family.POSTGRES), "refused", id="refused"),
        pytest.param(lambda there: there.to_node("web-1", 80, host="nowhere.invalid"), "nowhere.invalid", id="no host"),
        pytest.param(lambda there: there.to_database("catalog", "web-1"), "did not answer", id="dropped"),
        pytest.param(lambda _: TunnelRequest(HERE, "i-00000000000000000", 7), "i-00000000000000000", id="no node"),
    ],
)
async def test_a_failure_says_why(
    watched: Watched,
    landscape: Landscape,
    monkeypatch: pytest.MonkeyPatch,
    request_of: Callable[[Landscape], TunnelRequest],
    words: str,
) -> None:
    monkeypatch.setattr(tunnels, "PROBE_SECONDS", 1.5)
    failed = await watched.until(watched.supervisor.open(request_of(landscape)), S.FAILED)
    assert words in failed.message
    assert failed.hint


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


@pytest.mark.parametrize("victim", ["plugin", "guard"])
async def test_killed(watched: Watched, landscape: Landscape, processes: Processes, victim: str) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    port = (await watched.until(number, S.READY)).local_port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    os.kill(processes.plugin() if victim == "plugin" else processes.guard(), signal.SIGKILL)
    failed = await watched.until(number, S.FAILED, seconds=15)
    assert failed.message.startswith("the session ended")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert is_free(port)
    assert processes.all() == {}
    await watched.supervisor.stop(number)  # waits for the last call
    assert landscape.active("web-1") == []


async def test_the_node_ends_the_session(watched: Watched, landscape: Landscape) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    port = (await watched.until(number, S.READY)).local_port
    (session,) = landscape.active("web-1")
    await asyncio.to_thread(lambda: landscape.ssm.terminate_session(SessionId=session))
    failed = await watched.until(number, S.FAILED, seconds=15)
    assert failed.message
    assert port is not None
    assert is_free(port)


async def test_many_at_once_each_fail_and_leave_nothing(watched: Watched, landscape: Landscape) -> None:
    requests = [
        landscape.to_node("web-1", 80, host="nowhere.invalid"),
        landscape.to_node("검색-index-1", 7),
        landscape.to_node("web-1", 9, family=Family.POSTGRES),
    ]
    numbers = [watched.supervisor.open(requests[index % 3]) for index in range(30)]
    ends = await asyncio.gather(*(watched.until(number, S.FAILED, seconds=60) for number in numbers))
    words = ("nowhere.invalid", "ssm:StartSession", "refused")
    assert all(words[index % 3] in end.message for index, end in enumerate(ends)), [end.message for end in ends]


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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tunnels, "_ANSWER_SECONDS", 0.1)
    slow = Slow(launcher)
    async with supervised(slow, clouds, processes) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        await watched.until_said(number, "starting the session")
        await watched.supervisor.stop(number)
        monkeypatch.undo()
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


async def test_the_aws_cli_holds_a_tunnel_and_leaves_nothing(
    clouds: AwsClouds, cli: Launcher, landscape: Landscape, processes: Processes
) -> None:
    async with supervised(cli, clouds, processes) as watched:
        stopped = watched.supervisor.open(landscape.to_node("web-1", 7))
        denied = watched.supervisor.open(landscape.to_node("검색-index-1", 7))
        ready = await watched.until(stopped, S.READY)
        assert ready.local_port is not None
        assert await ask(ready.local_port, b"hello") == b"hello"
        assert "ssm:StartSession" in (await watched.until(denied, S.FAILED)).message
        await watched.supervisor.stop(stopped)
        assert processes.all() == {}
        assert landscape.active("web-1") == []


async def test_a_plugin_killed_under_the_aws_cli(
    clouds: AwsClouds, cli: Launcher, landscape: Landscape, processes: Processes
) -> None:
    async with supervised(cli, clouds, processes) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        await watched.until(number, S.READY)
        (plugin,) = (pid for pid, words in processes.all().items() if b"\0ssm_tui.plugin\0AWS_SSM" in words)
        os.kill(plugin, signal.SIGKILL)
        failed = await watched.until(number, S.FAILED, seconds=15)
        assert failed.message.startswith("the session ended")
        await watched.supervisor.stop(number)
        assert landscape.active("web-1") == []
