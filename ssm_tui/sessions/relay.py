"""The local port of a tunnel: ours, open as long as the tunnel is, relaying each connection to the session's own port.

Owning the port makes a busy one known before anything starts, keeps clients that dial early waiting instead of refused,
and counts the connections.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 256 * 1024
# struct linger {on, 0 s}: two ints, on Windows two shorts.
_LINGER_NOT_AT_ALL = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Relay:
    """Accepts on `listener`; each connection waits for `open_to`, then bytes go both ways until both sides have ended.

    `on_change` is called when the number of connections has changed.
    """

    def __init__(self, listener: socket.socket, on_change: Callable[[], None]) -> None:
        self._listener = listener
        self._on_change = on_change
        self._server: asyncio.Server | None = None
        self._upstream: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The local port."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def start(self) -> None:
        """Begins to accept."""
        self._server = await asyncio.start_server(self._accepted, sock=self._listener, limit=_CHUNK)

    def open_to(self, host: str, port: int) -> None:
        """The session listens here: clients that wait are let through."""
        self._upstream.set_result((host, port))

    async def close(self) -> None:
        """Closes every connection and the port."""
        if self._server is not None:
            self._server.close()
        else:
            self._listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        self._upstream.cancel()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._ended)
        self._on_change()

    def _ended(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        self._on_change()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host, port = await asyncio.shield(self._upstream)
            far_reader, far_writer = await asyncio.open_connection(host, port, limit=_CHUNK)
        except (OSError, asyncio.CancelledError):
            _reset(writer)
            return
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far_writer))
                both.create_task(_pump(far_reader, writer))
        except* OSError:
            # One side is gone; what it had sent has been passed on, the other side must not hang.
            _reset(writer)
            _reset(far_writer)
        except* asyncio.CancelledError:
            _reset(writer)
            _reset(far_writer)
        else:
            writer.close()
            far_writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with a reset, so that the peer does not take what it has for all there was."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
    writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies until the reader's end, then passes the end on; the other direction may go on."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
