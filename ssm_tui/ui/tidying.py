"""When Python's collector looks through everything: while nobody is there, not between two keys or at the start."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE = 10.0  # seconds without a key after which a pause is not seen
LATEST = 900.0  # seconds after which it is taken even so
_NEVER = 1_000_000


def hold() -> None:
    """Nothing is collected until tidying begins. What is loaded stays; to look through it is a tenth of the start."""
    gc.disable()


class Tidying:
    """Full collections go through all that the app and boto3 have ever made: 50 ms at 10,000 nodes, several times while
    those are read, on whatever thread. Young objects are collected as always; the full ones are made here."""

    def __init__(self, collect: Callable[[], object] = gc.collect, clock: Callable[[], float] = time.monotonic) -> None:
        self._collect, self._clock = collect, clock
        self._before: tuple[int, int, int] | None = None
        self._touched = self._tidied = clock()
        self._made = False  # anything since the last time

    def begin(self) -> None:
        """From now on no full collection comes by itself, and none goes through what has been loaded."""
        self._before = gc.get_threshold()
        gc.freeze()
        gc.enable()
        gc.set_threshold(self._before[0], self._before[1], _NEVER)

    def end(self) -> None:
        """As it was."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None

    def touched(self) -> None:
        """The user is there."""
        self._touched, self._made = self._clock(), True

    def look(self, *, reading: bool) -> None:
        """Tidies when nobody sees it and there may be something to tidy."""
        now = self._clock()
        self._made |= reading
        quiet = self._made and not reading and now - self._touched >= IDLE
        if quiet or now - self._tidied >= LATEST:
            self._collect()
            self._tidied, self._made = now, False
