"""A tunnel's local end: opened whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.sessions.local.upstream import Upstream
from ssm_tui.sessions.tunnels import local_end
from tests.sessions.servers import server

REQUEST = TunnelRequest(Context(None, "us-east-1"), "i-0a1b2c3d4e5f60718", 7)
T = TypeVar("T")


def nothing() -> AbstractAsyncContextManager[Upstream]:
    raise AssertionError("nobody dials")


def at_once(work: Callable[[], T], _name: str) -> asyncio.Future[T]:
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    done.set_result(work())
    return done


@pytest.mark.parametrize("steps", range(8))
async def test_given_up_at_any_step_it_leaves_nothing_in_the_loop(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listening socket that the loop still looks at when it is closed breaks whoever gets its number next."""
    monkeypatch.setattr(local_end, "in_background", at_once)
    opening = asyncio.create_task(
        local_end.open_local_end(
            REQUEST, local_end.NoPortMemory(), nothing, on_change=lambda: None, clock=lambda: datetime.now(UTC)
        )
    )
    for _ in range(steps):
        await asyncio.sleep(0)
    opening.cancel()
    await asyncio.wait([opening])
    if not opening.cancelled():
        await opening.result().close()

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")

    async with asyncio.timeout(10), server(greet) as one, server(greet) as other:
        for port in (one, other):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.readexactly(5) == b"hello"
            writer.close()
