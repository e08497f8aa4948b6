"""The Textual application: themes, one home screen, the palette. Everything else lives where it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import App

from ssm_tui.ui.palette import ActionProvider
from ssm_tui.ui.screens.home import Home
from ssm_tui.ui.services import Clipboard, HandOver, Services, UiSettings
from ssm_tui.ui.themes import DEFAULT_THEME, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.command import Provider

__all__ = ["Clipboard", "HandOver", "Services", "SsmTui", "UiSettings", "run"]


class SsmTui(App[None]):
    """ssm-tui."""

    TITLE = "ssm-tui"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionProvider}
    ENABLE_COMMAND_PALETTE = True
    CSS = """
    Toast { padding: 0 1; background: $panel; max-width: 70%; width: 66; }
    """

    def __init__(self, services: Services, filter_text: str = "") -> None:
        super().__init__()
        self._services, self._filter_text = services, filter_text
        for theme in THEMES:
            self.register_theme(theme)
        wanted = services.settings.theme
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME
        self._home: Home | None = None

    def get_default_screen(self) -> Home:
        """The one screen; made here because its tunnels belong to the running event loop."""
        self._home = Home(self._services, self._filter_text)
        return self._home

    async def action_quit(self) -> None:
        """Ctrl-Q leaves like q does, with the same question."""
        if self.screen is self._home:
            self._home.action_leave()

    async def on_unmount(self) -> None:
        """However the app ends, its tunnels end with it."""
        if self._home is not None:
            await self._home.close()


def run(services: Services, *, filter_text: str = "") -> int:
    """Runs the app until it is left. Its exit status: 0, or 1 after a failure of its own."""
    app = SsmTui(services, filter_text)
    app.run()
    return app.return_code or 0
