"""The Textual application: themes, one home screen, the palette. Everything else lives where it is about."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.notifications import Notify

from ssm_tui.ui.palette import ActionProvider
from ssm_tui.ui.screens.home import Home
from ssm_tui.ui.services import Clipboard, HandOver, Services, UiSettings
from ssm_tui.ui.themes import DEFAULT_THEME, THEMES
from ssm_tui.ui.tidying import Tidying
from ssm_tui.ui.toasts import LastingNotification

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.command import Provider
    from textual.driver import Driver
    from textual.notifications import SeverityLevel

__all__ = ["Clipboard", "HandOver", "Services", "SsmTui", "UiSettings", "run"]


TOLD = 3  # messages that stand on the screen at once
TIDY = 5.0  # seconds between looks whether it is time to
GRACE = 10.0  # seconds that the ending of tunnels may take where the app is ended by a signal
PARTING = 1.0  # and what is left once they have, where the terminal is gone


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
        self._tidying = Tidying()
        self._ending: asyncio.Future[None] | None = None

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, which for a terminal on POSIX is one that some input ends."""
        chosen = super().get_driver_class()
        if chosen.__name__ != "LinuxDriver":
            return chosen
        from ssm_tui.ui.terminal_input import ToughDriver

        return ToughDriver

    def _fatal_error(self) -> None:
        """As every app does, without the values of variables: there may be a token among them."""
        from rich.traceback import Traceback

        self.panic(Traceback())

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """As every app does, with a notification that cannot hang it."""
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Notify(LastingNotification(message, title, severity, seconds, markup=markup)))

    def _refresh_notifications(self) -> None:
        """The newest few: a pile of them would hide the list that they tell of."""
        for old in list(self._notifications)[:-TOLD]:
            self._unnotify(old, refresh=False)
        super()._refresh_notifications()

    def get_default_screen(self) -> Home:
        """The one screen; made here because its tunnels belong to the running event loop."""
        self._home = Home(self._services, self._filter_text)
        return self._home

    async def on_event(self, event: events.Event) -> None:
        """Every key and every movement of the mouse passes here, whoever takes it."""
        if isinstance(event, events.InputEvent) and self._home is not None:
            self._home.touched()
            self._tidying.touched()
        await super().on_event(event)

    async def action_quit(self) -> None:
        """Ctrl-Q leaves like q does, with the same question; a dialog or the palette it leaves first."""
        if self._home is not None and self.screen is self._home:
            self._home.action_leave()
        else:
            self.screen.dismiss(None)

    def on_mount(self) -> None:
        """A kill or a closed terminal ends the app as leaving it does, without a question."""
        self.call_after_refresh(self._tidying.begin)
        self.set_interval(TIDY, self._tidy)
        if sys.platform != "win32":
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._ended_by, number)

    def _tidy(self) -> None:
        if self._home is not None:
            self._tidying.look(reading=self._home.reading)

    def _ended_by(self, number: int) -> None:
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end(number))

    async def _end(self, number: int) -> None:
        # A terminal that is gone takes no more writes, and Textual's driver may wait for it for ever: tunnels end
        # first, and a thread decides how long the rest may take.
        _end_within(GRACE, 128 + number)
        if self._home is not None:
            await self._home.close()
        if number == signal.SIGHUP:
            _end_within(PARTING, 128 + number)
        self.exit(return_code=128 + number)

    async def on_unmount(self) -> None:
        """However the app ends, its tunnels end with it."""
        self._tidying.end()
        if self._home is not None:
            await self._home.close()


def _end_within(seconds: float, status: int) -> None:
    watchdog = threading.Timer(seconds, os._exit, (status,))
    watchdog.daemon = True
    watchdog.start()


def run(services: Services, *, filter_text: str = "") -> int:
    """Runs the app until it is left. Its exit status: 0, or 1 after a failure of its own."""
    app = SsmTui(services, filter_text)
    app.run()
    return app.return_code or 0
