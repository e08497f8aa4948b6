"""The app on fakes in a real terminal: `python -m tests.ui.terminal_app COMMAND …` runs COMMAND for every shell."""

from __future__ import annotations

import sys

from ssm_tui.domain.sessions import Command
from ssm_tui.ui.app import run
from ssm_tui.ui.handover import TerminalHandOver
from ssm_tui.ui.services import Services
from tests.ui.fakes import NOW
from tests.ui.fleet import small_world


def main() -> int:
    world = small_world()
    world.shells.command = Command(tuple(sys.argv[1:]), {"PS1": "far$ "})
    ready = world.services()
    services = Services(
        clouds=ready.clouds,
        shells=ready.shells,
        tunnels=ready.tunnels,
        clipboard=ready.clipboard,
        hand_over=TerminalHandOver(),
        clock=lambda: NOW,
    )
    return run(services, filter_text="web-10")


if __name__ == "__main__":
    sys.exit(main())
