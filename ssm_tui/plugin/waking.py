"""Sleeping with an eye on the wall clock: tells when the machine or this process was suspended meanwhile.

A monotonic clock stands still while a laptop sleeps, and runs on while a process is stopped; the wall clock shows both.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK: Final = 1.0


async def sleep(seconds: float, *, late: float, wall: Callable[[], float] = time.time) -> bool:
    """Sleeps in short turns. True, and at once, when one of them ended more than `late` seconds after its time."""
    left = seconds
    while left > 0:
        turn, began = min(left, _TICK), wall()
        await asyncio.sleep(turn)
        passed = wall() - began
        if passed > turn + late:
            return True
        left -= max(turn, passed)
    return False
