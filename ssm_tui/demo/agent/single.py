"""Port sessions with one connection at a time: the older form of forwarding, and the stdio form that ssh uses."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from ssm_tui.demo.agent.dialing import Dialer, DialError
from ssm_tui.plugin.framing import Flag, FrameError, Message, PayloadType, parse_flag

if TYPE_CHECKING:
    from ssm_tui.demo.agent.channel import DataChannel

_FULL = 1024 * 1024  # bytes that wait for a target that does not read


class SinglePort:
    """Dials when the session starts; where `redial`, again at the first data after a disconnection."""

    def __init__(self, channel: DataChannel, dialer: Dialer, *, redial: bool) -> None:
        self._channel = channel
        self._dialer = dialer
        self._redial = redial
        self._waiting: deque[bytes | None] = deque()  # None: the client's connection has ended here
        self._buffered = 0
        self._changed = asyncio.Event()

    @property
    def full(self) -> bool:
        return self._buffered >= _FULL

    def receive(self, message: Message) -> None:
        if message.payload_type == PayloadType.OUTPUT:
            self._waiting.append(message.payload)
            self._buffered += len(message.payload)
        elif message.payload_type == PayloadType.FLAG:
            with contextlib.suppress(FrameError):
                if parse_flag(message.payload) == Flag.DISCONNECT_TO_PORT:
                    self._waiting.append(None)
        self._changed.set()

    async def run(self) -> str:
        """Until it is cancelled, the target cannot be dialled (the text says why), or, in stdio form, closes."""
        try:
            while True:
                reader, writer = await self._dialer.dial()
                await self._carry(reader, writer)
                if not self._redial:
                    return ""
                await self._next_data()
        except DialError as error:
            return f"Unable to connect to specified port: {error}"

    async def _next_data(self) -> None:
        while True:
            while self._waiting and self._waiting[0] is None:
                self._waiting.popleft()
            if self._waiting:
                return
            self._changed.clear()
            await self._changed.wait()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        directions = {asyncio.create_task(self._to_target(writer)), asyncio.create_task(self._to_client(reader))}
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Before anything is awaited: the session's end may cancel us again here.
            writer.close()
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _to_target(self, writer: asyncio.StreamWriter) -> None:
        """Until the client's connection has ended."""
        with contextlib.suppress(OSError):
            while True:
                while self._waiting:
                    data = self._waiting.popleft()
                    if data is None:
                        return
                    was_full = self.full
                    self._buffered -= len(data)
                    if was_full:
                        self._channel.receiver_drained()
                    writer.write(data)
                    await writer.drain()
                self._changed.clear()
                await self._changed.wait()

    async def _to_client(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(32 * 1024):
                await self._channel.write(PayloadType.OUTPUT, data)
