"""The soak: a tunnel of the real supervisor is cut in eight ways, round after round, while clients use and dial it.

`make soak ROUNDS=N`, or `python -m tests.e2e.soak N`: a demo cloud of its own, the plugin's own limits, a row a way.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import random
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import psutil

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus, Way
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor
from tests.e2e.soak_clients import Dialling, Stream
from tests.e2e.soak_report import SURVIVED, Cut, Plan, Report, Row

ECHO = 7
RELAYS = ("web-9", "web-10")
_FAULTS = {
    Cut.CLOSE: Fault.CLOSE,
    Cut.RESET: Fault.CUT,
    Cut.SILENCE: Fault.SILENCE,
    Cut.HALF_FRAME: Fault.HALF_FRAME,
    Cut.CHANNEL_CLOSED: Fault.CHANNEL_CLOSED,
    Cut.TERMINATE: Fault.TERMINATE,
}


@dataclass
class _HurriedLauncher:
    """Our plugin with other limits."""

    launcher: Launcher
    plan: Plan

    def prepare(self, spec: SessionSpec) -> Command:
        command = self.launcher.prepare(spec)
        program = (
            "import sys; from ssm_tui.plugin.__main__ import main; from ssm_tui.plugin.limits import Limits; "
            f"sys.exit(main(limits=Limits(ping_every={self.plan.ping}, pong={self.plan.pong})))"
        )
        assert command.argv[:3] == (sys.executable, "-m", "ssm_tui.plugin")
        return replace(command, argv=(sys.executable, "-c", program, *command.argv[3:]))


class Soak:
    """One run. The environment must lead to the cloud already: the supervisor is in this process."""

    def __init__(self, cloud: Mapping[str, str], plan: Plan, folder: Path) -> None:
        self._cloud = cloud
        self._faults = FaultClient(cloud)
        self._report = Report(plan)
        self._folder = folder
        self._relays: tuple[str, ...] = ()
        self._news = asyncio.Event()
        self._gone = itertools.count()
        self._supervisor: TunnelSupervisor | None = None

    async def run(self, tell: Callable[[str], None] = lambda _words: None) -> Report:
        plan, clouds = self._report.plan, AwsClouds((), (self._cloud["AWS_REGION"],))
        self._relays = await asyncio.to_thread(_ids, self._cloud)
        launcher = _HurriedLauncher(Launcher(clouds, LauncherChoice.DIRECT, PluginChoice.OURS, self._folder), plan)
        before = {each.id for each in await asyncio.to_thread(self._faults.sessions)}
        descriptors = _descriptors(self._cloud)
        self._supervisor = TunnelSupervisor(launcher, clouds, patience=plan.patience)
        self._supervisor.subscribe(lambda _status: self._news.set())
        others = tuple(Way(each) for each in self._relays[1:])
        context = Context(None, self._cloud["AWS_REGION"])
        self._supervisor.open(TunnelRequest(context, self._relays[0], ECHO, others=others, most_sessions=2))
        try:
            for number, cut in enumerate(plan.cuts, start=1):
                await self._until(lambda status: status.state is TunnelState.READY, 60.0)
                await asyncio.sleep(plan.stand)
                await self._round(cut)
                tell(f"round {number} of {len(plan.cuts)}: {cut}")
        finally:
            await self._supervisor.close()
        self._report.processes = [" ".join(each.cmdline()[:4]) for each in _session_processes()]
        left = {each.id for each in await asyncio.to_thread(self._faults.sessions)}
        self._report.sessions = sorted(left - before)
        gc.collect()
        self._report.descriptors = sorted(_descriptors(self._cloud) - descriptors)
        return self._report

    @property
    def _status(self) -> TunnelStatus:
        assert self._supervisor is not None
        (status,) = self._supervisor.statuses()
        return status

    async def _until(self, wanted: Callable[[TunnelStatus], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not wanted(self._status):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"still {self._status.state}: {self._status.message}") from None

    async def _round(self, cut: Cut) -> None:
        plan, row = self._report.plan, self._report.rows.setdefault(cut, Row())
        port = self._status.local_port
        assert port is not None
        stream = Stream()
        await stream.open(port)
        dialling = Dialling(port, lambda: cut not in SURVIVED and self._status.sessions > 0)
        loop = asyncio.get_running_loop()
        stream.cut()
        began = loop.time()
        mending = await self._cut(cut)
        served = await dialling.until_served(plan.bound(cut) + 30)
        await asyncio.gather(*mending)
        row.outage = max(row.outage, dialling.first_served - began if served else float("inf"))
        if cut in SURVIVED:
            await stream.passed(512)
            row.hung += stream.reset_at is not None
            row.outage = max(row.outage, stream.stall)
        else:
            row.hung += not await stream.until_reset(plan.reset)
            row.reset = max(row.reset, (stream.reset_at or float("inf")) - began)
        await stream.finish()
        row.rounds += 1
        row.dialled += dialling.dialled
        row.refused += dialling.refused
        row.caught += dialling.caught
        row.unserved += dialling.unserved
        row.carried += stream.received
        row.lost += stream.lost + stream.garbled
        row.doubled += stream.doubled

    async def _cut(self, cut: Cut) -> list[asyncio.Task[None]]:
        """Returns when it is cut; the tasks of what is to be done later."""
        if cut is Cut.KILL:
            for process in _session_processes():
                process.kill()
            return []
        if cut is Cut.RELAY_GONE:
            return [asyncio.create_task(self._relay_back(await self._relay_gone()))]
        await self._order(*(Order(_FAULTS[cut], node=relay) for relay in self._relays))
        return []

    async def _relay_gone(self) -> tuple[str, ...]:
        """The one in use; every second time the others first."""
        via = self._status.via.target
        gone = (via,) if next(self._gone) % 2 == 0 else (*(each for each in self._relays if each != via), via)
        await self._order(*(Order(Fault.NODE_GONE, node=relay) for relay in gone))
        return gone

    async def _relay_back(self, gone: tuple[str, ...]) -> None:
        """Once the tunnel goes another way, or after a second where there is none."""
        if len(gone) == 1:
            await self._until(lambda status: status.via.target != gone[0] and status.state is TunnelState.READY, 60.0)
        else:
            await asyncio.sleep(1.0)
        await self._order(*(Order(Fault.NODE_BACK, node=relay) for relay in gone))

    async def _order(self, *orders: Order) -> None:
        for order in orders:
            await asyncio.to_thread(self._faults.inject, order)


def _ids(cloud: Mapping[str, str]) -> tuple[str, ...]:
    """The relays' ids, the administrator asking."""
    ec2 = boto3.client(
        "ec2",
        region_name=cloud["AWS_REGION"],
        aws_access_key_id=cloud["DEMO_ADMIN_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud["DEMO_ADMIN_SECRET_ACCESS_KEY"],
    )
    found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": list(RELAYS)}])["Reservations"]
    ec2.close()
    return tuple(each["InstanceId"] for reservation in found for each in reservation["Instances"])


def _session_processes() -> list[psutil.Process]:
    """The plugins, without their guards, that this process has started."""
    found = []
    for each in psutil.Process().children(recursive=True):
        try:
            command = each.cmdline()
        except psutil.Error:
            continue
        if "StartSession" in command and not any("guard.py" in word for word in command):
            found.append(each)
    return found


def _descriptors(cloud: Mapping[str, str]) -> set[str]:
    """What this process has open, without the connections that its AWS clients keep."""
    aws = int(cloud["AWS_ENDPOINT_URL"].rpartition(":")[2])
    kept = {str(each.fd) for each in psutil.Process().net_connections() if each.raddr[1:] == (aws,)}
    links = [link for link in Path("/proc/self/fd").iterdir() if link.name not in kept]
    found = set()
    for link in links:
        with contextlib.suppress(OSError):  # the one that listed them is closed
            found.add(f"{link.name} {link.readlink()}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Prints the table, and what is not as it must be."""
    rounds = int(arguments[0]) if arguments else 100
    chance = random.Random(7)
    cuts = [cut for cut in Cut for _ in range(-(-rounds // len(Cut)))]
    chance.shuffle(cuts)
    with tempfile.TemporaryDirectory() as folder, DemoProcess() as cloud:
        os.environ.update(cloud.environment)
        soak = Soak(cloud.environment, Plan(tuple(cuts[:rounds])), Path(folder))
        report = asyncio.run(soak.run(lambda words: print(words, file=sys.stderr, flush=True)))
    print(report.table())
    for fault in report.faults:
        print(fault)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
