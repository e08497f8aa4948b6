"""Wakes whoever waits for a change; what has changed, they look up themselves."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings are not kept: look first, then wait, with no await in between."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wakes all who wait now."""
        for each in self._waiting:
            if not each.done():
                each.set_result(None)

    async def wait(self, seconds: float | None = None) -> None:
        """Until the next ring, or until the time is over."""
        ring: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(ring)
        try:
            await asyncio.wait([ring], timeout=seconds)
        finally:
            self._waiting.discard(ring)
