"""Processes that are stopped for longer than the service waits, and go on: the laptop's lid, by SIGSTOP and SIGCONT."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault
from ssm_tui.domain.tunnels import TunnelState
from tests.sessions.supervising import Landscape, Processes, Watched, ask, order

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left over is read from /proc")

S = TunnelState


async def give_up(faults: FaultClient, landscape: Landscape) -> None:
    """The service loses the clients, and its patience with them."""
    (session,) = landscape.active("web-1")
    await order(faults, Fault.CUT, session=session)
    await order(faults, Fault.TERMINATE, session=session)
    assert landscape.active("web-1") == []


async def test_a_suspended_session_process(
    watched: Watched, landscape: Landscape, processes: Processes, faults: FaultClient
) -> None:
    number = watched.supervisor.open(landscape.to_node("web-1", 7))
    port = (await watched.until(number, S.READY)).local_port
    plugin = processes.plugin()
    os.kill(plugin, signal.SIGSTOP)
    await give_up(faults, landscape)
    os.kill(plugin, signal.SIGCONT)
    await watched.until(number, S.RECONNECTING)
    assert await ask(port, b"hello again") == b"hello again"


@asynccontextmanager
async def forwarding() -> AsyncIterator[tuple[psutil.Process, int]]:
    """`ssm-tui forward` to an echo, and its port."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ssm_tui", "forward", "web-1", "7"), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert program.stdout is not None
        ready = await asyncio.wait_for(program.stdout.readline(), 60)
        yield psutil.Process(program.pid), int(ready.rpartition(b":")[2])
    finally:
        program.send_signal(signal.SIGCONT)
        program.terminate()
        await asyncio.wait_for(program.communicate(), 30)


async def served_again(port: int) -> None:
    """No dial is refused. One that is faster than the bad news is reset with the session that it came to."""
    async with asyncio.timeout(30):
        while True:
            try:
                assert await ask(port, b"after") == b"after"
            except (ConnectionResetError, asyncio.IncompleteReadError):
                continue
            return


async def test_everything_suspended(
    clouds: AwsClouds, landscape: Landscape, processes: Processes, faults: FaultClient
) -> None:
    del clouds  # its environment is what the program needs
    async with forwarding() as (program, port):
        assert await ask(port, b"before") == b"before"
        family = [program, *program.children(recursive=True)]
        for each in family:
            each.suspend()
        for session in landscape.active("web-1"):
            await order(faults, Fault.CUT, session=session)
            await order(faults, Fault.TERMINATE, session=session)
        for each in family:
            each.resume()
        await served_again(port)
    assert processes.all() == {}
