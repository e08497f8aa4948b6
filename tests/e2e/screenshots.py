"""Makes screenshots/: the real interface on the demo cloud, as SVG and, for those who browse the folder, PNG.

    make screenshots

The PNGs take their letters from the system's fonts: install a monospace one with CJK and emoji beside it. Every session
in them is a real one.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import resvg_py
from textual.app import App
from textual.pilot import Pilot

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from ssm_tui.sessions.tunnels import TunnelSupervisor
from ssm_tui.ui.app import Services, SsmTui

FOLDER = Path(__file__).parents[2] / "screenshots"
SIZES = {"": (120, 35), "-80x24": (80, 24), "-200x50": (200, 50)}
_PATIENCE = 30.0


class NoClipboard:
    """A picture needs none."""

    async def copy(self, _app: App[Any], _text: str) -> str:
        return "not copied"


async def until(pilot: Pilot[None], seen: Callable[[str], bool]) -> None:
    """Waits until the screen shows what is wanted."""
    try:
        async with asyncio.timeout(_PATIENCE):
            while not seen(text_of(pilot)):
                await pilot.pause(0.05)
    except TimeoutError:
        raise SystemExit(f"not seen in time; the screen was:\n{text_of(pilot)}") from None


def text_of(pilot: Pilot[None]) -> str:
    """The letters on the screen."""
    picture = re.sub(r"<style>.*?</style>", "", pilot.app.export_screenshot(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", picture).replace("&#160;", " "))


def save(pilot: Pilot[None], name: str) -> None:
    """Writes NAME.svg and NAME.png."""
    picture = pilot.app.export_screenshot(title="ssm-tui", simplify=True)
    (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    # The SVG names a web font, which a renderer without a network has not: the system's monospace stands in.
    local = picture.replace("Fira Code", "monospace")
    (FOLDER / f"{name}.png").write_bytes(
        resvg_py.svg_to_bytes(svg_string=local, monospace_family=os.environ.get("SCREENSHOT_FONT", "DejaVu Sans Mono"))
    )


async def tour(services: Services, supervisors: list[TunnelSupervisor], suffix: str, size: tuple[int, int]) -> None:
    """The five pictures at one size. The last of `supervisors` is the one of this app."""

    def states() -> list[str]:
        return [status.state.value for status in supervisors[-1].statuses()]

    app = SsmTui(services)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda seen: "fresh" in seen and "s f r" in seen)
        await pilot.press(*["down"] * 8)
        await pilot.pause()
        save(pilot, f"nodes{suffix}")
        await pilot.press("slash", *"env=prod access:shell api")
        await until(pilot, lambda seen: " 8/" in seen)
        save(pilot, f"filter{suffix}")
        await pilot.press("enter", "2")
        await until(pilot, lambda seen: "orders-proxy" in seen)
        await pilot.press(*["down"] * 5)
        await pilot.pause()
        save(pilot, f"databases{suffix}")
        await pilot.press("enter")
        await until(pilot, lambda seen: "⇄ 1 tunnel" in seen and states() == ["ready"])
        await pilot.pause(0.5)
        await pilot.press("y")
        await until(pilot, lambda seen: "postgresql://" in seen)
        save(pilot, f"copy{suffix}")
        await pilot.press("escape", "up", "up", "up", "up", "up", "enter", "down", "enter")
        await until(pilot, lambda _: states() == ["ready", "failed", "ready"])
        await pilot.press("3")
        await pilot.pause()
        save(pilot, f"tunnels{suffix}")


def supervise(launcher: Launcher, clouds: AwsClouds, supervisors: list[TunnelSupervisor]) -> TunnelSupervisor:
    """A supervisor that can be asked how its tunnels are."""
    supervisors.append(TunnelSupervisor(launcher, clouds))
    return supervisors[-1]


def main() -> None:
    """All pictures, on a demo cloud of their own."""
    FOLDER.mkdir(exist_ok=True)
    supervisors: list[TunnelSupervisor] = []
    with DemoProcess() as cloud:
        os.environ.update(cloud.environment)
        for suffix, size in SIZES.items():
            clouds = AwsClouds()
            launcher = Launcher(clouds, LauncherChoice.DIRECT, PluginChoice.OURS, FOLDER)
            services = Services(
                clouds=clouds,
                shells=launcher,
                tunnels=partial(supervise, launcher, clouds, supervisors),
                clipboard=NoClipboard(),
                hand_over=None,
            )
            asyncio.run(tour(services, supervisors, suffix, size))


if __name__ == "__main__":
    main()
