"""What a supervisor keeps of tunnels that have ended."""

from __future__ import annotations

import asyncio

import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.sessions.tunnels import supervisor
from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor
from tests.sessions.supervising import HERE

NO_PORT = TunnelRequest(HERE, "i-0a1b2c3d4e5f60718", 7, local_port=70_000)


class Nothing:
    """A preparer of sessions that are never asked for."""

    def prepare(self, spec: SessionSpec) -> Command:
        raise AssertionError(spec)


async def test_of_ended_tunnels_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "KEPT", 3)
    tunnels = TunnelSupervisor(Nothing(), AwsClouds())
    ended: asyncio.Queue[int] = asyncio.Queue()

    def hear(status: TunnelStatus) -> None:
        if status.state is TunnelState.FAILED:
            ended.put_nowait(status.id)

    tunnels.subscribe(hear)
    for number in range(1, 9):
        assert tunnels.open(NO_PORT) == number
        assert await asyncio.wait_for(ended.get(), 10) == number
        await tunnels.stop(number)
    assert [status.id for status in tunnels.statuses()] == [5, 6, 7, 8]
    assert await tunnels.history(8)
    # Whoever still shows one that is forgotten may ask for it.
    assert await tunnels.history(1) == ()
    assert await tunnels.carried(1) == ()
    tunnels.retry(1)
    await tunnels.stop(1)
    await tunnels.close()
