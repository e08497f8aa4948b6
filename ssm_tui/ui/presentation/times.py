"""Spans of time in as few characters as say enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def ago(then: datetime, now: datetime) -> str:
    """`12 s`, `4 min`, `3 h`, `41 d`; a clock that runs behind reads as no time at all."""
    return span((now - then).total_seconds())


def span(seconds: float) -> str:
    """The same for a length of time."""
    seconds = max(0, int(seconds))
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
