"""Tunnels in several states at once, for a picture: real ones, and the demo cloud's faults for what befalls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import psycopg
from textual.pilot import Pilot

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.domain.saved import SavedTunnel
from ssm_tui.domain.tunnels import TunnelState, TunnelStatus
from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor

RELAY = "web-1"
SAVED = (
    SavedTunnel(name="cache", database="sessions", relay=RELAY),
    SavedTunnel(name="billing", target="정산-배치-1", port=8080),
    SavedTunnel(name="catalog", database="catalog", on_demand=True),
    SavedTunnel(name="reports", target="web-2", port=8080),
)
CLIENTS = 3  # so many connections that are busy want as many sessions
ROWS = 3_000_000  # bytes that each of them reads
COUNTDOWN = 5.0  # seconds that are left until the next try in the picture, at least

Until = Callable[[Callable[[str], bool]], Awaitable[None]]


class Outage:
    """Brings the saved tunnels of the Tunnels view up by their rows, then troubles two of them. The view must show
    `orders`, opened by hand, and SAVED below it."""

    def __init__(self, pilot: Pilot[None], until: Until, supervisor: TunnelSupervisor, faults: FaultClient) -> None:
        self._pilot, self._until, self._supervisor, self._faults = pilot, until, supervisor, faults

    def status(self, name: str) -> TunnelStatus | None:
        """The latest tunnel of this name."""
        found = [status for status in self._supervisor.statuses() if status.request.heading == name]
        return found[-1] if found else None

    def is_in(self, name: str, state: TunnelState) -> bool:
        status = self.status(name)
        return status is not None and status.state is state

    async def happens(self) -> None:
        """`cache` reconnects with a countdown, `billing` waits for a sign-in, `catalog` for its first connection."""
        await self._up("cache", TunnelState.READY)
        billing = await self._up("billing", TunnelState.READY)
        await self._up("catalog", TunnelState.IDLE)
        await self._inject(Order(Fault.EXPIRE_CREDENTIALS))
        await self._end(billing)
        await self._until(lambda _: self.is_in("billing", TunnelState.PAUSED))
        # The tunnel looks again half a minute later; the next one shall not find that its credentials are old.
        await self._inject(Order(Fault.RENEW_CREDENTIALS))
        await self._inject(Order(Fault.NODE_GONE, node=RELAY))
        await self._until(lambda _: self._counts_down())

    async def over(self) -> None:
        """For the next picture."""
        await self._inject(Order(Fault.CLEAR))

    async def _up(self, name: str, state: TunnelState) -> set[str]:
        """The sessions that it has."""
        before = await self._sessions()
        await self._pilot.press("down", "enter")
        await self._until(lambda _: self.is_in(name, state))
        return await self._sessions() - before

    async def _end(self, sessions: set[str]) -> None:
        for session in sessions:
            await self._inject(Order(Fault.TERMINATE, session=session))

    def _counts_down(self) -> bool:
        status = self.status("cache")
        if status is None or status.state is not TunnelState.RECONNECTING or status.next_try is None:
            return False
        return (status.next_try - datetime.now(UTC)).total_seconds() > COUNTDOWN

    async def _sessions(self) -> set[str]:
        return {session.id for session in await asyncio.to_thread(self._faults.sessions)}

    async def _inject(self, order: Order) -> None:
        await asyncio.to_thread(self._faults.inject, order)


@asynccontextmanager
async def busy_clients(port: int, environment: Mapping[str, str]) -> AsyncIterator[None]:
    """Connections of a database client that have read something, and stay."""
    where = f"host=127.0.0.1 port={port} user=app dbname=orders"
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                await psycopg.AsyncConnection.connect(where, password=environment["DEMO_DB_PASSWORD"])
            )
            for _ in range(CLIENTS)
        ]
        for number, client in enumerate(clients, 1):
            await client.execute("select repeat('x', %s)", (number * ROWS,))
        yield
