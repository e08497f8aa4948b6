"""New credentials for profiles that wait for them: asked once a profile, done once, and all that waits goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from ssm_tui.background import in_background
from ssm_tui.domain.sessions import shown
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import CredentialsError, SsmTuiError
from ssm_tui.ui.flows.device_login import sign_in_here
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.contexts import Notice
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.tunnels import counted, names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import App

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.signing import Way
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.dialogs.choice import Answer, Choice
    from ssm_tui.ui.flows.tunnel import TunnelFlow
    from ssm_tui.ui.readings import Reading
    from ssm_tui.ui.services import Services


class _Go(Enum):
    RUN = "run the command"
    HERE = "sign in here"
    ON = "it has been done elsewhere"


@dataclass(slots=True)
class Waiting:
    """What waits for one profile's credentials: paused tunnels, and contexts that could not be read."""

    tunnels: list[TunnelStatus] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    hint: str = ""
    problem: str = ""


class SignInFlow:
    """One at a time: it may take the terminal. `readings` tells how contexts stand; `renewed` is told the profile, to
    read again what could not be read."""

    def __init__(
        self,
        app: App[Any],
        services: Services,
        tunnels: TunnelFlow,
        readings: Callable[[], Mapping[Context, Reading]],
        renewed: Callable[[str | None], None],
    ) -> None:
        self._app, self._services, self._tunnels = app, services, tunnels
        self._readings, self._renewed = readings, renewed
        self._running = self._looking = False
        self._question: tuple[str | None, Choice[_Go]] | None = None
        self._stamps: dict[str | None, object] = {}

    def look(self) -> None:
        """A question that nobody waits for any more is taken back: they have gone on by themselves."""
        if self._question is not None and self._question[0] not in self.waiting() and self._question[1].is_current:
            self._question[1].dismiss(None)

    def waiting(self) -> dict[str | None, Waiting]:
        """What waits, by profile."""
        found: dict[str | None, Waiting] = {}
        for status in self._tunnels.running():
            if status.state is TunnelState.PAUSED:
                waiting = found.setdefault(status.request.context.profile, Waiting())
                waiting.tunnels.append(status)
                waiting.hint = waiting.hint or status.hint
        for context, reading in self._readings().items():
            refusal = next((each for each in reading.errors.values() if isinstance(each, CredentialsError)), None)
            if refusal is not None:
                waiting = found.setdefault(context.profile, Waiting())
                waiting.contexts.append(context)
                waiting.hint, waiting.problem = refusal.hint, refusal.message
        return found

    def notices(self) -> tuple[Notice, ...]:
        """A line a profile whose tunnels wait; of contexts that could not be read, the reading's own notices tell."""
        return tuple(
            Notice("‖", Tone.WARN, f"{_named(profile)}: {waiting_for(waiting.tunnels)}", "i signs in")
            for profile, waiting in self.waiting().items()
            if waiting.tunnels
        )

    async def look_elsewhere(self) -> None:
        """Whether the user has signed in by another program: then the contexts go on. Tunnels look for themselves."""
        wanted = [profile for profile, waiting in self.waiting().items() if waiting.contexts]
        self._stamps = {profile: stamp for profile, stamp in self._stamps.items() if profile in wanted}
        if self._looking or self._running or not wanted:
            return
        self._looking = True
        try:
            stamps = await in_background(
                lambda: {profile: self._services.sign_ins.stamp(profile) for profile in wanted}, "look for sign-ins"
            )
        finally:
            self._looking = False
        for profile, stamp in stamps.items():
            if self._stamps.setdefault(profile, stamp) != stamp:
                self._stamps[profile] = stamp
                await self._renew(profile)

    async def start(self, profile: str | None) -> None:
        """Asks, signs in, and lets what waits go on."""
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
        finding = in_background(lambda: self._services.sign_ins.way(profile), "find a way to sign in")
        if not await wait_for(self._app, finding, "Looking for a way to sign in …"):
            return
        way = await finding
        if await self._done(profile, way):
            for each in await self._together(profile, way):
                self._services.codes.invite(each)
                await self._renew(each)
                self._tunnels.renew(each)

    async def _done(self, profile: str | None, way: Way) -> bool:
        """Whether there are new credentials, as far as that can be told here."""
        if way.serial and not way.here and way.command is None:
            return True  # all that it takes is a code, and the first read will ask for it
        match await self._choice(profile, way):
            case _Go.RUN if way.command is not None and self._services.hand_over is not None:
                title = f"signing in, {_named(profile)}"
                status = await self._services.hand_over(self._app, way.command, title)
                if status != 0:
                    how = f"status {status}" if status > 0 else f"signal {-status}"
                    text = f"Signing in ended with {how}; nothing has changed."
                    tell(self._app, text, "i tries again", severity="warning")
                return status == 0
            case _Go.HERE:
                return await sign_in_here(self._app, self._services, profile, _named(profile))
            case _Go.ON:
                return True
        return False

    async def _choice(self, profile: str | None, way: Way) -> _Go | None:
        from ssm_tui.ui.dialogs.choice import Answer, Choice

        waiting = self.waiting().get(profile, Waiting())
        lines = [f"{visible(_named(profile))}: {told}." for told in _told(waiting)] or [f"{visible(_named(profile))}."]
        answers: list[Answer[_Go]] = []
        if way.command is not None and self._services.hand_over is not None:
            lines += ["", f"$ {visible(shown(way.command.argv))}"]
            answers.append(Answer("y", "run it here; then they go on", _Go.RUN))
        if way.here:
            words = "without it: by a code" if answers else "sign in by a code"
            answers.append(Answer("d" if answers else "y", f"{words}, in a browser on any machine", _Go.HERE))
        if not answers:
            run = f"run {shown(way.command.argv)} elsewhere" if way.command else "renew the profile's credentials"
            lines += ["", visible(waiting.hint or run)[:300]]
            answers.append(Answer("y", "that is done: go on", _Go.ON))
        question = Choice("Sign in?", "\n".join(lines), answers, "not now")
        self._question = profile, question
        try:
            return await self._app.push_screen_wait(question)
        finally:
            self._question = None

    async def _together(self, profile: str | None, way: Way) -> list[str | None]:
        """The profile, and those that wait for the same login."""
        others = [each for each in self.waiting() if each != profile]
        ways = await in_background(lambda: [self._services.sign_ins.way(each) for each in others], "look at profiles")
        return [
            profile,
            *(each for each, its in zip(others, ways, strict=True) if way.login and its.login == way.login),
        ]

    async def _renew(self, profile: str | None) -> None:
        await in_background(lambda: self._services.clouds.renew(profile), "forget old credentials")
        self._renewed(profile)


def _told(waiting: Waiting) -> list[str]:
    """What waits, and why."""
    told = []
    if waiting.contexts:
        told.append(f"{visible(waiting.problem)} ({counted(len(waiting.contexts), 'region')})")
    if waiting.tunnels:
        told.append(waiting_for(waiting.tunnels))
    return told


def waiting_for(statuses: list[TunnelStatus]) -> str:
    """`2 tunnels wait for new credentials: orders, cache`"""
    wait = "wait" if len(statuses) != 1 else "waits"
    return f"{counted(len(statuses), 'tunnel')} {wait} for new credentials: {names(statuses)}"


def _named(profile: str | None) -> str:
    return f"profile {profile}" if profile else "the default credentials"
