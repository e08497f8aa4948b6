"""What listens on a node itself: HTTP on ports 80 and 8080, echo on 7, ssh on 22, on Windows 3389 too; each node's own
listener, made when dialled."""

from __future__ import annotations

import asyncio
import contextlib
import re
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ssm_tui.demo.agent.order import SessionOrder
    from ssm_tui.demo.servers.ssh import SshServers

    Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ECHO_PORT = 7
HTTP_PORTS = (80, 8080)
DESKTOP_PORT = 3389
# TPKT and an X.224 connection confirm with RDP_NEG_FAILURE, HYBRID_REQUIRED_BY_SERVER (MS-RDPBCGR 2.2.1.2.2): there is
# no desktop to be shown, and clients say so at once.
_NO_DESKTOP = bytes.fromhex("03000013 0ed00000123400 0300080005000000")
_CHUNK = 64 * 1024
_SIZED = re.compile(r"/bytes/(\d{1,12})")
_LENGTH = re.compile(r"(?i)^content-length: *(\d{1,12})\r?$", re.MULTILINE)


class NodeServices:
    """Real loopback servers that stand for the ports of nodes. Used from one event loop. `ssh` are those of port 22."""

    def __init__(self, ssh: SshServers | None = None) -> None:
        self._ssh = ssh
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self._lock = asyncio.Lock()

    async def address(self, hostname: str, port: int, *, windows: bool = False) -> tuple[str, int] | None:
        """Where to dial for `port` of the node; None when nothing listens there."""
        conversation: Conversation
        if port in HTTP_PORTS:
            conversation = partial(_http, hostname)
        elif port == ECHO_PORT:
            conversation = _echo
        elif port == DESKTOP_PORT and windows:
            conversation = _desktop
        else:
            return None
        async with self._lock:
            server = self._servers.get((hostname, port))
            if server is None:
                server = await asyncio.start_server(partial(_attended, conversation), "127.0.0.1", 0, backlog=256)
                self._servers[hostname, port] = server
        host, number = server.sockets[0].getsockname()[:2]
        return host, number

    async def ssh_address(self, order: SessionOrder) -> tuple[str, int] | None:
        """Where to dial for the sshd of the order's node; None where it has none."""
        return await self._ssh.address(order) if self._ssh is not None else None

    async def stop(self) -> None:
        if self._ssh is not None:
            await self._ssh.stop()
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


async def _desktop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readexactly(4)
    await reader.readexactly(max(0, int.from_bytes(head[2:]) - len(head)))
    writer.write(_NO_DESKTOP)
    await writer.drain()


async def _http(hostname: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one answer that names the node; `/bytes/N` answers with N bytes. What is posted is read and counted,
    so that both ways of a tunnel can be measured with curl."""
    request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    method, _, rest = request.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0]
    status = "200 OK" if method in {"GET", "HEAD", "POST"} else "405 Method Not Allowed"
    posted = await _discard(reader, rest)
    size = _SIZED.fullmatch(path)
    body = f"{hostname} says hello\n{method} {path}\n{posted} bytes taken\n".encode()
    length = int(size[1]) if size else len(body)
    head = (
        f"HTTP/1.1 {status}\r\nServer: {hostname}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()
    writer.write(head)
    if size and method != "HEAD":
        await _fill(writer, length)
    elif method != "HEAD":
        writer.write(body)
    await writer.drain()


async def _discard(reader: asyncio.StreamReader, head: str) -> int:
    """Reads the request's body to its end; how long it was."""
    stated = _LENGTH.search(head)
    left = length = int(stated[1]) if stated else 0
    while left:
        data = await reader.read(min(left, _CHUNK))
        if not data:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(data)
    return length


async def _fill(writer: asyncio.StreamWriter, length: int) -> None:
    while length:
        writer.write(bytes(min(length, _CHUNK)))
        await writer.drain()
        length -= min(length, _CHUNK)
