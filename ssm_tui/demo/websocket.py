"""A client's websocket at the gateway: one connection, frames in and out without waiting, bounded buffers.

Boundary: knows websockets and the open message, nothing of sessions; tells a `Reception` what comes. The sans-I/O half
of the websockets package under an asyncio protocol of our own: writing needs no task, frames of one turn of the loop go
out in one write, and a connection can be dropped without a goodbye, as networks do it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from ssm_tui.plugin.framing import MAX_FRAME, FrameError
from ssm_tui.plugin.opening import OpenMessage, decode_open

if TYPE_CHECKING:
    from websockets.typing import BytesLike

PATH = "/v1/data-channel/"
_OPEN_PATIENCE = 15.0  # seconds from the connection to the open message
_HIGH_WATER = 1024 * 1024  # bytes waiting to be sent; beyond, nothing more is read from that client
_POLICY_VIOLATION = 1008
_HALF_A_FRAME = b"\x82\x7e\x04\x00" + bytes(512)  # a binary frame that says it has 1024 bytes
# At debug level the websockets package would log whole frames, and with them the token of the open message.
_SILENT = logging.Logger("silent", logging.CRITICAL)


class Channel(Protocol):
    """The session that an admitted client talks to."""

    def from_client(self, link: ClientLink, frame: bytes) -> None:
        """A binary frame of the client."""
        ...

    def detach(self, link: ClientLink) -> None:
        """The connection has ended. Nothing of it follows."""
        ...


class Reception(Protocol):
    """Who decides about new clients."""

    def admit(self, link: ClientLink, session_id: str, opening: OpenMessage) -> Channel | None:
        """A client has sent its open message. None closes the connection."""
        ...

    def gone(self, link: ClientLink) -> None:
        """A connection has ended, whether it was admitted or not."""
        ...


class ClientLink(asyncio.Protocol):
    """One connection, from the TCP accept to its end."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._protocol = ServerProtocol(max_size=MAX_FRAME, logger=_SILENT)
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._session_id = ""
        self._channel: Channel | None = None
        self._parts: list[BytesLike] = []
        self._flushing = False
        self._congested = False
        self._held = False
        self._closed = False
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def congested(self) -> bool:
        """Whether the client reads too slowly to be sent anything that can wait."""
        return self._congested or self._held

    def send(self, frame: bytes) -> None:
        """Sends a binary frame with the others of this turn of the loop. After the end it is dropped."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_binary(frame)
            self._flush_soon()

    def close(self, code: int = 1000) -> None:
        """A goodbye in order, and the end of the connection whether it is answered or not."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code)
        self._closed = True
        self._flush()
        if self._transport is not None and not self._held:
            self._transport.close()

    def abort(self) -> None:
        """The end without a word."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """The end as a broken network leaves it: whatever is still on the way is lost."""
        if self._transport is not None:
            linger(self._transport)
            self._transport.abort()

    def break_off(self) -> None:
        """Half of a frame, and the end."""
        self._flush()
        if self._transport is not None:
            self._transport.write(_HALF_A_FRAME)
            self._transport.close()

    def hold(self, seconds: float = 0.0) -> None:
        """From now on nothing passes either way, and the connection stays; for ever where `seconds` is 0."""
        if self._transport is not None and not self._transport.is_closing():
            self._held = True
            self._transport.pause_reading()
            if seconds:
                self._loop.call_later(seconds, self.release)

    def release(self) -> None:
        """Ends `hold`; what has waited passes now."""
        if self._held:
            self._held = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
            self._flush()
            if self._transport is not None and self._closed:
                self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- what create_server makes
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._deadline = self._loop.call_later(_OPEN_PATIENCE, self.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        if self._channel is not None:
            self._channel.detach(self)
            self._channel = None
        self._reception.gone(self)

    def pause_writing(self) -> None:
        self._congested = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._congested = False
        if self._transport is not None and not self._transport.is_closing() and not self._held:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._greet(event)
            elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                self._take(event)
        self._flush_soon()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._flush_soon()

    def _greet(self, request: Request) -> None:
        path = urlsplit(request.path).path
        if path.startswith(PATH):
            self._session_id = path.removeprefix(PATH)
            self._protocol.send_response(self._protocol.accept(request))
        else:
            self._protocol.send_response(self._protocol.reject(404, "no such channel\n"))

    def _take(self, frame: Frame) -> None:
        if frame.fin and not self._parts:
            data = frame.data
        else:
            self._parts.append(frame.data)
            if not frame.fin:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        if self._channel is not None:
            if frame.opcode is not Opcode.TEXT:
                self._channel.from_client(self, bytes(data))
        elif not self._open(bytes(data)):
            self.close(_POLICY_VIOLATION)

    def _open(self, data: bytes) -> bool:
        if self._deadline is not None:
            self._deadline.cancel()
        try:
            opening = decode_open(data)
        except (FrameError, UnicodeDecodeError):
            return False
        if self._transport is not None and not self._transport.is_closing():
            self._channel = self._reception.admit(self, self._session_id, opening)
        return self._channel is not None

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._transport is None or self._held:
            return
        chunks = self._protocol.data_to_send()
        if chunks and not chunks[-1]:  # the empty one says: nothing more, half-close
            chunks.pop()
            self._transport.writelines(chunks)
            self._transport.close()
        elif chunks:
            self._transport.writelines(chunks)


class Refusal(asyncio.Protocol):
    """A connection that is reset as it comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- what create_server makes
        linger(transport)
        transport.abort()


def linger(transport: asyncio.Transport) -> None:
    """Lets the coming end be a reset instead of an ordinary one."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
