"""What stands before the real servers under the names of private endpoints: it ends TLS and asks who comes.

Each endpoint has its own listener on loopback, one for each machine that dials it, so that the server knows both by
name as it does in a VPC. A listener is made when it is first dialled. What is said on a connection is the matter of
the engine's front; here are the listeners, their end, and the bytes that pass once somebody is logged in.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Mapping

_CHUNK = 64 * 1024
_PATIENCE = 30.0  # seconds for the event loop to make a listener
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


class Front(Protocol):
    """What an engine says to its clients."""

    def context(self, far: Far) -> ssl.SSLContext | None:
        """TLS from the first byte on; None where there is none, or it is asked for later."""
        ...

    def __call__(
        self, far: Far, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Coroutine[None, None, None]:
        """One conversation from beginning to end. May raise OSError and EOFError when the client has gone."""
        ...


class Fronts:
    """The listeners of one cloud. `start` and `stop` belong to one event loop."""

    def __init__(self, fronts: Mapping[str, Front]) -> None:
        self._fronts = fronts
        self._servers: dict[Far, asyncio.Server] = {}
        self._conversations: set[asyncio.Task[None]] = set()
        self._making = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def address(self, far: Far) -> tuple[str, int] | None:
        """Where to dial for the endpoint; None where the demo has no such server. For any thread but the loop's."""
        if self._loop is None or far.engine not in self._fronts:
            return None
        server = self._servers.get(far)
        if server is None:
            server = asyncio.run_coroutine_threadsafe(self._listen(far), self._loop).result(_PATIENCE)
        host, port = server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Closes every listener and every connection."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        left = list(self._conversations)
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _listen(self, far: Far) -> asyncio.Server:
        async with self._making:
            if far not in self._servers:
                context = self._fronts[far.engine].context(far)
                self._servers[far] = await asyncio.start_server(
                    partial(self._begin, far), "127.0.0.1", 0, backlog=256, ssl=context
                )
            return self._servers[far]

    def _begin(self, far: Far, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._attend(far, reader, writer))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _attend(self, far: Far, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError):
                await self._fronts[far.engine](far, reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()  # nobody waits for the goodbyes of TLS
            raise
        finally:
            writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def join(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter], far: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
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
