"""What listens on a node itself: HTTP on ports 80 and 8080, echo on 7; each node's own listener, made when dialled."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ECHO_PORT = 7
HTTP_PORTS = (80, 8080)


class NodeServices:
    """Real loopback servers that stand for the ports of nodes. Used from one event loop."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self._lock = asyncio.Lock()

    async def address(self, hostname: str, port: int) -> tuple[str, int] | None:
        """Where to dial for `port` of the node; None when nothing listens there."""
        conversation: Conversation
        if port in HTTP_PORTS:
            conversation = partial(_http, hostname)
        elif port == ECHO_PORT:
            conversation = _echo
        else:
            return None
        async with self._lock:
            server = self._servers.get((hostname, port))
            if server is None:
                server = await asyncio.start_server(partial(_attended, conversation), "127.0.0.1", 0, backlog=256)
                self._servers[hostname, port] = server
        host, number = server.sockets[0].getsockname()[:2]
        return host, number

    async def stop(self) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()


async def _attended(conversation: Conversation, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ends the connection after the conversation, and takes a peer that goes away for what it is."""
    try:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await conversation(reader, writer)
    finally:
        writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _http(hostname: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one answer that names the node."""
    request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    method, _, rest = request.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0]
    status = "200 OK" if method in {"GET", "HEAD"} else "405 Method Not Allowed"
    body = f"{hostname} says hello\n{method} {path}\n".encode()
    head = (
        f"HTTP/1.1 {status}\r\nServer: {hostname}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    writer.write(head + (b"" if method == "HEAD" else body))
    await writer.drain()
