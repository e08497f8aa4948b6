"""The width of a tunnel: which session carries which client, how many there are, and what is lost with one of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import psutil
import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelState, TunnelStatus
from ssm_tui.sessions.launch import Launcher
from tests.sessions.supervising import QUICK, Landscape, Processes, Watched, forbidden, order, supervised

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left over is read from /proc")

S = TunnelState


class Client:
    """A connection to an echo, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def dial(cls, port: int | None) -> Client:
        """Connected, and carried: the echo has answered."""
        one = cls(*await asyncio.open_connection("127.0.0.1", port))
        await one.ask(b"hello")
        return one

    async def ask(self, words: bytes) -> None:
        self._writer.write(words)
        assert await asyncio.wait_for(self._reader.readexactly(len(words)), 20) == words

    async def keep_busy(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await self.ask(b"x" * 1000)

    async def was_reset(self) -> bool:
        try:
            await asyncio.wait_for(self._reader.read(), 10)
        except ConnectionResetError:
            return True
        return False

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionResetError):
            await self._writer.wait_closed()


def loads(processes: Processes) -> dict[int, int]:
    """How many connections each plugin carries, by its pid; the plugins' own ports tell."""
    carried = Counter(
        each.raddr.port
        for each in psutil.Process().net_connections("tcp")
        if each.status == psutil.CONN_ESTABLISHED and each.raddr
    )
    found = {}
    for pid in processes.plugins():
        for each in psutil.Process(pid).net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN:
                found[pid] = carried[each.laddr.port]
    return found


def spread(processes: Processes) -> list[int]:
    """How many connections each session carries, fewest first."""
    return sorted(loads(processes).values())


async def until_wide(watched: Watched, number: int, sessions: int) -> TunnelStatus:
    return await watched.until_so(number, lambda status: status.sessions == sessions)


async def test_each_client_has_a_session_of_its_own_up_to_the_bound(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=3))
    port = (await watched.until(number, S.READY)).local_port
    clients = []
    for width in (2, 3, 3):  # one in advance, as long as there may be more
        clients.append(await Client.dial(port))
        await until_wide(watched, number, width)
        assert spread(processes) == [0] * (width - len(clients)) + [1] * len(clients)
    clients += [await Client.dial(port) for _ in range(3)]
    assert spread(processes) == [2, 2, 2]
    assert len(landscape.active("web-1")) == 3
    for client in clients:
        await client.close()


async def test_clients_that_come_together_are_spread_too(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=4))
    port = (await watched.until(number, S.READY)).local_port
    clients = await asyncio.gather(*(Client.dial(port) for _ in range(8)))
    assert spread(processes) == [2, 2, 2, 2]
    payloads = [os.urandom(100_000) for _ in clients]
    await asyncio.gather(*(client.ask(payload) for client, payload in zip(clients, payloads, strict=True)))
    for client in clients:
        await client.close()


async def test_sessions_that_nobody_needs_are_ended(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape
) -> None:
    async with supervised(launcher, clouds, processes, replace(QUICK, spare=0.3)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=3))
        port = (await watched.until(number, S.READY)).local_port
        clients = [await Client.dial(port) for _ in range(3)]
        await until_wide(watched, number, 3)
        for client in clients:
            await client.close()
        await until_wide(watched, number, 1)
        async with asyncio.timeout(10):  # out of use at once, over when the service knows and the process is gone
            while len(landscape.active("web-1")) > 1 or len(processes.plugins()) > 1:
                await asyncio.sleep(0.05)
        assert watched.states(number) == [S.STARTING, S.READY]


async def test_a_lost_session_takes_only_its_own_clients(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=2))
    port = (await watched.until(number, S.READY)).local_port
    (first,) = processes.plugins()
    victim = await Client.dial(port)
    await until_wide(watched, number, 2)
    other = await Client.dial(port)
    os.kill(first, signal.SIGKILL)
    assert await victim.was_reset()
    await other.ask(b"still here")
    assert "one of 2 sessions was lost" in (await watched.until_said(number, "was lost")).message
    again = await Client.dial(port)
    await until_wide(watched, number, 2)
    assert watched.states(number) == [S.STARTING, S.READY]
    for client in (other, again):
        await client.close()


