"""What stands before the real servers under the names of private endpoints: it ends TLS and asks who comes.

Each endpoint has its own listener on loopback, one for each machine that dials it, so that the server knows both by
name as it does in a VPC. A listener is made when it is first dialled. What is said on a connection is the matter of
the engine's front; here are the listeners, their end, and the bytes that pass once somebody is logged in.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Mapping

    Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 64 * 1024
_ACCEPT_AGAIN = 0.1
LOGIN_PATIENCE = 60.0
"""Seconds until a client must have logged in, PostgreSQL's authentication_timeout."""


class Tls(Enum):
    """What an endpoint makes of TLS."""

    NONE = "none"
    OFFERED = "offered"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class CacheUser:
    """A user of a cache's access list (RBAC)."""

    id: str
    name: str
    access: str
    """Redis's rules, `on ~* +@read`."""
    by_token: bool
    passwords: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """How one gets in at an endpoint, as its settings are now."""

    tls: Tls = Tls.NONE
    resource: str = ""
    """By what IAM's policies name the database (`db-…`, `cluster-…`, `prx-…`, a cache's name); empty where it knows no
    IAM."""
    password: str = field(default="", repr=False)
    """The one password of a cache (AUTH)."""
    version: str = ""
    """What the server says it is, where that is not a matter of the real one."""
    users: tuple[CacheUser, ...] = ()
    """Who may log in at a cache with an access list. Without a password and users a cache lets everybody in."""


@dataclass(frozen=True, slots=True)
class Far:
    """A private endpoint, and the machine of its network that dials it."""

    host: str
    port: int
    engine: str
    account: str
    region: str
    client: str
    """The dialling machine's private address."""
    terms: Terms = Terms()


class TokenCheck(Protocol):
    """Whether a token that IAM is said to have given lets `user` in at an endpoint. Blocks."""

    def __call__(self, far: Far, user: str, token: str) -> bool: ...


class Guest:
    """A client that has come in. Until `enter` no byte is read but those asked for, so that TLS may begin after any:
    clients of MySQL send its first message at once behind their wish for it."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket: socket.socket | None = connection
        self._writer: asyncio.StreamWriter | None = None

    async def read(self, size: int) -> bytes:
        """Exactly so many bytes. Raises OSError, EOFError."""
        data = b""
        while len(data) < size:
            more = await asyncio.get_running_loop().sock_recv(self._bare(), size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    async def write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._bare(), data)

    async def enter(self, context: ssl.SSLContext | None = None) -> Stream:
        """From here on the conversation is a stream, within TLS where there is a context. Raises OSError."""
        loop, connection = asyncio.get_running_loop(), self._bare()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        self._socket = None
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
        except BaseException:
            connection.close()
            raise
        self._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return reader, self._writer

    async def leave(self) -> None:
        """Ends the connection, when all that was written has gone."""
        if self._socket is not None:
            self._socket.close()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """Ends the connection at once: nobody waits for the goodbyes of TLS."""
        if self._socket is not None:
            self._socket.close()
        if self._writer is not None:
            self._writer.transport.abort()

    def _bare(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("the conversation is a stream already")
        return self._socket


class Front(Protocol):
    """What an engine says to one client, from its first byte to the last. Ends by returning; may raise OSError and
    EOFError when the client has gone."""

    def __call__(self, far: Far, guest: Guest) -> Coroutine[None, None, None]: ...


class Fronts:
    """The listeners of one cloud. `start` and `stop` belong to one event loop."""

    def __init__(self, fronts: Mapping[str, Front]) -> None:
        self._fronts = fronts
        self._listeners: dict[Far, socket.socket] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._making = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def address(self, far: Far) -> tuple[str, int] | None:
        """Where to dial for the endpoint; None where the demo has no such server. Thread-safe."""
        if self._loop is None or far.engine not in self._fronts:
            return None
        with self._making:
            listener = self._listeners.get(far)
            if listener is None:
                listener = self._listeners[far] = socket.create_server(("127.0.0.1", 0), backlog=256)
                listener.setblocking(False)
                self._loop.call_soon_threadsafe(lambda: self._begin(self._accept(far, listener)))
        host, port = listener.getsockname()
        return host, port

    async def stop(self) -> None:
        """Closes every listener and every connection."""
        self._loop = None
        left = list(self._tasks)
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    async def _accept(self, far: Far, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            except OSError:  # too many open files, or a client that is gone already: the next may fare better
                await asyncio.sleep(_ACCEPT_AGAIN)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._begin(self._attend(far, Guest(connection)))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, far: Far, guest: Guest) -> None:
        try:
            with contextlib.suppress(OSError, EOFError):
                await self._fronts[far.engine](far, guest)
        except asyncio.CancelledError:
            guest.abort()
            raise
        await guest.leave()


async def join(near: Stream, far: Stream) -> None:
    """Passes bytes both ways until either side has ended; closes the far one."""
    ways = [asyncio.create_task(_pass(near[0], far[1])), asyncio.create_task(_pass(far[0], near[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in ways:
            each.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        far[1].close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
