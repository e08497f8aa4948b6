"""No more than so many calls a second, whoever makes them: IAM's limits are the account's, and others have work too.

What AWS refuses all the same is waited for in `throttling`, longer each time.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """The first `burst` calls go at once, the others `per_second`; what is not used up is saved, to `burst` calls."""

    def __init__(
        self,
        burst: int,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._burst, self._interval = burst, 1 / per_second
        self._clock, self._wait = clock, wait
        self._next = clock() - burst * self._interval  # when the next call was due, had all of them been made
        self._counting = threading.Lock()

    def step(self) -> None:
        """Before each call. Blocks until it is its turn."""
        with self._counting:
            now = self._clock()
            self._next = max(self._next, now - self._burst * self._interval) + self._interval
            ahead = self._next - now
        if ahead > 0:
            self._wait(ahead)
