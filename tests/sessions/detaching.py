"""A detached supervisor for tests, in this process or as a program, with tunnels that do as they are told."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.sessions.detached.attach import Supervisors
from ssm_tui.sessions.detached.daemon import detach
from ssm_tui.sessions.detached.rendezvous import Rendezvous
from ssm_tui.sessions.detached.server import DetachedServer
from tests.builders import SEOUL, database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_PROFILE": "dev", "AWS_SECRET_ACCESS_KEY": "hunter22"}


def request(name: str = "orders", **fields: Any) -> TunnelRequest:
    """A tunnel to a database of this name."""
    its = database(name)
    whole = {"target": "i-0a1b2c3d4e5f60718", "host": its.endpoint, "title": name, "database": its, **fields}
    return TunnelRequest(SEOUL, port=5432, **whole)


class ObedientTunnels:
    """Implements `Tunnels`; `at_once`: each is ready as soon as it was opened."""

    def __init__(self, *, at_once: bool = False) -> None:
        self._at_once = at_once
        self._statuses: dict[int, TunnelStatus] = {}
        self._listeners: list[Callable[[TunnelStatus], None]] = []
        self.done: list[tuple[str, object]] = []
        """What was asked beside opening and stopping."""

    def open(self, wanted: TunnelRequest) -> int:
        number = len(self._statuses) + 1
        self._statuses[number] = TunnelStatus(number, wanted, TunnelState.STARTING, NOON)
        self.become(number, TunnelState.STARTING, message="starting the session")
        if self._at_once:
            port = wanted.local_port or 15000 + number
            asyncio.get_running_loop().call_soon(lambda: self.become(number, TunnelState.READY, local_port=port))
        return number

    def become(self, number: int, state: TunnelState, **changes: Any) -> None:
        self._statuses[number] = replace(self._statuses[number], state=state, **changes)
        for listener in tuple(self._listeners):
            listener(self._statuses[number])

    async def stop(self, tunnel: int) -> None:
        self.become(tunnel, TunnelState.STOPPING)
        await asyncio.sleep(0)
        self.become(tunnel, TunnelState.STOPPED)

    async def close(self) -> None:
        for status in self.statuses():
            if not status.state.ended:
                await self.stop(status.id)

    def statuses(self) -> tuple[TunnelStatus, ...]:
        return tuple(self._statuses.values())

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def retry(self, tunnel: int) -> None:
        self.done.append(("retry", tunnel))

    def renew(self, profile: str | None) -> None:
        self.done.append(("renew", profile))

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        return (TunnelEvent(NOON, TunnelState.READY, f"of {tunnel}"),)

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        return (Connection(f"127.0.0.1:{tunnel}", NOON, 1, 2),)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder with a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="detached-") as name:
        yield Path(name) / "run"


@asynccontextmanager
async def serving(place: Path, tunnels: ObedientTunnels, version: str = "1") -> AsyncIterator[DetachedServer]:
    """A supervisor in this process; it has ended at the end."""
    rendezvous = Rendezvous(place)
    rendezvous.prepare()
    claim = await rendezvous.claim(5)
    assert claim is not None
    server = DetachedServer(tunnels, claim, version=version, environment=ENVIRONMENT)
    work = asyncio.create_task(server.serve())
    try:
        yield server
    finally:
        server.end()
        await work


def supervisors(place: Path, version: str = "1", environment: dict[str, str] | None = None) -> Supervisors:
    """How to come by a supervisor there: started, it is this program, of this version."""
    own = dict(ENVIRONMENT if environment is None else environment)
    base = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return Supervisors(
        Rendezvous(place), (sys.executable, "-m", "tests.sessions.detaching", str(place), version), version, base | own
    )


def files(place: Path) -> dict[str, int]:
    """What is in the folder, each with its mode."""
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in place.iterdir()} if place.exists() else {}


async def until(test: Callable[[], bool], seconds: float = 20) -> None:
    """Until it holds; AssertionError where it does not come to that."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not test():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)


async def _serve(place: Path, version: str, serves: Callable[[], None]) -> None:
    rendezvous = Rendezvous(place)
    claim = await rendezvous.claim(20)
    if claim is None:
        serves()
        return
    with (place / "served").open("a", encoding="utf-8") as file:
        file.write(f"{version} {os.getpid()}\n")
    server = DetachedServer(ObedientTunnels(at_once=True), claim, version=version, environment=os.environ)
    serves()
    await server.serve()


if __name__ == "__main__":
    starting = detach()
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2], starting.serves))
