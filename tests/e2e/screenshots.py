"""Makes screenshots/: the real interface on the demo cloud, as SVG and, for those who browse the folder, PNG.

    make screenshots

The PNGs take their letters from the system's fonts: DejaVu Sans Mono, Noto Sans CJK and Noto Color Emoji (Debian's
fonts-dejavu-core, fonts-noto-cjk, fonts-noto-color-emoji). Every session in them is a real one.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from functools import partial
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from typing import Any

import resvg_py
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor
from ssm_tui.ui.app import Services, SsmTui

FOLDER = Path(__file__).parents[2] / "screenshots"
SIZES = {"": (120, 35), "-80x24": (80, 24), "-200x50": (200, 50)}
_PATIENCE = 30.0

CELL = 12.2  # the width of a cell in the export (its letters are 20 high)
LETTERS = "DejaVu Sans Mono"
WIDE = "Noto Sans CJK KR"
FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
TEXT = re.compile(
    r'<text class="(?P<class>[^"]+)" x="(?P<x>[^"]+)" (?P<rest>[^>]*)textLength="(?P<length>[^"]+)"'
    r"(?P<more>[^>]*)>(?P<text>[^<]*)</text>"
)


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
    picture = TEXT.sub(apart, pilot.app.export_screenshot(title="ssm-tui", simplify=True))
    (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    # The SVG names a web font, which a renderer without a network has not: the system's stand in.
    local = FONT_FACE.sub("", picture).replace("Fira Code", LETTERS)
    (FOLDER / f"{name}.png").write_bytes(resvg_py.svg_to_bytes(svg_string=local))


def apart(found: re.Match[str]) -> str:
    """A run of text with wide letters as several: a renderer takes one font for a whole run, and the export counts
    letters, not cells, for its length."""
    text = unescape(found["text"])
    if cell_len(text) in (0, len(text)):
        return found[0]
    x, pieces = float(found["x"]), []
    # Each wide letter stands alone, so that none drifts from its two cells.
    for place, letters in groupby(enumerate(text), lambda at: at[0] if cell_len(at[1]) > 1 else -1):
        wide, run = place >= 0, "".join(letter for _, letter in letters)
        style = f'style="font-family: {WIDE}" ' if wide else ""
        where = f'x="{x:g}" {style}{found["rest"]}textLength="{cell_len(run) * CELL:g}"{found["more"]}'
        shown = escape(run).replace("\u00a0", "&#160;")
        pieces.append(f'<text class="{found["class"]}" {where}>{shown}</text>')
        x += cell_len(run) * CELL
    return "".join(pieces)


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
