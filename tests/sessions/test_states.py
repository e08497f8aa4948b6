"""Every state of a tunnel, reached through the demo cloud's faults, and what clients see meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import replace

import psycopg
import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelState, Way
from ssm_tui.sessions.launch import Launcher
from tests.sessions.supervising import QUICK, Landscape, Processes, Watched, ask, forbidden, order, supervised

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left over is read from /proc")

S = TunnelState
PATIENT = replace(QUICK, steady=0, first_try=60, first_look=60, last_try=60, last_look=60)
"""For tests in which nothing but the event that they are about may lead on."""


async def test_on_demand(launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape) -> None:
    async with supervised(launcher, clouds, processes, replace(QUICK, idle=0.3)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7, on_demand=True))
        idle = await watched.until(number, S.IDLE)
        assert landscape.active("web-1") == []
        assert processes.all() == {}
        for _ in range(2):
            assert await ask(idle.local_port, b"dialled") == b"dialled"
            await watched.until(number, S.IDLE)
    assert [state for state in watched.states(number) if state is not S.STOPPING] == [
        *[S.STARTING, S.IDLE],
        *[S.STARTING, S.READY, S.IDLE] * 2,
        S.STOPPED,
    ]


async def test_a_far_end_that_refuses_and_comes_back(
    watched: Watched, landscape: Landscape, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_database("orders", "web-1"))
    port = (await watched.until(number, S.READY)).local_port
    await order(faults, Fault.DATABASE_DOWN, database="orders")
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(f"host=127.0.0.1 port={port} dbname=orders user=app connect_timeout=10")
    degraded = await watched.until(number, S.DEGRADED)
    assert "refused" in degraded.message
    assert degraded.hint
    await order(faults, Fault.DATABASE_UP, database="orders")
    await watched.until(number, S.READY)
    assert S.RECONNECTING not in watched.states(number)


async def test_a_connection_that_is_lost_and_resumed(
    watched: Watched, landscape: Landscape, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7, most_sessions=1))
    port = (await watched.until(number, S.READY)).local_port
    sessions = landscape.active("web-1")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    await order(faults, Fault.GATEWAY_DOWN)
    degraded = await watched.until(number, S.DEGRADED)
    assert "the connection was lost" in degraded.message
    writer.write(b"after")
    await order(faults, Fault.GATEWAY_UP)
    assert await asyncio.wait_for(reader.readexactly(5), 20) == b"after"
    await watched.until(number, S.READY)
    assert landscape.active("web-1") == sessions
    writer.close()


async def test_a_relay_that_is_gone_is_waited_for(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape, faults: FaultClient
) -> None:
    async with supervised(launcher, clouds, processes, PATIENT) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        port = (await watched.until(number, S.READY)).local_port
        await order(faults, Fault.NODE_GONE, node="web-1")
        lost = await watched.until_so(number, lambda status: status.next_try is not None)
        assert lost.state is S.RECONNECTING
        assert "not connected" in lost.message
        client = asyncio.create_task(ask(port, b"waits"))
        await watched.until_so(number, lambda status: status.connections == 1)
        await order(faults, Fault.NODE_BACK, node="web-1")
        watched.supervisor.retry(number)
        assert await client == b"waits"
        assert (await watched.until(number, S.READY)).next_try is None


async def test_a_client_does_not_wait_for_ever(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape, faults: FaultClient
) -> None:
    async with supervised(launcher, clouds, processes, replace(PATIENT, client=0.2)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        port = (await watched.until(number, S.READY)).local_port
        await order(faults, Fault.NODE_GONE, node="web-1")
        await watched.until_so(number, lambda status: status.next_try is not None)
        with pytest.raises(ConnectionResetError):
            await ask(port, b"in vain")


async def test_another_relay(watched: Watched, landscape: Landscape, faults: FaultClient) -> None:
    other = Way(landscape.nodes["web-2"], "web-2")
    request = landscape.to_database("orders", "web-1", label="web-1", others=(other,))
    number = watched.supervisor.open(request)
    assert (await watched.until(number, S.READY)).via == Way(landscape.nodes["web-1"], "web-1")
    await order(faults, Fault.NODE_GONE, node="web-1")
    told = await watched.until_said(number, "now through web-2")
    assert told.state is S.RECONNECTING
    assert (await watched.until(number, S.READY)).via == other
    assert landscape.active("web-2")


async def test_expired_credentials_pause_all_tunnels_of_the_profile(
    watched: Watched, landscape: Landscape, faults: FaultClient
) -> None:
    numbers = [watched.supervisor.open(landscape.to_node(name, 7)) for name in ("web-1", "web-2")]
    ready = [await watched.until(number, S.READY) for number in numbers]
    await order(faults, Fault.EXPIRE_CREDENTIALS)
    await order(faults, Fault.TERMINATE, all=True)
    for number in numbers:
        assert "expired" in (await watched.until(number, S.PAUSED)).message
    await order(faults, Fault.RENEW_CREDENTIALS)  # noticed without a word
    answers = await asyncio.gather(*(ask(status.local_port, b"again") for status in ready))
    assert answers == [b"again", b"again"]
    for number in numbers:
        await watched.until(number, S.READY)


async def test_new_credentials_are_used_at_once(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape, faults: FaultClient
) -> None:
    async with supervised(launcher, clouds, processes, replace(QUICK, login=60)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        await watched.until(number, S.READY)
        await order(faults, Fault.EXPIRE_CREDENTIALS)
        await order(faults, Fault.TERMINATE, all=True)
        await watched.until(number, S.PAUSED)
        watched.supervisor.renew(None)  # in vain
        await watched.until_again(number, S.RECONNECTING)
        await watched.until(number, S.PAUSED)
        await order(faults, Fault.RENEW_CREDENTIALS)
        watched.supervisor.renew(None)
        await watched.until(number, S.READY)


async def test_a_session_that_could_not_be_ended_is_ended_later(
    watched: Watched, landscape: Landscape, processes: Processes, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.until(number, S.READY)
    (session,) = landscape.active("web-1")
    await order(faults, Fault.EXPIRE_CREDENTIALS)
    os.kill(processes.plugin(), signal.SIGKILL)
    await watched.until(number, S.PAUSED)
    assert session in landscape.active("web-1")
    await order(faults, Fault.RENEW_CREDENTIALS)
    await watched.until(number, S.READY)
    async with asyncio.timeout(10):
        while session in landscape.active("web-1"):
            await asyncio.sleep(0.05)


async def test_a_permission_that_is_withdrawn(
    watched: Watched, landscape: Landscape, demo_cloud: DemoProcess, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.until(number, S.READY)
    with forbidden(demo_cloud):
        await order(faults, Fault.TERMINATE, all=True)
        failed = await watched.until(number, S.FAILED)
    assert "ssm:StartSession" in failed.message
    history = await watched.supervisor.history(number)
    assert [event.state for event in history][-1] is S.FAILED
    assert failed.message in history[-1].text


async def test_an_idle_session_is_not_replaced_before_it_is_needed(
    watched: Watched, landscape: Landscape, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.until(number, S.READY)
    await order(faults, Fault.IDLE_TIMEOUT, all=True)
    idle = await watched.until(number, S.IDLE)
    assert "it was idle" in idle.message
    assert await ask(idle.local_port, b"dialled") == b"dialled"
    await watched.until(number, S.READY)


async def test_a_session_that_is_ended_at_its_maximum_duration_is_replaced(
    watched: Watched, landscape: Landscape, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.until(number, S.READY)
    await order(faults, Fault.MAX_DURATION, all=True)
    again = await watched.until(number, S.RECONNECTING)
    assert "as long as one may" in again.message
    await watched.until(number, S.READY)


async def test_after_a_sleep_nothing_is_waited_for(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape, faults: FaultClient
) -> None:
    async with supervised(launcher, clouds, processes, replace(PATIENT, tick=0.1, late=0.3)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        await watched.until(number, S.READY)
        await order(faults, Fault.NODE_GONE, node="web-1")
        await watched.until_so(number, lambda status: status.next_try is not None)
        await order(faults, Fault.NODE_BACK, node="web-1")
        time.sleep(0.5)  # noqa: ASYNC251 - the process sleeps, as it does when the lid is closed
        await watched.until(number, S.READY, seconds=10)


class HangsOnce:
    """A launcher whose first StartSession is answered only when it is told."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._calls = 0
        self.asked, self.answer = threading.Event(), threading.Event()

    def prepare(self, spec: SessionSpec) -> Command:
        self._calls += 1
        if self._calls == 1:
            self.asked.set()
            self.answer.wait(60)
        return self._launcher.prepare(spec)