async def test_a_refused_further_session_is_no_fault(
    watched: Watched, landscape: Landscape, demo_cloud: DemoProcess, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    port = (await watched.until(number, S.READY)).local_port
    with forbidden(demo_cloud):
        clients = [await Client.dial(port) for _ in range(3)]
    assert spread(processes) == [3]
    assert "ssm:StartSession" in (await watched.until_said(number, "stays 1 wide")).message
    events = await watched.supervisor.history(number)
    assert sum("stays 1 wide" in event.text for event in events) == 1
    assert watched.states(number) == [S.STARTING, S.READY]
    for client in clients:
        await client.close()


@pytest.mark.parametrize(("share", "spread_then"), [(20.0, [1, 1]), (0.1, [0, 2])])
async def test_a_client_waits_for_a_session_of_its_own_but_not_for_long(
    launcher: Launcher,
    clouds: AwsClouds,
    processes: Processes,
    landscape: Landscape,
    faults: FaultClient,
    share: float,
    spread_then: list[int],
) -> None:
    async with supervised(launcher, clouds, processes, replace(QUICK, share=share)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=2))
        port = (await watched.until(number, S.READY)).local_port
        await order(faults, Fault.SLOW, action="ssm:StartSession", seconds=1.0, calls=1)
        first = await Client.dial(port)
        second = await Client.dial(port)
        await until_wide(watched, number, 2)
        assert spread(processes) == spread_then
        for client in (first, second):
            await client.close()


async def test_one_session_where_no_more_are_wanted(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=1))
    port = (await watched.until(number, S.READY)).local_port
    clients = await asyncio.gather(*(Client.dial(port) for _ in range(3)))
    assert spread(processes) == [3]
    for client in clients:
        await client.close()


async def test_who_must_share_shares_with_the_one_that_has_less_to_do(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=2))
    port = (await watched.until(number, S.READY)).local_port
    (one,) = processes.plugins()
    first = await Client.dial(port)
    await until_wide(watched, number, 2)
    second = await Client.dial(port)
    (other,) = set(processes.plugins()) - {one}
    for busy, idle in ((first, other), (second, one)):
        enough = asyncio.Event()
        work = asyncio.create_task(busy.keep_busy(enough))
        await asyncio.sleep(4 * QUICK.count)  # what is carried has been looked at
        third = await Client.dial(port)
        assert loads(processes)[idle] == 2
        await third.close()
        enough.set()
        await work
    for client in (first, second):
        await client.close()


def fill(client: socket.socket) -> None:
    """Until nothing between here and the echo takes any more."""
    client.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        while client.send(bytes(65536)):
            pass


async def test_nobody_is_put_behind_a_client_that_does_not_read(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    """It carries nothing, and that is no sign of having time: the whole session stands still behind it."""
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=2))
    port = (await watched.until(number, S.READY)).local_port
    with socket.socket() as blind:
        blind.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        blind.connect(("127.0.0.1", port))
        pool = watched.supervisor._tunnels[number]._pool
        while not any(session.held for session in pool._places):
            await asyncio.to_thread(fill, blind)
        await until_wide(watched, number, 2)
        others = [await asyncio.wait_for(Client.dial(port), 10) for _ in range(3)]
        assert spread(processes) == [1, 3]
        for other in others:
            await other.close()


async def test_while_a_session_resumes_others_carry_its_next_clients(
    watched: Watched, landscape: Landscape, processes: Processes, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=2))
    port = (await watched.until(number, S.READY)).local_port
    (session,) = landscape.active("web-1")
    client = await Client.dial(port)
    await until_wide(watched, number, 2)
    await order(faults, Fault.REFUSE_RESUME, session=session, code="InternalServerError")
    await order(faults, Fault.CUT, session=session)
    await watched.until(number, S.DEGRADED)
    others = [await Client.dial(port) for _ in range(2)]
    assert spread(processes) == [1, 2]
    await order(faults, Fault.ALLOW_RESUME, session=session)
    await client.ask(b"survived")
    await watched.until(number, S.READY)
    for each in (client, *others):
        await each.close()


async def test_a_session_that_is_being_started_is_given_up_once_and_for_all(
    watched: Watched, landscape: Landscape, processes: Processes, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    port = (await watched.until(number, S.READY)).local_port
    await order(faults, Fault.SLOW, action="ssm:StartSession", seconds=1.0, calls=1)
    (plugin,) = processes.plugins()
    client = await Client.dial(port)  # a further session is begun in advance
    os.kill(plugin, signal.SIGKILL)
    await watched.until(number, S.RECONNECTING)  # and given up with the last
    await watched.supervisor.stop(number)  # and once more: what it has begun is waited for all the same
    assert not [task for task in asyncio.all_tasks() if "Session._live" in repr(task.get_coro())]
    await client.close()


class BrokenLater:
    """A launcher with a mistake in it that shows at the second session."""

    def __init__(self, launcher: Launcher) -> None:
        self._prepared = 0
        self._launcher = launcher

    def prepare(self, spec: SessionSpec) -> Command:
        self._prepared += 1
        if self._prepared == 2:
            raise LookupError("a secret perhaps")
        return self._launcher.prepare(spec)


async def test_a_mistake_of_ours_in_a_further_session_is_shown_too(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape
) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with supervised(BrokenLater(launcher), clouds, processes) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        port = (await watched.until(number, S.READY)).local_port
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        failed = await watched.until(number, S.FAILED)
        assert await client.was_reset()
        await client.close()
    assert failed.message == "the tunnel broke: LookupError"
    assert [type(context["exception"]) for context in told] == [LookupError]
