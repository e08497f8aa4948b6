"""Messages that expire without harm: what is left of their time is never less than a moment.

Textual 8.2 starts a timer with the time that a message has left when its toast is made, which is on every change of
screens. Where the message has expired some microseconds before, the interval is negative, and `Timer._run` counts
towards minus infinity without ever giving the event loop back: the program hangs.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import time

from textual.notifications import Notification

MOMENT = 0.05  # seconds


@dataclass
class LastingNotification(Notification):
    """Shown for a moment at least, by whoever makes a toast of it."""

    @property
    def time_left(self) -> float:
        """Seconds for a toast to stand."""
        return max(MOMENT, self.raised_at + self.timeout - time())

    @property
    def has_expired(self) -> bool:
        """Its time is over: no toast is made of it any more."""
        return self.raised_at + self.timeout <= time()
