"""The local end of a tunnel: accepts clients for as long as the tunnel is wanted, and carries each to a session's port.

It knows nothing of sessions. For each client it enters `upstreams()`, which gives a session's port as soon as there is
one (an `Upstream`; the client waits meanwhile) and which is left when the client no longer needs that session. Whoever
gives upstreams settles `lost` when the session is gone, and its clients are reset at once; the listener adds to
`carried` what has passed either way, so that the difference of two readings is the upstream's load. A client whose
session's port refuses, or goes before either side has said anything, is given another upstream, a few times: the
session may have died without anyone knowing it yet.

    listener = Listener(ports.take(request, memory), pool.upstream, on_change=…, clock=…)
    await listener.start()
    listener.port, listener.traffic(), listener.connections()
    await listener.close()
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.tunnels import Connection, Traffic
from ssm_tui.errors import SessionError
from ssm_tui.sessions.local import peers
from ssm_tui.sessions.local.link import Link

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from datetime import datetime

    from ssm_tui.sessions.local.upstream import Upstreams

BACKLOG: Final = 512
# How often a client may find its session gone, and how long the session's owner has to notice.
_DIALS: Final = 4
_UNNOTICED_SECONDS: Final = 1.0
# A process that is stopped still has its port, until its queue is full.
_DIAL_SECONDS: Final = 5.0
# After its end of input a client is looked at until the connection is over: soon at first, then ever more rarely.
_FIRST_LOOK_SECONDS: Final = 0.02
_LAST_LOOK_SECONDS: Final = 5.0


class Listener:
    """Owns bound sockets, and closes them in `close` alone. `on_change` is called when a client has come or gone."""

    def __init__(
        self,
        sockets: tuple[socket.socket, ...],
        upstreams: Upstreams,
        *,
        on_change: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._sockets = sockets
        self._upstreams = upstreams
        self._on_change = on_change
        self._clock = clock
        self._servers: list[asyncio.Server] = []
        self._links: dict[asyncio.Task[None], Link] = {}
        self._sent = self._received = 0  # by clients that have gone
        self._half_closed: set[Link] = set()
        self._look: asyncio.TimerHandle | None = None
        self._patience = _FIRST_LOOK_SECONDS
        self.port: int = sockets[0].getsockname()[1]

    async def start(self) -> None:
        """Begins to accept."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            server = await loop.create_server(self._client, sock=each, backlog=BACKLOG, start_serving=False)
            self._servers.append(server)  # before it serves: a cancelled start is undone by `close` too
            await server.start_serving()

    def traffic(self) -> Traffic:
        """At this moment, with all that the connections before have carried."""
        links = self._links.values()
        return Traffic(
            len(links),
            self._sent + sum(link.sent for link in links),
            self._received + sum(link.received for link in links),
        )

    def connections(self) -> tuple[Connection, ...]:
        """The clients, oldest first; those that wait for a session too."""
        return tuple(Connection(link.peer, link.since, link.sent, link.received) for link in self._links.values())

    async def close(self) -> None:
        """Resets every connection and frees the port."""
        for server in self._servers:
            server.close()
        for each in self._sockets:
            each.close()
        if self._look is not None:
            self._look.cancel()
        serving = tuple(self._links)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    def _client(self) -> asyncio.Protocol:
        return Link(self._clock(), self._accepted, self._input_ended).client

    def _accepted(self, link: Link) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(link))
        self._links[task] = link
        task.add_done_callback(self._ended)
        self._on_change()

    def _ended(self, task: asyncio.Task[None]) -> None:
        link = self._links.pop(task)
        self._half_closed.discard(link)
        self._sent += link.sent
        self._received += link.received
        self._on_change()

    async def _serve(self, link: Link) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        link.over.add_done_callback(lambda _over: None if link.joined else task.cancel())
        try:
            for _dial in range(_DIALS):
                if await self._carried(link):
                    break
        except (OSError, SessionError):  # TimeoutError is an OSError
            return
        finally:
            link.reset()
            await link.over

    async def _carried(self, link: Link) -> bool:
        """Whether that is all: False where the session was gone before either side had said anything."""
        async with self._upstreams() as upstream:
            try:
                async with asyncio.timeout(_DIAL_SECONDS):
                    await link.join(upstream)
                await asyncio.wait([link.left, upstream.lost], return_when=asyncio.FIRST_COMPLETED)
                if not link.left.done():
                    link.lose()
                refused = False
            except OSError:
                refused = True
            if not link.joined:
                await asyncio.wait([upstream.lost], timeout=_UNNOTICED_SECONDS)
                return not (refused or upstream.lost.done())
        await link.over  # a slow reader still gets what waits for it
        return True

    def _input_ended(self, link: Link) -> None:
        """The client has closed, or has only nothing more to say: the wire does not tell, the system may."""
        self._half_closed.add(link)
        self._patience = _FIRST_LOOK_SECONDS
        loop = asyncio.get_running_loop()
        if self._look is not None and self._look.when() > loop.time() + _FIRST_LOOK_SECONDS:
            self._look.cancel()
            self._look = None
        if self._look is None:
            self._look = loop.call_later(_FIRST_LOOK_SECONDS, self._look_for_the_gone)

    def _look_for_the_gone(self) -> None:
        self._look = None
        self._half_closed = {link for link in self._half_closed if not link.over.done()}
        if not self._half_closed:
            return
        table = peers.table()
        for link in self._half_closed:
            link.end_if_gone(table)
        self._patience = min(2 * self._patience, _LAST_LOOK_SECONDS)
        self._look = asyncio.get_running_loop().call_later(self._patience, self._look_for_the_gone)
