"""New credentials for profiles whose tunnels wait: said once a profile, done once, and all of them go on."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from ssm_tui.background import in_background
from ssm_tui.domain.sessions import shown
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.dialogs.choice import Answer, Choice
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.contexts import Notice
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.tunnels import counted, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from ssm_tui.domain.sessions import Command
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.flows.tunnel import TunnelFlow
    from ssm_tui.ui.services import Services


class _Go(Enum):
    ON = "on"


class SignInFlow:
    """One at a time: it may take the terminal. `renewed` is told the profile, to read again what could not be read."""

    def __init__(
        self, app: App[Any], services: Services, tunnels: TunnelFlow, renewed: Callable[[str | None], None]
    ) -> None:
        self._app, self._services, self._tunnels, self._renewed = app, services, tunnels, renewed
        self._running = False
        self._question: tuple[str | None, Choice[_Go]] | None = None

    def look(self) -> None:
        """A question that nobody waits for any more is taken back: they have gone on by themselves."""
        if self._question is not None and self._question[0] not in self.waiting() and self._question[1].is_current:
            self._question[1].dismiss(None)

    def waiting(self) -> dict[str | None, list[TunnelStatus]]:
        """The paused tunnels by profile."""
        found: dict[str | None, list[TunnelStatus]] = {}
        for status in self._tunnels.running():
            if status.state is TunnelState.PAUSED:
                found.setdefault(status.request.context.profile, []).append(status)
        return found

    def notices(self) -> tuple[Notice, ...]:
        """A line a profile."""
        return tuple(
            Notice("‖", Tone.WARN, f"{_named(profile)}: {waiting_for(statuses)}", "i signs in")
            for profile, statuses in self.waiting().items()
        )

    async def start(self, profile: str | None) -> None:
        """Asks, signs in, and lets the profile's tunnels go on."""
        if self._running:
            return
        self._running = True
        try:
            await self._start(profile)
        except SsmTuiError as error:
            tell_error(self._app, error)
        except SuspendNotSupported:
            tell(self._app, "This terminal cannot be handed to another program.", "sign in elsewhere, then press i")
        finally:
            self._running = False

    async def _start(self, profile: str | None) -> None:
        finding = in_background(lambda: self._services.sign_in(profile), "find a way to sign in")
        if not await wait_for(self._app, finding, "Looking for a way to sign in …"):
            return
        command = await finding
        if not await self._wanted(profile, command):
            return
        if command is not None and self._services.hand_over is not None:
            status = await self._services.hand_over(self._app, command, f"signing in, {_named(profile)}")
            if status != 0:
                how = f"status {status}" if status > 0 else f"signal {-status}"
                tell(self._app, f"Signing in ended with {how}; the tunnels still wait.", severity="warning")
                return
        await in_background(lambda: self._services.clouds.renew(profile), "forget old credentials")
        self._tunnels.renew(profile)
        self._renewed(profile)

    async def _wanted(self, profile: str | None, command: Command | None) -> bool:
        statuses = self.waiting().get(profile, [])
        text = f"{visible(_named(profile))}: {waiting_for(statuses)}." if statuses else f"{visible(_named(profile))}."
        if command is not None and self._services.hand_over is not None:
            text += f"\n\n$ {visible(shown(command.argv))}"
            answer = Answer("y", "run it here; then they go on", _Go.ON)
        else:
            what = next((status.hint for status in statuses if status.hint), "")
            run = f"run {shown(command.argv)} elsewhere" if command is not None else "renew the profile's credentials"
            text += f"\n\n{visible(what or run)[:300]}"
            answer = Answer("y", "that is done: go on", _Go.ON)
        question = Choice("Sign in?", text, (answer,), "not now")
        self._question = profile, question
        try:
            return await self._app.push_screen_wait(question) is not None
        finally:
            self._question = None


def waiting_for(statuses: list[TunnelStatus]) -> str:
    """`2 tunnels wait for new credentials: orders, cache`"""
    wait = "wait" if len(statuses) != 1 else "waits"
    return f"{counted(len(statuses), 'tunnel')} {wait} for new credentials: {names(statuses)}"


def _named(profile: str | None) -> str:
    return f"profile {profile}" if profile else "the default credentials"
