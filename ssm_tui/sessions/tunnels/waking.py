"""Notices that the machine, or this process, has slept: a clock that comes late by the wall."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Waking:
    """Calls `woken` after a sleep. One for all tunnels, and it runs only while there are any: between two looks nothing
    is done. The wall's clock counts on in a sleep, the timer's does not on Linux. A process that comes late because it
    was at work has not slept: its own processor time tells."""

    def __init__(
        self,
        woken: Callable[[], None],
        *,
        tick: float,
        late: float,
        wall: Callable[[], float] = time.time,
        work: Callable[[], float] = time.process_time,
    ) -> None:
        self._woken = woken
        self._tick = tick
        self._late = late
        self._wall = wall
        self._work = work
        self._worked = 0.0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Begins, or goes on."""
        if self._timer is None:
            self._next()

    def rest(self) -> None:
        """There is nothing that a sleep could matter to."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> None:
        self._due, self._worked = self._wall() + self._tick, self._work()
        self._timer = asyncio.get_running_loop().call_later(self._tick, self._look)

    def _look(self) -> None:
        slept = self._wall() - self._due - (self._work() - self._worked) > self._late
        self._next()
        if slept:
            self._woken()