async def test_after_a_sleep_a_start_that_hangs_is_begun_anew(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape
) -> None:
    hanging = HangsOnce(launcher)
    async with supervised(hanging, clouds, processes, replace(PATIENT, tick=0.1, late=0.3)) as watched:
        number = watched.supervisor.open(landscape.to_node("web-1", 7))
        await asyncio.to_thread(hanging.asked.wait, 20)
        time.sleep(0.5)  # noqa: ASYNC251 - as above
        await watched.until(number, S.READY)
        ended = landscape.ended("web-1")
        hanging.answer.set()
        async with asyncio.timeout(20):  # the late answer's session is not left open
            while landscape.ended("web-1") == ended or len(landscape.active("web-1")) > 1:
                await asyncio.sleep(0.05)


async def test_after_a_sleep_what_is_ready_is_looked_at(
    launcher: Launcher, clouds: AwsClouds, processes: Processes, landscape: Landscape, faults: FaultClient
) -> None:
    async with supervised(launcher, clouds, processes, replace(QUICK, tick=0.1, late=0.3)) as watched:
        number = watched.supervisor.open(landscape.to_database("orders", "web-1"))
        await watched.until(number, S.READY)
        await order(faults, Fault.DATABASE_DOWN, database="orders")
        time.sleep(0.5)  # noqa: ASYNC251 - as above
        await watched.until(number, S.DEGRADED)
        await order(faults, Fault.DATABASE_UP, database="orders")
        await watched.until(number, S.READY)


async def test_a_probe_that_the_user_asked_for(watched: Watched, landscape: Landscape, faults: FaultClient) -> None:
    often, never = (watched.supervisor.open(landscape.to_database("orders", "web-1", probe_every=e)) for e in (0.1, 0))
    for number in (often, never):
        await watched.until(number, S.READY)
    await order(faults, Fault.DATABASE_DOWN, database="orders")
    assert "refused" in (await watched.until(often, S.DEGRADED)).message
    await order(faults, Fault.DATABASE_UP, database="orders")
    await watched.until(often, S.READY)
    assert watched.states(never) == [S.STARTING, S.READY]


async def test_a_session_process_that_was_stopped_is_ended_in_order(
    watched: Watched, landscape: Landscape, processes: Processes
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    await watched.until(number, S.READY)
    os.kill(processes.plugin(), signal.SIGSTOP)
    await asyncio.wait_for(watched.supervisor.stop(number), 3)  # less than it takes until SIGKILL
    assert landscape.active("web-1") == []
