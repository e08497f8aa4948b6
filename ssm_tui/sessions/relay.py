"""The local port of a tunnel: ours, open as long as the tunnel is, relaying each connection to the session's own port.

Owning the port makes a busy one known before anything starts, keeps clients that dial early waiting instead of refused,
and counts the connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 256 * 1024
# struct linger {on, seconds}: two ints, on Windows two shorts. On with 0 s, closing resets the connection; that stands
# as long as nothing has ended in order, so that even SIGKILL does not look like the end of an answer.
_LINGER = "hh" if os.name == "nt" else "ii"
_RESET, _IN_ORDER = struct.pack(_LINGER, 1, 0), struct.pack(_LINGER, 0, 0)


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
        ends = [writer]
        try:
            _closes(writer, _RESET)
            host, port = await asyncio.shield(self._upstream)
            far_reader, far_writer = await asyncio.open_connection(host, port, limit=_CHUNK)
            ends.append(far_writer)
            _closes(far_writer, _RESET)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far_writer))
                both.create_task(_pump(far_reader, writer))
            for end in ends:
                _closes(end, _IN_ORDER)
                end.close()
                await end.wait_closed()  # a slow reader still gets what waits for it
        except* (OSError, asyncio.CancelledError):
            # One side is gone, or the tunnel: neither side may hang, or take what it has for all there was.
            for end in ends:
                with contextlib.suppress(OSError):  # it is closed already: the peer's own reset was first
                    _closes(end, _RESET)
                end.transport.abort()


def _closes(writer: asyncio.StreamWriter, how: bytes) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies until the reader's end, then passes the end on; the other direction may go on."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
