"""`ssm-tui` without a command: the interface, with the services it needs. The only way to Textual."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ssm_tui.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from ssm_tui.commands.program import Program
    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.store.wanted import WantedTunnels


def run(program: Program, filter_text: str) -> int:
    """Runs the interface until the user leaves it. Raises UsageError for a filter that does not parse, an unknown
    theme, or where there is no terminal."""
    if filter_text:
        from ssm_tui.domain.filters import parse
        from ssm_tui.domain.nodes import NODE_FIELDS

        parse(filter_text, NODE_FIELDS, program.filters)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the interface needs a terminal", "without one, list nodes with `ssm-tui ls`; see also --help")
    from ssm_tui.ui.tidying import hold

    hold()  # before anything much is loaded
    from ssm_tui.commands.sign_in import SignIns
    from ssm_tui.sessions.clients import Clients
    from ssm_tui.sessions.desktops import Desktops, browser
    from ssm_tui.ui.absent import NoChoices, NoMemory, NothingPicked
    from ssm_tui.ui.app import Services, UiSettings
    from ssm_tui.ui.app import run as run_interface
    from ssm_tui.ui.clipboard import SystemClipboard
    from ssm_tui.ui.handover import TerminalHandOver
    from ssm_tui.ui.themes import THEMES

    settings = program.settings
    known = [theme.name for theme in THEMES]
    if settings.theme is not None and settings.theme not in known:
        raise ConfigError(f"theme = {settings.theme!r} is not allowed", f"theme is one of {', '.join(known)}")
    chosen = UiSettings()
    program.start_log()
    services = Services(
        clouds=program.clouds,
        shells=program.launcher,
        tunnels=program.all_tunnels,
        clipboard=SystemClipboard(),
        hand_over=TerminalHandOver(),
        settings=UiSettings(
            columns=chosen.columns if settings.columns is None else settings.columns,
            theme=settings.theme or chosen.theme,
            most_sessions=settings.sessions_per_tunnel,
            refresh_seconds=settings.refresh_seconds,
            shell_document=settings.shell_document,
            production=program.production,
            clipboard_seconds=settings.clipboard_seconds,
            client_linger_seconds=settings.client_linger_seconds,
        ),
        saved=settings.tunnels,
        groups=settings.groups,
        filters=settings.filters,
        resolve=program.resolve,
        sign_ins=SignIns(),
        codes=program.desk,
        browser=browser,
        desktops=Desktops(),
        clients=Clients(settings.clients),
        left_over=LeftOver(program.wanted),
        grants=program.grants,
        memory=program.memory or NoMemory(),
        choices=program.choices or NoChoices(),
        accounts=program.clouds,
        picked=program.picked or NothingPicked(),
        trust=program.trust,
        client_files=program.client_files,
        preferences=program.preferences,
    )
    return run_interface(services, filter_text=filter_text)


class LeftOver:
    """What was open when the machine stopped, for the interface."""

    def __init__(self, wanted: WantedTunnels) -> None:
        self._wanted = wanted

    def offered(self) -> tuple[TunnelRequest, ...]:
        """The tunnels that nobody has taken up since."""
        return self._wanted.left_over()

    def forget(self) -> None:
        """They are not offered again."""
        self._wanted.forget()
