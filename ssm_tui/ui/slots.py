"""How many threads talk to AWS at the same time, and who is next. Knows nothing of what they do."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator


class Slots:
    """At most `most` at work. Who has been silent for `patience` seconds does not count until he is heard again: a
    region that hangs keeps no other from being read. Nor does who belongs to a group that waits for the user."""

    def __init__(self, most: int, patience: float) -> None:
        self._most, self._patience = most, patience
        self._changed = threading.Condition()
        self._heard: dict[int, float] = {}  # by thread: when it was heard last
        self._groups: dict[int, Hashable] = {}
        self._aside: set[Hashable] = set()
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()

    @contextmanager
    def taken(self, rank: int, group: Hashable = None) -> Iterator[None]:
        """One of them, for the thread that asks. The lowest rank goes first, of equals who came first."""
        with self._changed:
            ticket = rank, next(self._numbers)
            heappush(self._waiting, ticket)
            while self._waiting[0] != ticket or not self._free():
                self._changed.wait(self._until_silent() if self._waiting[0] == ticket else None)
            heappop(self._waiting)
            self._heard[threading.get_ident()] = time.monotonic()
            self._groups[threading.get_ident()] = group
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                del self._heard[threading.get_ident()], self._groups[threading.get_ident()]
                self._changed.notify_all()

    def heard(self) -> None:
        """The thread that calls has got on."""
        with self._changed:
            if threading.get_ident() in self._heard:
                self._heard[threading.get_ident()] = time.monotonic()

    def step_aside(self, group: Hashable) -> None:
        """The group waits for the user."""
        with self._changed:
            self._aside.add(group)
            self._changed.notify_all()

    def step_back(self, group: Hashable) -> None:
        """The group goes on."""
        with self._changed:
            self._aside.discard(group)

    def _free(self) -> bool:
        since = time.monotonic() - self._patience
        counting = (h for thread, h in self._heard.items() if self._groups[thread] not in self._aside)
        return sum(heard > since for heard in counting) < self._most

    def _until_silent(self) -> float:
        """How long until the first of those that count is silent for too long."""
        now = time.monotonic()
        return max(
            0.0, min((left for h in self._heard.values() if (left := h + self._patience - now) > 0), default=0.0)
        )
