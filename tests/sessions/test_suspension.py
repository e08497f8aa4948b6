"""A session's process that is stopped for longer than the service waits, and goes on, by SIGSTOP and SIGCONT.

Whole programs that sleep are in tests/e2e/test_suspended.py.
"""

from __future__ import annotations

import os
import signal
import sys

import pytest

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
