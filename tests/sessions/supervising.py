"""A supervisor under test: what it told, which processes and descriptors it has, and the demo cloud around it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Family
from ssm_tui.domain.services import Clouds
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus, may_become
from ssm_tui.sessions.tunnels.patience import Patience
from ssm_tui.sessions.tunnels.session import Preparer
from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor
from tests.demo_cloud import administrator_of

REGION = "ap-northeast-2"
HERE = Context(None, REGION)
QUICK = Patience(
    probe=3,
    client=20,
    first_try=0.05,
    last_try=0.4,
    first_look=0.1,
    last_look=0.4,
    login=0.2,
    count=0.1,
    answer=20,
)
"""What people wait for in seconds, tests need not. What they look for at the service afterwards, they do wait for."""


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

    async def terminate(self, session: str) -> None:
        """As an administrator ends a session."""
        await asyncio.to_thread(lambda: self.ssm.terminate_session(SessionId=session))

    def _sessions(self, name: str, state: str) -> list[str]:
        wanted = [{"key": "Target", "value": self.nodes[name]}]
        return [one["SessionId"] for one in self.ssm.describe_sessions(State=state, Filters=wanted)["Sessions"]]

    def to_node(self, name: str, port: int, **more: Any) -> TunnelRequest:
        return TunnelRequest(HERE, self.nodes[name], port, **more)

    def to_database(self, name: str, relay: str, **more: Any) -> TunnelRequest:
        host, port = self.databases[name]
        return TunnelRequest(HERE, self.nodes[relay], port, host=host, family=Family.POSTGRES, **more)


@dataclass
class Watched:
    """A supervisor, and every status it told."""

    supervisor: TunnelSupervisor
    told: list[TunnelStatus] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, status: TunnelStatus) -> None:
        before = self.last(status.id)
        if before is not None:
            assert may_become(before.state, status.state), (before, status)
        self.told.append(status)
        self._news.set()

    def last(self, number: int) -> TunnelStatus | None:
        return next((status for status in reversed(self.told) if status.id == number), None)

    def states(self, number: int) -> list[TunnelState]:
        """The states that it went through."""
        states = [status.state for status in self.told if status.id == number]
        return [state for at, state in enumerate(states) if not at or states[at - 1] is not state]

    async def until(self, number: int, *states: TunnelState, seconds: float = 30) -> TunnelStatus:
        """Waits for a state; another end fails at once."""
        return await self.until_so(number, lambda status: status.state in states, seconds=seconds)

    async def until_so(self, number: int, so: Callable[[TunnelStatus], bool], *, seconds: float = 30) -> TunnelStatus:
        """Waits until the last status is so; another end fails at once."""
        async with asyncio.timeout(seconds):
            while True:
                now = self.last(number)
                if now is not None and so(now):
                    return now
                assert now is None or not now.state.ended, now
                self._news.clear()
                await self._news.wait()

    async def until_again(self, number: int, *states: TunnelState, seconds: float = 30) -> TunnelStatus:
        """Waits for a state that is told from now on."""
        first = len(self.told)

        def told_anew(_: TunnelStatus) -> bool:
            return any(status.id == number and status.state in states for status in self.told[first:])

        await self.until_so(number, told_anew, seconds=seconds)
        return next(status for status in self.told[first:] if status.id == number and status.state in states)

    async def until_said(self, number: int, words: str) -> TunnelStatus:
        async with asyncio.timeout(30):
            while True:
                for status in self.told:
                    if status.id == number and words in status.message:
                        return status
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

    def plugins(self) -> list[int]:
        """The pids of the plugins."""
        return [pid for pid, words in self.all().items() if b"guard.py" not in words]

    def plugin(self) -> int:
        """The pid of the only plugin."""
        (pid,) = self.plugins()
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


@asynccontextmanager
async def supervised(
    launcher: Preparer, clouds: Clouds, processes: Processes, patience: Patience = QUICK, **more: Any
) -> AsyncIterator[Watched]:
    """A supervisor; at the end nothing of its tunnels may be left, neither process nor descriptor."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    clouds.open(HERE).identify()  # what botocore opens once is not counted
    supervisor = TunnelSupervisor(launcher, clouds, patience=patience, **more)
    one = Watched(supervisor)
    supervisor.subscribe(one.hear)
    before = descriptors(endpoint)
    try:
        yield one
    finally:
        async with asyncio.timeout(40):
            await supervisor.close()
    assert all(status.state.ended for status in supervisor.statuses())
    assert not [task for task in asyncio.all_tasks() if "Session._live" in repr(task.get_coro())]
    assert processes.all() == {}
    async with asyncio.timeout(5):  # asyncio closes what was closed in its next rounds
        while len(descriptors(endpoint)) > len(before):
            await asyncio.sleep(0.01)


async def ask(port: int | None, words: bytes) -> bytes:
    """What an echo answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    answer = await asyncio.wait_for(reader.readexactly(len(words)), 20)
    writer.close()
    await writer.wait_closed()
    return answer


async def order(faults: FaultClient, fault: Fault, **what: Any) -> None:
    """One fault, ordered while the loop goes on."""
    await asyncio.to_thread(lambda: faults.inject(Order(fault, **what)))


@contextmanager
def forbidden(demo: DemoProcess) -> Iterator[None]:
    """The developer may start no session meanwhile."""
    iam = administrator_of(demo).client("iam")
    deny = {"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_user_policy(UserName="developer", PolicyName="forbidden", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_user_policy(UserName="developer", PolicyName="forbidden")
