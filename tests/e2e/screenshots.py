"""Makes screenshots/: the real interface on the demo cloud, as SVG and, for those who browse the folder, PNG.

    make screenshots
    python -m tests.e2e.screenshots FOLDER

The PNGs take their letters from the system's fonts: DejaVu Sans Mono, Noto Sans CJK and Noto Color Emoji (Debian's
fonts-dejavu-core, fonts-noto-cjk, fonts-noto-color-emoji). Every session in them is a real one.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from ssm_tui.aws.live import AwsClouds
from ssm_tui.commands.requests import Requests
from ssm_tui.config import Settings
from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.credentials import Secret
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor
from ssm_tui.store.authorities import known
from ssm_tui.ui.app import Services, SsmTui
from tests.e2e.outage import SAVED, Outage, busy_clients
from tests.e2e.pictures import save, text_of

FOLDER = Path(__file__).parents[2] / "screenshots"
SIZES = {"": (120, 35), "-80x24": (80, 24), "-200x50": (200, 50)}
_PATIENCE = 60.0


class NoClipboard:
    """A picture needs none."""

    async def copy(self, _app: App[Any], _text: str) -> str:
        return "not copied"

    async def lend(self, _app: App[Any], _secret: Secret) -> bool:
        return False

    async def take_back(self) -> bool:
        return False


class Photographer:
    """One app on the demo cloud at one size, and the pictures of it."""

    def __init__(self, cloud: DemoProcess, launcher: Launcher, folder: Path, suffix: str) -> None:
        self._cloud, self._launcher, self._folder, self._suffix = cloud, launcher, folder, suffix
        self._clouds = AwsClouds()
        self._supervisors: list[TunnelSupervisor] = []

    def _supervise(self) -> TunnelSupervisor:
        self._supervisors.append(TunnelSupervisor(self._launcher, self._clouds))
        return self._supervisors[-1]

    async def tour(self, size: tuple[int, int]) -> None:
        """Every picture."""
        services = Services(
            clouds=self._clouds,
            shells=self._launcher,
            tunnels=self._supervise,
            clipboard=NoClipboard(),
            hand_over=None,
            saved=SAVED,
            resolve=Requests(self._clouds, lambda _profiles, _regions: self._clouds, Settings(tunnels=SAVED)).resolve,
            trust=lambda: known(self._cloud.environment["SSM_TUI_CA_BUNDLE"], self._folder),
        )
        app = SsmTui(services)
        async with app.run_test(size=size) as pilot:
            await self._lists(pilot)
            await self._tunnels(pilot)

    async def _lists(self, pilot: Pilot[None]) -> None:
        await self._until(pilot, lambda seen: "fresh" in seen and "s f r" in seen)
        await pilot.press(*["down"] * 8)
        await self._save(pilot, "nodes")
        await self._why(pilot, "team=search", "why", "To ask for")
        await self._why(pilot, "frozen=yes", "why-forbidden", "NotWhereFrozen")
        await self._filter(pilot, "env=prod access:shell api")
        await self._save(pilot, "filter")
        await pilot.press("enter", "2")
        await self._until(pilot, lambda seen: "orders-proxy" in seen)
        while "▌ orders postgres" not in text_of(pilot.app):
            await pilot.press("down")
        await self._save(pilot, "databases")

    async def _filter(self, pilot: Pilot[None], text: str) -> None:
        """Types a filter; what it finds is counted."""
        await pilot.press("slash", *text)
        await self._until(pilot, lambda seen: re.search(r"Nodes \d+/", seen) is not None)

    async def _why(self, pilot: Pilot[None], wanted: str, name: str, seen: str) -> None:
        """Why the first of these nodes may not be entered; where there is little room, the end of it."""
        await self._filter(pilot, wanted)
        await pilot.press("enter", "w")
        await self._until(pilot, lambda text: "stands in the way" in text)
        if seen not in text_of(pilot.app):
            await pilot.press("G")
        await self._until(pilot, lambda text: seen in text)
        await self._save(pilot, name)
        await pilot.press("escape", "escape")

    async def _tunnels(self, pilot: Pilot[None]) -> None:
        """From the database that is highlighted: its tunnel, then others in trouble."""
        outage = Outage(
            pilot,
            lambda seen: self._until(pilot, seen),
            self._supervisors[-1],
            FaultClient(self._cloud.environment),
        )
        await pilot.press("enter")
        await self._until(pilot, lambda _: outage.is_in("orders", TunnelState.READY))
        await pilot.press("y")
        await self._until(pilot, lambda seen: "postgresql://" in seen)
        await self._save(pilot, "copy")
        await pilot.press("escape", "3")
        orders = outage.status("orders")
        assert orders is not None
        assert orders.local_port is not None
        async with busy_clients(orders.local_port, self._cloud.environment):
            await outage.happens()
            await pilot.press("home", "down")
            await self._until(pilot, lambda seen: "next try" in seen)
            await self._save(pilot, "tunnels")
            await outage.over()

    async def _save(self, pilot: Pilot[None], name: str) -> None:
        pilot.app.clear_notifications()
        await pilot.pause(0.3)
        save(pilot.app, self._folder, f"{name}{self._suffix}")

    async def _until(self, pilot: Pilot[None], seen: Callable[[str], bool]) -> None:
        """Waits until the screen shows what is wanted."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not seen(text_of(pilot.app)):
                    await pilot.pause(0.05)
        except TimeoutError:
            raise SystemExit(f"not seen in time; the screen was:\n{text_of(pilot.app)}") from None


def main(folder: Path) -> None:
    """All pictures, on a demo cloud of their own."""
    folder.mkdir(exist_ok=True)
    with DemoProcess() as cloud, tempfile.TemporaryDirectory() as programs:
        os.environ.update(cloud.environment)
        for suffix, size in SIZES.items():
            launcher = Launcher(AwsClouds(), LauncherChoice.DIRECT, PluginChoice.OURS, Path(programs))
            asyncio.run(Photographer(cloud, launcher, folder, suffix).tour(size))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
