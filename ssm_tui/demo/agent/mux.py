"""Port sessions with many connections: smux over the data channel, one dialled connection for every stream.

As AWS's agent: a dial that fails is a flag and a FIN, the end of either side ends both, at most 4 MiB wait for slow
targets in all streams together. Unlike it, streams are dialled side by side: a silent host holds up no other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from ssm_tui.demo.agent.dialing import Dialer, DialError
from ssm_tui.plugin.framing import Flag, Message, PayloadType, flag_payload
from ssm_tui.plugin.smux import KEEPALIVE_SECONDS, Command, Decoder, Frame, SmuxError, encode

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ssm_tui.demo.agent.channel import DataChannel

_RECEIVE_BUFFER = 4 * 1024 * 1024
_SEND_BUFFER = 64 * 1024
_READ = 32 * 1024  # what Go's io.Copy moves at a time
_MAX_STREAMS = 1024


class _Stream:
    """The client's data for one target, until it is written on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.waiting: deque[bytes] = deque()
        self.ended = False
        self.changed = asyncio.Event()


class MuxPort:
    """All connections of one port session."""

    def __init__(self, channel: DataChannel, dialer: Dialer, *, keepalive: bool) -> None:
        self._channel = channel
        self._dialer = dialer
        self._keepalive = keepalive
        self._decoder = Decoder()
        self._streams: dict[int, _Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._buffered = 0
        self._out = bytearray()
        self._out_filled = asyncio.Event()
        self._out_drained = asyncio.Event()
        self._turn = asyncio.Lock()
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def full(self) -> bool:
        return self._buffered >= _RECEIVE_BUFFER

    def receive(self, message: Message) -> None:
        if message.payload_type != PayloadType.OUTPUT or self._broken.done():
            return
        try:
            frames = self._decoder.feed(message.payload)
        except SmuxError as error:
            self._broken.set_result(f"invalid smux protocol: {error}")
            return
        for frame in frames:
            self._take(frame)

    async def run(self) -> str:
        """Until it is cancelled, or the client's byte stream makes no sense: then the text says so."""
        self._begin(self._pump())
        if self._keepalive:
            self._begin(self._beat())
        try:
            return await self._broken
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take(self, frame: Frame) -> None:
        stream = self._streams.get(frame.stream_id)
        match frame.command:
            case Command.SYN if stream is None:
                stream = self._streams[frame.stream_id] = _Stream(frame.stream_id)
                self._begin(self._serve(stream))
            case Command.PSH if stream is not None and frame.data:
                stream.waiting.append(frame.data)
                self._buffered += len(frame.data)
                stream.changed.set()
            case Command.FIN if stream is not None:
                stream.ended = True
                stream.changed.set()
            case _:
                pass

    async def _serve(self, stream: _Stream) -> None:
        """One stream from its SYN to our FIN."""
        try:
            if len(self._streams) > _MAX_STREAMS:
                raise DialError("too many connections")
            reader, writer = await self._dialer.dial()
        except DialError:
            self._channel.post(PayloadType.FLAG, flag_payload(Flag.CONNECT_TO_PORT_ERROR))
        else:
            await self._carry(stream, reader, writer)
        finally:
            del self._streams[stream.number]
            self._buffered -= sum(map(len, stream.waiting))
            self._channel.receiver_drained()
        await self._send(Frame(Command.FIN, stream.number))

    async def _carry(self, stream: _Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions, until one of them ends."""
        directions = {
            asyncio.create_task(self._to_target(stream, writer)),
            asyncio.create_task(self._to_client(stream, reader)),
        }
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

    async def _to_target(self, stream: _Stream, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                while stream.waiting:
                    data = stream.waiting[0]
                    writer.write(data)
                    await writer.drain()
                    stream.waiting.popleft()
                    was_full = self.full
                    self._buffered -= len(data)
                    if was_full:
                        self._channel.receiver_drained()
                if stream.ended:
                    return
                stream.changed.clear()
                await stream.changed.wait()

    async def _to_client(self, stream: _Stream, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ):
                await self._send(Frame(Command.PSH, stream.number, data))

    async def _send(self, frame: Frame) -> None:
        async with self._turn:  # first come, first served: else a busy stream takes every drained buffer again
            while len(self._out) >= _SEND_BUFFER:
                self._out_drained.clear()
                await self._out_drained.wait()
            self._out += encode(frame)
            self._out_filled.set()

    async def _pump(self) -> None:
        """The smux byte stream to the client, cut into messages without regard to frames, as the agent does."""
        while True:
            await self._out_filled.wait()
            self._out_filled.clear()
            data = bytes(self._out)
            self._out.clear()
            self._out_drained.set()
            await self._channel.write(PayloadType.OUTPUT, data)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_SECONDS)
            await self._send(Frame(Command.NOP, 0))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
