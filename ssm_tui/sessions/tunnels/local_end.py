"""A tunnel's local end: the port taken and remembered, the listener on it, and both given back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ssm_tui.background import in_background
from ssm_tui.sessions.local import ports
from ssm_tui.sessions.local.listener import Listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from datetime import datetime

    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.sessions.local.upstream import Upstreams


class TunnelMemory(Protocol):
    """Remembers what is open, for the next start after a power cut. Both block briefly."""

    def opened(self, request: TunnelRequest, port: int) -> None:
        """The tunnel has its port."""

    def closed(self, port: int) -> None:
        """The tunnel that had it has ended."""


class NoPortMemory:
    """Where no port is remembered."""

    def recall(self, request: TunnelRequest) -> int | None:
        del request
        return None

    def keep(self, request: TunnelRequest, port: int) -> None:
        del request, port

    def others(self, request: TunnelRequest) -> frozenset[int]:
        del request
        return frozenset()


async def open_local_end(
    request: TunnelRequest,
    memory: ports.PortMemory,
    upstreams: Upstreams,
    *,
    on_change: Callable[[], None],
    clock: Callable[[], datetime],
) -> Listener:
    """The listener, accepting. Raises PortError; then, and where it is cancelled, no port is left bound."""
    listener = Listener(await _taken(request, memory), upstreams, on_change=on_change, clock=clock)
    try:
        await listener.start()
    except BaseException:
        await listener.close()
        raise
    return listener


async def _taken(request: TunnelRequest, memory: ports.PortMemory) -> tuple[socket.socket, ...]:
    taking = in_background(lambda: ports.take(request, memory), "take a port")
    try:
        await asyncio.wait([taking])
    except BaseException:
        await asyncio.wait([taking])  # briefly
        if taking.exception() is None:
            for each in taking.result():
                each.close()
        raise
    return taking.result()


async def remember_opened(wanted: TunnelMemory | None, request: TunnelRequest, port: int) -> None:
    """The tunnel would be offered again after a power cut."""
    if wanted is not None:
        await in_background(lambda: wanted.opened(request, port), "remember a tunnel")


async def remember_closed(wanted: TunnelMemory | None, port: int) -> None:
    """The tunnel is over."""
    if wanted is not None:
        await in_background(lambda: wanted.closed(port), "forget a tunnel")
