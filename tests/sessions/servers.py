"""Servers on loopback for tests: what a far end does, as a coroutine for each connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[int]:
    """Serves on a port of 127.0.0.1, whose number this is; at the end waits until every connection is closed."""
    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        with contextlib.suppress(OSError):  # a peer that resets may do so at any point
            try:
                await handler(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as serving:
        yield serving.sockets[0].getsockname()[1]
    async with asyncio.timeout(10):
        await asyncio.gather(*served)
