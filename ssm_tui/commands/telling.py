"""What is told of tunnels on the command line: ready lines on stdout, everything else in one line each on stderr."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ssm_tui.commands.terminal import say, say_error, write_line
from ssm_tui.domain.tunnels import TunnelState, TunnelStatus
from ssm_tui.errors import SessionError, SsmTuiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.commands.requests import TunnelPlan
    from ssm_tui.commands.terminal import Progress

S = TunnelState
_TROUBLE = (S.DEGRADED, S.RECONNECTING, S.PAUSED)


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Teller:
    """Tells of one tunnel. Nothing is said twice in a row. `quiet`: stdout is somebody else's."""

    def __init__(
        self, plan: TunnelPlan, progress: Progress, clock: Callable[[], datetime] = now, *, quiet: bool = False
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._quiet = quiet
        self._clock = clock
        self._last: TunnelStatus | None = None
        self._said = ""
        self._in_trouble = False
        self._through = ""
        """The node of the last time that it was ready."""
        self.was_ready = False
        """The ready line has been written."""

    def tell(self, status: TunnelStatus) -> None:
        """The tunnel has become this."""
        before, self._last = self._last, status
        match status.state:
            case S.READY | S.IDLE:
                self._usable(status, before)
            case S.STARTING:
                if before is not None and before.via != status.via and status.message:
                    self._say(status.message, status.hint)
                elif not self.was_ready and status.message:
                    self._progress.show(status.message)
            case S.RECONNECTING:
                # Without a time and without being new it is on its way: that is progress, not news.
                if status.next_try is not None or before is None or before.state is not S.RECONNECTING:
                    self._say(status.message, status.hint, "reconnecting", self._in_seconds(status))
            case S.DEGRADED | S.PAUSED:
                self._say(status.message, status.hint, status.state.value)
            case _:
                pass
        self._in_trouble = status.state in _TROUBLE or (self._in_trouble and status.state is S.STARTING)

    def failure(self, status: TunnelStatus) -> SessionError:
        """No tunnel ends by itself without a fault; the relay is named, for another one may do better. One without a
        port has not come as far as the relay."""
        via = _relay(status) if status.request.host and status.local_port else ""
        message = f"{status.message or 'the tunnel has ended'}{f', through {via}' if via else ''}"
        if via and (missing := self._plan.missing):
            # The rule that is missing says more than that nobody answered.
            change = f"{missing.change} would allow it" if missing.change else status.hint
            return SessionError(f"{message}: {missing.why}", change)
        return SessionError(message, "; ".join(filter(None, [status.hint, self._plan.doubt])))

    def _usable(self, status: TunnelStatus, before: TunnelStatus | None) -> None:
        if not self.was_ready:
            if status.state is S.IDLE and not status.request.on_demand:
                return
            self._announce(status)
        elif status.state is S.READY:
            self._tell_return(status)
        if status.state is S.IDLE and not status.request.on_demand:
            self._say(status.message, status.hint, "idle")
        elif status.state is S.READY and status.message and before is not None:
            self._say(status.message, status.hint)

    def _tell_return(self, status: TunnelStatus) -> None:
        through, self._through = self._through, _relay(status)
        turned = f", now through {self._through}" if through and through != self._through else ""
        if self._in_trouble or turned:
            self._say(f"ready{' again' if self._in_trouble else ''}{turned}")

    def _announce(self, status: TunnelStatus) -> None:
        self.was_ready, self._through = True, _relay(status)
        self._progress.clear()
        plan, request, port = self._plan, status.request, status.local_port
        ready = f"ready {status.address}{f' {plan.name}' if plan.name else ''}"
        if request.database is None or not port:
            self._write(ready)
            return
        shown, checks = plan.handout.lines(request.database, port, request.name)
        self._write("\n".join(filter(None, (ready, shown))))
        try:
            kept = plan.handout.keep(request.database, port, request.name)
        except SsmTuiError as problem:  # the tunnel stands all the same
            say_error(problem)
            kept = ""
        for each in filter(None, (checks, kept)):
            say(each)

    def _write(self, lines: str) -> None:
        if not self._quiet:
            write_line(lines)

    def _in_seconds(self, status: TunnelStatus) -> str:
        if status.next_try is None:
            return ""
        return f" in {max(0, math.ceil((status.next_try - self._clock()).total_seconds()))} s"

    def _say(self, message: str, hint: str = "", state: str = "", when: str = "") -> None:
        cause = f"{state}: {message}"
        if cause == self._said:
            return
        self._said = cause
        self._progress.clear()
        words = "; ".join(filter(None, [message, hint]))
        begin = ": ".join(filter(None, [self._plan.name, f"{state}{when}"]))
        say(": ".join(filter(None, [begin, words])))


def _relay(status: TunnelStatus) -> str:
    """The node that it goes through, by what people call it (foreign text)."""
    return status.via.label or status.via.target or status.request.label
