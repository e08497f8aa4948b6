"""One client and its way to a session's port: bytes and ends both ways, and no cut that looks like an end.

It knows nothing of who gives ports. Until both sides have ended in order each socket is set to close by a reset, so
that however this process goes, SIGKILL included, neither side takes what it has for all there was.

A side is not read while the other still has bytes to take: a connection holds one chunk each way at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, Final, cast

from ssm_tui.sessions.local import peers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ssm_tui.sessions.local.upstream import Upstream

EARLY_BYTES: Final = 64 * 1024
"""What is read of a client that has no upstream yet: enough to notice that it goes, and to have its opening ready."""
# struct linger {on, seconds}: two ints, on Windows two shorts. On with 0 s, closing resets the connection.
_LINGER: Final = "hh" if os.name == "nt" else "ii"
_RESET, _IN_ORDER = struct.pack(_LINGER, 1, 0), struct.pack(_LINGER, 0, 0)


class End(asyncio.Protocol):
    """One of the two sockets. `came` counts what was read from it, `ended` says that it has no more to say.

    A plain protocol without a write buffer: 1.3 times the throughput of asyncio's streams, and as quick as receiving
    into a buffer of our own.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self.other: End | None = None
        self.came = 0
        self.ended = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)
        self._closes(_RESET)
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        self.came += len(data)
        if self.other is None:
            self._link.early(data)
        else:
            self._link.passed(len(data))
            self.other.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        self._link.ended(self)
        return True  # the other direction may go on

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        self._link.lost(self)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.pause_reading()
            self._link.held(self, full=True)

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.resume_reading()
            self._link.held(self, full=False)

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pause_reading(self) -> None:
        if self.transport is not None:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self.transport is not None and not self.ended:  # else its end would be read again
            self.transport.resume_reading()

    def write_end(self) -> None:
        """Passes the other side's end on, after what is still to be written."""
        if self.transport is not None:
            try:
                self.transport.write_eof()
            except OSError:  # its peer has reset it: `lost` comes next
                self.transport.abort()

    def close(self) -> None:
        """In order, after what is still to be written."""
        if self.transport is not None:
            self._closes(_IN_ORDER)
            self.transport.close()

    def abort(self) -> None:
        """By a reset."""
        if self.transport is not None:
            self._closes(_RESET)
            self.transport.abort()

    def _closes(self, how: bytes) -> None:
        if self.transport is not None:
            with contextlib.suppress(OSError):  # the peer's own reset was first
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)

    def broken(self) -> bool:
        """Whether its peer has reset it: after its end nothing is read any more that would tell."""
        if self.transport is None:
            return True
        return bool(self.transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def pair(self) -> peers.Pair | None:
        """Its socket's addresses, ours and the peer's; None where it was gone before anyone asked."""
        if self.transport is None:
            return None
        ours, theirs = self.transport.get_extra_info("sockname"), self.transport.get_extra_info("peername")
        return (ours, theirs) if ours and theirs else None

    def holds_output(self) -> bool:
        """Whether something is still to be written."""
        return self.transport is not None and self.transport.get_write_buffer_size() > 0


class Link:
    """A client, from the moment it was accepted until both sockets are closed.

    `left` is settled when the session's port that it has joined is no longer needed, `over` when nothing is left of
    either side.
    """

    def __init__(self, since: datetime, accepted: Callable[[Link], None], input_ended: Callable[[Link], None]) -> None:
        self.since = since
        self._accepted = accepted
        self._input_ended = input_ended
        self._upstream: Upstream | None = None
        self._holds: Upstream | None = None
        self._far: End | None = None
        self._early: list[bytes] = []
        self._in_order = False
        self.client = End(self)
        self.peer = ""
        loop = asyncio.get_running_loop()
        self.left: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()

    @property
    def joined(self) -> bool:
        """It has a session's port."""
        return self._far is not None

    @property
    def sent(self) -> int:
        """Bytes that the client has sent."""
        return self.client.came

    @property
    def received(self) -> int:
        """Bytes that came for the client."""
        return self._far.came if self._far is not None else 0

    async def join(self, upstream: Upstream) -> None:
        """Connects the client to the session's port. Raises OSError where that refuses: nothing is lost then."""
        self._upstream = upstream
        self.left = asyncio.get_running_loop().create_future()
        await asyncio.get_running_loop().create_connection(lambda: End(self), upstream.host, upstream.port)

    def reset(self) -> None:
        """Ends both sides at once, by a reset."""
        self.client.abort()
        if self._far is not None:
            self._far.abort()

    def lose(self) -> None:
        """The session is gone: the client is reset, unless nothing has passed yet. Then it may join another one."""
        if self._untouched and self._far is not None:
            self._part(self._far)
        else:
            self.reset()

    def end_if_gone(self, table: peers.Table) -> None:
        """Ends the connection where the client, whose input has ended, has closed its socket altogether: else the
        session would wait for a while for an answer that nobody reads. What the client sent is read by then."""
        client, far = self.client, self._far
        if client.broken() or (far is not None and far.broken()):
            self.reset()
        elif (pair := client.pair()) is not None and peers.is_gone(table, pair):
            if far is None:
                self.reset()
            elif not far.holds_output() and (pair := far.pair()) is not None and peers.has_read_all(table, pair):
                self._leave(far)

    @property
    def _untouched(self) -> bool:
        """Both sides are there, and neither has said anything."""
        client, far = self.client, self._far
        if client.transport is None or far is None:
            return False
        return not (client.came or client.ended or far.came or far.ended)

    def _part(self, far: End) -> None:
        self._far = self.client.other = far.other = None
        far.abort()
        _settle(self.left)

    def _leave(self, far: End) -> None:
        self._in_order = True
        far.close()
        self.client.abort()

    # -- what the two ends tell ---------------------------------------------------------------------------------------

    def made(self, end: End) -> None:
        """An end is connected."""
        client = self.client
        if end is client:
            pair = end.pair()
            self.peer = peers.text(pair[1]) if pair is not None else ""
            self._accepted(self)
            return
        self._far = end
        if client.transport is None:
            end.abort()
            return
        client.other, end.other = end, client
        client.resume_reading()
        early, self._early = b"".join(self._early), []
        self.passed(len(early))
        end.write(early)
        if client.ended:
            end.write_end()

    def early(self, data: bytes) -> None:
        """The client speaks before there is a session's port."""
        self._early.append(data)
        if self.client.came >= EARLY_BYTES:
            self.client.pause_reading()

    def passed(self, size: int) -> None:
        """So many bytes go through the session."""
        if self._upstream is not None:
            self._upstream.carried += size

    def held(self, end: End, *, full: bool) -> None:
        """An end takes no more, or does again. Where it is the client, the session has to hold what comes for it."""
        if end is self.client and full is (self._holds is None):
            upstream = self._upstream if full else self._holds
            if upstream is not None:
                upstream.held += 1 if full else -1
                self._holds = upstream if full else None

    def ended(self, end: End) -> None:
        """An end has no more to say."""
        if end.other is not None:
            end.other.write_end()
            if end.other.ended:
                self._in_order = True
                end.close()
                end.other.close()
                return
        if end is self.client:
            self._input_ended(self)

    def lost(self, end: End) -> None:
        """An end is closed."""
        self.held(self.client, full=False)
        if end is not self.client:
            if end is not self._far:
                return  # one that it has parted from
            if self._untouched:
                self._part(end)
                return
        if not self._in_order:
            # One side is gone: the other may neither hang, nor take what it has for all there was. But a client that
            # had ended its input has said all it had to say.
            if end is self.client and end.ended and self._far is not None:
                self._leave(self._far)
            else:
                self.reset()
        if self._far is None or self._far.transport is None:
            _settle(self.left)
            if self.client.transport is None:
                _settle(self.over)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
