"""Port sessions with agents that know no multiplexing: one local connection at a time over the plain data channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ssm_tui.plugin import framing, sockets
from ssm_tui.plugin.framing import Flag, Message, PayloadType
from ssm_tui.plugin.handler import MESSAGE_BYTES, StartError, outage_line
from ssm_tui.plugin.sockets import Listener, LocalConnection

if TYPE_CHECKING:
    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.console import Console
    from ssm_tui.plugin.limits import Limits

_BUFFER = 64 * 1024


class BasicPorts:
    """The handler of a port session without multiplexing. The next client waits in the system's queue meanwhile."""

    exit_status = 0
    knows_flags = True
    raw_stdout = False

    def __init__(
        self, channel: DataChannel, console: Console, listener: Listener, *, session_id: str, limits: Limits
    ) -> None:
        self._channel, self._console, self._listener = channel, console, listener
        self._session_id = session_id
        self._limits = limits
        self._current: LocalConnection | None = None
        self._early: list[bytes] | None = []  # the target may speak first, before any client is there
        self._early_bytes = 0
        self._pending = bytearray()
        self._paused = False
        self._received = 0
        self._lingering: asyncio.Task[None] | None = None
        self._work, self._sent, self._gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def start(self) -> None:
        try:
            self._listener.listen()
        except sockets.ListenError as error:
            raise StartError(str(error)) from error
        self._console.line(self._listener.announcement(self._session_id))

    async def run(self) -> int:
        pump = asyncio.get_running_loop().create_task(self._pump())
        announced = False
        try:
            while True:
                self._gone.clear()
                connection = await sockets.accept(self._listener, lambda: LocalConnection(self, self._limits.linger))
                if not announced:
                    announced = True
                    self._console.line(f"Connection accepted for session {self._session_id}.\n")
                await self._carry(connection)
        finally:
            pump.cancel()
            if self._lingering is not None:
                self._lingering.cancel()

    def outage(self, cause: str | None) -> None:
        self._console.line(f"{outage_line(self._session_id, cause)}\n")

    def signalled(self, _signum: int, /) -> bool:
        return False

    def close(self) -> None:
        self._listener.close()
        if self._current is not None:
            self._current.abort()

    async def _carry(self, connection: LocalConnection) -> None:
        """Until the client is gone and everything it sent is on its way; then the agent drops its own connection."""
        await self._gone.wait()
        while self._pending:
            self._sent.clear()
            await self._sent.wait()
        connection.close()
        self._current = None
        sequence = self._channel.send(PayloadType.FLAG, framing.flag_payload(Flag.DISCONNECT_TO_PORT))
        try:
            # What the old connection's target still said must not reach the next client.
            async with asyncio.timeout(self._limits.linger):
                await self._channel.acknowledged(sequence)
        except TimeoutError:
            return

    def receive(self, message: Message) -> None:
        if message.payload_type != PayloadType.OUTPUT:
            return
        self._received += 1
        if self._current is not None:
            self._current.write(message.payload)
        elif self._early is not None:
            self._early.append(message.payload)
            self._early_bytes += len(message.payload)
            if self._early_bytes > sockets.HIGH_WATER:
                self._channel.pause(self)

    def opened(self, connection: LocalConnection) -> None:
        self._current = connection
        for data in self._early or ():
            connection.write(data)
        self._early = None
        self._channel.unpause(self)

    def received(self, connection: LocalConnection, data: bytes) -> None:
        self._pending += data
        if len(self._pending) > _BUFFER and not self._paused:
            self._paused = True
            connection.pause_reading()
        self._work.set()

    def input_ended(self, connection: LocalConnection) -> None:
        self._lingering = asyncio.get_running_loop().create_task(self._linger(connection))

    def lost(self, _connection: LocalConnection, /) -> None:
        self._gone.set()

    def congested(self, connection: LocalConnection, *, full: bool) -> None:
        if full:
            self._channel.pause(connection)
        else:
            self._channel.unpause(connection)

    async def _linger(self, connection: LocalConnection) -> None:
        """The answer to a client that only shut down its sending side may still come."""
        loop = asyncio.get_running_loop()
        silent_until, received = loop.time() + self._limits.linger, self._received
        while loop.time() < silent_until and not self._gone.is_set():
            if connection.client_is_gone():
                break
            await asyncio.sleep(min(0.2, self._limits.linger))
            if self._pending or self._received != received:
                received, silent_until = self._received, loop.time() + self._limits.linger
        self._gone.set()

    async def _pump(self) -> None:
        while True:
            await self._work.wait()
            await self._channel.room()
            data = bytes(self._pending[:MESSAGE_BYTES])
            del self._pending[:MESSAGE_BYTES]
            if data:
                self._channel.send(PayloadType.OUTPUT, data)
            else:
                self._work.clear()
            self._sent.set()
            if self._paused and self._current is not None and len(self._pending) < _BUFFER // 2:
                self._paused = False
                self._current.resume_reading()
