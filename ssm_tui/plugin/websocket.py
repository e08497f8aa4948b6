"""One websocket of a data channel: frames in by a call, frames out with the others of the same turn of the loop.

The websockets package opens, parses and closes; its queue of received messages and its task switch for every message
sent are what this leaves out (measured: half of the plugin's time in a bulk transfer). Knows nothing of messages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from ssm_tui.plugin import waking

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the package was installed without its C part
    from websockets.utils import apply_mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.protocol import Event
    from websockets.typing import BytesLike

    from ssm_tui.plugin.limits import Limits

WRITE_LIMIT: Final = 2 * 1024 * 1024
"""Bytes waiting to be sent at which reading stops, since what is read makes acknowledgements. Far above what the
outbox may have in flight: were both ends to stop reading because neither reads, nothing would ever move again."""
# At debug level the websockets package would log whole frames, and with them the token of the open message.
SILENT: Final = logging.Logger("silent", logging.CRITICAL)


_HEAD_SHORT, _HEAD_MEDIUM, _HEAD_LONG = struct.Struct("!BB"), struct.Struct("!BBH"), struct.Struct("!BBQ")
_DATA: Final = (Opcode.BINARY, Opcode.TEXT, Opcode.CONT)


class Link(ClientConnection):
    """A client's websocket. `heard` counts what came, whatever it was."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.heard = 0
        self.congested = False
        self._sink: Callable[[bytes], None] | None = None
        self._early: list[bytes] = []
        self._parts: list[BytesLike] = []
        self._flushing = False
        self._full = False

    def listen(self, sink: Callable[[bytes], None]) -> None:
        """From now on binary frames are handed to the sink, also those that have come already."""
        self._sink = sink
        early, self._early = self._early, []
        for frame in early:
            sink(frame)

    def put(self, frame: bytes) -> None:
        """Sends a binary frame with the others of this turn of the loop. After the end it is dropped."""
        if self.protocol.state is State.OPEN:
            self.protocol.writes.append(_masked(frame))
            if not self._flushing:
                self._flushing = True
                self.loop.call_soon(self.flush)

    def flush(self) -> None:
        self._flushing = False
        if not self.transport.is_closing():
            self.send_data()

    @property
    def idle(self) -> bool:
        """Whether everything was handed to the system."""
        return not self.protocol.writes and not self.transport.get_write_buffer_size()

    @property
    def fault(self) -> BaseException | None:
        """A defect of whoever took the frames: asyncio closes the connection for it, but that is no loss of it."""
        return None if isinstance(self.connection_exc, OSError) else self.connection_exc

    def set_full(self, *, full: bool) -> None:
        """Whether nothing more should come: the local side is full."""
        self._full = full
        self._govern()

    def send_data(self) -> None:
        writes = self.protocol.writes
        if len(writes) > 1 and all(writes):  # an empty one half-closes
            self.protocol.writes = [b"".join(writes)]
        super().send_data()

    def process_event(self, event: Event) -> None:
        self.heard += 1
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
        elif event.fin and not self._parts:
            if event.opcode is Opcode.BINARY:  # no text comes in this direction; AWS's plugin drops it too
                self._take(bytes(event.data))
        else:
            self._parts.append(event.data)
            if event.fin:
                whole = b"".join(self._parts)
                self._parts.clear()
                self._take(whole)

    def _take(self, frame: bytes) -> None:
        if self._sink is not None:
            self._sink(frame)
        else:
            self._early.append(frame)

    async def until_silent(self, limits: Limits, *, excused: Callable[[], bool]) -> None:
        """Returns when neither a pong nor anything else came in time: the network is dead. `excused`: while we do not
        read, because the local side is full, the pong may be behind what we do not read."""
        patience = limits.pong
        while True:
            heard = self.heard
            try:
                pong = await self.ping()
            except ConnectionClosed:
                await self.wait_closed()
                return
            answered, _ = await asyncio.wait([asyncio.ensure_future(pong)], timeout=patience)
            if not answered and heard == self.heard and not excused() and not self.congested:
                return
            woken = await waking.sleep(limits.ping_every, late=limits.late)
            patience = limits.pong_after_wake if woken else limits.pong

    async def close_within(self, seconds: float) -> None:
        """Writes what still waits and says goodbye, if it can."""
        try:
            async with asyncio.timeout(seconds):
                await self.close()
        except (TimeoutError, ConnectionClosed):
            return

    def pause_writing(self) -> None:
        super().pause_writing()
        self.congested = True
        self._govern()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.congested = False
        self._govern()

    def _govern(self) -> None:
        if self._full or self.congested:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


def _masked(frame: bytes) -> bytes:
    """One binary message as a client sends it (RFC 6455, 5.2): `protocol.send_binary` in 2 µs instead of 9."""
    length, mask = len(frame), os.urandom(4)
    if length < 126:
        head = _HEAD_SHORT.pack(0x82, 0x80 | length)
    elif length < 65536:
        head = _HEAD_MEDIUM.pack(0x82, 0x80 | 126, length)
    else:
        head = _HEAD_LONG.pack(0x82, 0x80 | 127, length)
    return b"".join((head, mask, apply_mask(frame, mask)))
