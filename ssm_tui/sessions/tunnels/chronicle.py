"""A tunnel's status and history: the one place where its state changes, by the legal transitions alone."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ssm_tui.domain.tunnels import Traffic, TunnelEvent, TunnelRequest, TunnelState, TunnelStatus, may_become

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_KEPT: Final = 300
_log = logging.getLogger("ssm_tui.tunnels")


class IllegalTransition(RuntimeError):  # noqa: N818 - a mistake of ours, not an error of the tree
    """A state was left for one that it does not lead to."""


class Chronicle:
    """`tell` gets the status at every change; each state and message becomes a line of history and of the log."""

    def __init__(
        self,
        number: int,
        request: TunnelRequest,
        clock: Callable[[], datetime],
        tell: Callable[[TunnelStatus], None],
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._events: deque[TunnelEvent] = deque(maxlen=_KEPT)
        self.status = TunnelStatus(number, request, TunnelState.STARTING, clock(), via=request.ways[0])

    @property
    def history(self) -> tuple[TunnelEvent, ...]:
        """Oldest first."""
        return tuple(self._events)

    def become(
        self, state: TunnelState, message: str = "", hint: str = "", *, next_try: datetime | None = None
    ) -> None:
        """Goes to the state, or stays in it with another message. Raises IllegalTransition."""
        before = self.status
        if not may_become(before.state, state):
            raise IllegalTransition(f"{before.state} does not lead to {state}")
        now = self._clock()
        if (before.state, before.message) != (state, message) or not self._events:
            self._write(TunnelEvent(now, state, f"{message}; {hint}" if message and hint else message))
        since = before.since if state is before.state else now
        changes: dict[str, Any] = {"state": state, "since": since, "message": message, "hint": hint}
        if state.ended:
            changes |= {"traffic": replace(before.traffic, connections=0), "sessions": 0}
        self.update(**changes, next_try=next_try)

    def say(self, message: str, hint: str = "") -> None:
        """News that changes no state."""
        if not self.status.state.ended:
            self.become(self.status.state, message, hint, next_try=self.status.next_try)

    def update(self, **changes: Any) -> None:
        """Facts of the status that are no state: port, node, sessions, traffic."""
        after = replace(self.status, **changes)
        if after != self.status:
            self.status = after
            self._tell(after)

    def measured(self, traffic: Traffic, sessions: int) -> TunnelStatus:
        """The status with what is counted at this moment; nobody is told."""
        return self.status if self.status.state.ended else replace(self.status, traffic=traffic, sessions=sessions)

    def _write(self, event: TunnelEvent) -> None:
        self._events.append(event)
        _log.info("%d %s: %s %s", self.status.id, self.status.request.far_end, event.state.value, event.text)
