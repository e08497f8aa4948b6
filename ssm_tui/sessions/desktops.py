"""The remote desktop client of this machine: found, and started so that it goes on without us."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from ssm_tui.background import in_background
from ssm_tui.domain.desktops import choose
from ssm_tui.domain.sessions import Command
from ssm_tui.errors import PrerequisiteError

if TYPE_CHECKING:
    from ssm_tui.domain.desktops import DesktopClient

MOMENT = 3.0  # seconds; a client that fails sooner did not come up


class Desktops:
    """Implements `Desktops` (ssm_tui.ui.services)."""

    def find(self, address: str) -> DesktopClient | None:
        """The client for the address, by what is on PATH. Blocks briefly."""
        graphical = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
        return choose(address, sys.platform, shutil.which, graphical=graphical)

    async def start(self, command: Command) -> int | None:
        """Starts it beside us; its status where it has ended within a moment, None while it runs. Raises
        PrerequisiteError."""
        # The thread waits on, so that no zombie is left.
        ended = in_background(_started(command).wait, "desktop client")
        done, _ = await asyncio.wait({ended}, timeout=MOMENT)
        return ended.result() if done else None


def browser(url: str) -> Command | None:
    """What opens the address in the user's browser; None where there is no desktop to open it on. Its program ends at
    once, or stays with the browser, and says nothing on our terminal, which a browser by Python's own choice would."""
    if any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")):
        return None
    if sys.platform == "darwin":
        return Command(("open", url))
    if sys.platform == "win32":
        return Command(("rundll32", "url.dll,FileProtocolHandler", url))
    graphical = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opener = shutil.which("xdg-open") if graphical else None
    return Command((opener, url)) if opener else None


def _started(command: Command) -> subprocess.Popen[bytes]:
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command.argv,
            env={**os.environ, **command.environment},
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
        )
    except OSError as problem:
        raise PrerequisiteError(
            f"{command.argv[0]} cannot be started: {problem.strerror}", "is it installed?"
        ) from None
