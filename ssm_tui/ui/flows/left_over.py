"""What was open when the machine stopped: offered once, quietly, as a notice whose key asks."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.contexts import Notice
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.tunnels import counted

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.tunnels import TunnelRequest, TunnelStatus
    from ssm_tui.ui.flows.tunnel import TunnelFlow
    from ssm_tui.ui.services import LeftOver

NAMED = 5  # tunnels that the notice names


class _Fate(Enum):
    OPEN = "open"
    FORGET = "forget"


class LeftOverFlow:
    """Asks the store once; what it offers stands until it is opened, here or elsewhere, or forgotten."""

    def __init__(self, app: App[Any], left_over: LeftOver, tunnels: TunnelFlow) -> None:
        self._app, self._left_over, self._tunnels = app, left_over, tunnels
        self.requests: tuple[TunnelRequest, ...] = ()

    async def look(self) -> None:
        """Reads what is offered."""
        self.requests = await in_background(self._left_over.offered, "read what was open")
        for status in self._tunnels.running():
            self.take(status)

    def take(self, status: TunnelStatus) -> None:
        """A tunnel that runs is not offered: opened a second time it would only find its port taken."""
        if self.requests and not status.state.ended:
            there = _there(status.request)
            self.requests = tuple(request for request in self.requests if _there(request) != there)

    def notice(self) -> tuple[Notice, ...]:
        """One line, or none."""
        if not self.requests:
            return ()
        return (Notice("⇄", Tone.ACCENT, self._words(), "o opens them again or forgets them"),)

    def _words(self) -> str:
        names = ", ".join(visible(request.heading) for request in self.requests[:NAMED])
        more = ", …" if len(self.requests) > NAMED else ""
        were = "were" if len(self.requests) != 1 else "was"
        return f"{counted(len(self.requests), 'tunnel')} {were} open when ssm-tui was cut off: {names}{more}"

    async def ask(self) -> None:
        """Opens them again, forgets them, or leaves it for later."""
        from ssm_tui.ui.dialogs.choice import Answer, Choice

        answers = (Answer("y", "open them again", _Fate.OPEN), Answer("f", "forget them", _Fate.FORGET))
        text = f"{self._words()}."
        fate = await self._app.push_screen_wait(Choice("Left over", text, answers, "not now"))
        if fate is None or not self.requests:
            return
        requests, self.requests = self.requests, ()
        # First, so that what is opened now is not forgotten with what was open then.
        await in_background(self._left_over.forget, "forget what was open")
        if fate is _Fate.OPEN:
            for request in requests:
                self._tunnels.open(request)


def _there(request: TunnelRequest) -> object:
    return request.context, request.far_end
