"""Port sessions with many connections: smux streams inside one data channel, in memory.

Local connections take turns: control frames first, then streams that just became active, then bulk, at most one message
each. A stream is read only as far as its small buffer goes; the data channel's window does the rest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin import framing, smux, sockets
from ssm_tui.plugin.framing import Flag, FrameError, Message, PayloadType
from ssm_tui.plugin.handler import MESSAGE_BYTES, BrokenStreamError, StartError, first_of, outage_line
from ssm_tui.plugin.smux import Command, Frame, SmuxError
from ssm_tui.plugin.sockets import Listener, LocalConnection

if TYPE_CHECKING:
    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.console import Console
    from ssm_tui.plugin.limits import Limits

STREAM_BUFFER: Final = 64 * 1024
_WORTH_A_FRAME: Final = 256
"""Less room than this in a started message is not filled."""
_GONE_CHECKS: Final = (0.0, 0.05, 0.2, 0.5)
"""Seconds between looks at whether a client that sent EOF has closed; then each second until the linger time ends."""


class Stream:
    """One local connection and its smux stream."""

    def __init__(self, stream_id: int, connection: LocalConnection) -> None:
        self.stream_id = stream_id
        self.connection = connection
        self.pending = bytearray()
        self.ending = False  # FIN follows what is pending
        self.queued = False
        self.paused = False
        self.received = 0
        self.lingering: asyncio.Task[None] | None = None

    def take(self, size: int) -> bytes:
        data = bytes(self.pending[:size])
        del self.pending[:size]
        if self.paused and len(self.pending) < STREAM_BUFFER // 2:
            self.paused = False
            self.connection.resume_reading()
        return data


class MuxPorts:
    """The handler of a multiplexed port session."""

    exit_status = 0
    knows_flags = True
    raw_stdout = False

    def __init__(
        self,
        channel: DataChannel,
        console: Console,
        listener: Listener,
        *,
        session_id: str,
        keepalive: bool,
        limits: Limits,
    ) -> None:
        self._channel, self._console, self._listener = channel, console, listener
        self._session_id = session_id
        self._keepalive = keepalive
        self._limits = limits
        self._decoder = smux.Decoder()
        self._ids = smux.client_stream_ids()
        self._streams: dict[int, Stream] = {}
        self._by_connection: dict[LocalConnection, Stream] = {}
        self._connections: set[LocalConnection] = set()
        self._control: deque[bytes] = deque()
        self._fresh: deque[Stream] = deque()
        self._bulk: deque[Stream] = deque()
        self._bulk_turn = False
        self._work = asyncio.Event()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None
        self._announced = False

    async def start(self) -> None:
        try:
            self._listener.listen()
        except sockets.ListenError as error:
            raise StartError(str(error)) from error
        self._server = await sockets.serve(self._listener, lambda: LocalConnection(self, self._limits.linger))
        self._console.line(self._listener.announcement(self._session_id) + "Waiting for connections...\n")

    async def run(self) -> int:
        works = [self._pump(), self._keep_alive()] if self._keepalive else [self._pump()]
        await first_of(_settled(self._broken), *works)
        return 0

    def outage(self, cause: str | None) -> None:
        self._console.line(f"{outage_line(self._session_id, cause)}\n")

    def signalled(self, _signum: int, /) -> bool:
        return False

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._listener.close()
        for stream in self._streams.values():
            if stream.lingering is not None:
                stream.lingering.cancel()
        for connection in list(self._connections):
            connection.abort()

    # -- from the far side --------------------------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        if message.payload_type == PayloadType.FLAG:
            self._take_flag(message.payload)
        if message.payload_type != PayloadType.OUTPUT or self._broken.done():
            return
        try:
            frames = self._decoder.feed(message.payload)
        except SmuxError as error:
            self._broken.set_exception(BrokenStreamError(f"the agent's stream cannot be understood: {error}"))
            return
        for frame in frames:
            stream = self._streams.get(frame.stream_id)
            if stream is None:
                continue  # a stream that we have ended already, or a keep-alive
            if frame.command is Command.PSH:
                stream.received += 1
                stream.connection.write(frame.data)
            elif frame.command is Command.FIN:
                self._forget(stream)
                self._put_control(Frame(Command.FIN, stream.stream_id))
                stream.connection.finish()

    def _take_flag(self, payload: bytes) -> None:
        try:
            flag = framing.parse_flag(payload)
        except FrameError:
            return
        if flag == Flag.CONNECT_TO_PORT_ERROR:
            self._console.line("\nConnection to destination port failed, check SSM Agent logs.\n")

    # -- from local connections ---------------------------------------------------------------------------------------

    def opened(self, connection: LocalConnection) -> None:
        self._connections.add(connection)
        stream = Stream(next(self._ids), connection)
        self._streams[stream.stream_id] = self._by_connection[connection] = stream
        self._put_control(Frame(Command.SYN, stream.stream_id))
        if not self._announced:
            self._announced = True
            self._console.line(f"\nConnection accepted for session [{self._session_id}]\n")

    def received(self, connection: LocalConnection, data: bytes) -> None:
        stream = self._by_connection.get(connection)
        if stream is None:
            return
        stream.pending += data
        if len(stream.pending) > STREAM_BUFFER and not stream.paused:
            stream.paused = True
            connection.pause_reading()
        self._activate(stream)

    def input_ended(self, connection: LocalConnection) -> None:
        stream = self._by_connection.get(connection)
        if stream is not None and not stream.ending:
            stream.lingering = asyncio.get_running_loop().create_task(self._linger(stream))

    def lost(self, connection: LocalConnection) -> None:
        self._connections.discard(connection)
        stream = self._by_connection.get(connection)
        if stream is not None:
            self._end(stream)

    def congested(self, connection: LocalConnection, *, full: bool) -> None:
        if full:
            self._channel.pause(connection)
        else:
            self._channel.unpause(connection)

    async def _linger(self, stream: Stream) -> None:
        """smux has no half-close: after the client's EOF the stream stays open while the answer may still come."""
        loop = asyncio.get_running_loop()
        waits, received = list(_GONE_CHECKS), stream.received
        silent_until = loop.time() + self._limits.linger
        while loop.time() < silent_until:
            await asyncio.sleep(min(waits.pop(0) if waits else 1.0, max(0.0, silent_until - loop.time())))
            if stream.connection.client_is_gone():
                break
            if stream.pending or stream.received != received:
                received, silent_until = stream.received, loop.time() + self._limits.linger
        stream.lingering = None
        self._end(stream)

    def _end(self, stream: Stream) -> None:
        """FIN after what is pending; the local connection closes once the rest of the answer is written to it."""
        if stream.ending or stream.stream_id not in self._streams:
            return
        stream.ending = True
        self._activate(stream)

    # -- towards the far side -----------------------------------------------------------------------------------------

    def _activate(self, stream: Stream) -> None:
        if not stream.queued:
            stream.queued = True
            self._fresh.append(stream)
        self._work.set()

    def _put_control(self, frame: Frame) -> None:
        self._control.append(smux.encode(frame))
        self._work.set()

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.stream_id, None)
        self._by_connection.pop(stream.connection, None)
        stream.pending.clear()
        if stream.lingering is not None:
            stream.lingering.cancel()

    async def _pump(self) -> None:
        while True:
            await self._work.wait()
            await self._channel.room()
            payload = self._next_payload()
            if payload:
                self._channel.send(PayloadType.OUTPUT, payload)
            elif not self._control:  # a stream that only ended has left its FIN there
                self._work.clear()

    def _next_payload(self) -> bytes:
        """The next message of at most 1024 bytes, or nothing when no stream has anything to say."""
        out = bytearray()
        while self._control and len(out) + smux.HEADER_SIZE <= MESSAGE_BYTES:
            out += self._control.popleft()
        while (space := MESSAGE_BYTES - smux.HEADER_SIZE - len(out)) >= _WORTH_A_FRAME:
            stream = self._next_stream()
            if stream is None:
                break
            stream.queued = False
            if stream.stream_id in self._streams:
                self._put_turn(stream, out, space)
        return bytes(out)

    def _put_turn(self, stream: Stream, out: bytearray, space: int) -> None:
        if stream.pending:
            out += smux.encode(Frame(Command.PSH, stream.stream_id, stream.take(space)))
        if stream.pending:
            stream.queued = True
            self._bulk.append(stream)
        elif stream.ending:
            self._put_control(Frame(Command.FIN, stream.stream_id))
            self._forget(stream)
            stream.connection.close()

    def _next_stream(self) -> Stream | None:
        """Whose turn it is: streams that just became active and bulk alternate, so that neither starves."""
        first, second = (self._bulk, self._fresh) if self._bulk_turn else (self._fresh, self._bulk)
        self._bulk_turn = not self._bulk_turn
        if first:
            return first.popleft()
        return second.popleft() if second else None

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._limits.keepalive)
            self._put_control(Frame(Command.NOP, 0))


async def _settled(future: asyncio.Future[None]) -> None:
    await future
