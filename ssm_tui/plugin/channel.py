"""The data channel of one session: a websocket that is opened, watched, and replaced when it is lost.

Everything that arrives goes through one reader to one sink, in order and each once; everything sent waits in the outbox
until it is acknowledged, over as many websockets as it takes. Knows nothing of shells or ports.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed

from ssm_tui.plugin import framing
from ssm_tui.plugin.dialing import ChannelError, dial
from ssm_tui.plugin.framing import FrameError, Message, MessageType
from ssm_tui.plugin.reliability import Inbox, Outbox
from ssm_tui.plugin.service import ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.client import ClientConnection

    from ssm_tui.plugin.limits import Limits


_MAX_OUTGOING: Final = 4096
"""Frames waiting to be written at which the reader stops making more of them (acknowledgements)."""


class End(Enum):
    CLOSED = auto()  # the service said so
    TIMED_OUT = auto()  # ResumeSession had no token: the session is over
    LOST = auto()  # it could not be resumed


@dataclass(frozen=True, slots=True)
class Ending:
    end: End
    text: str = ""


class DataChannel:
    """One session's channel. `ended` is set once, by whatever ends it other than `close`."""

    def __init__(
        self,
        stream_url: str,
        token: str,
        *,
        sink: Callable[[Message], None],
        renew: Callable[[], Awaitable[str]],
        limits: Limits,
    ) -> None:
        self._url = stream_url
        self._token = token
        self._sink = sink
        self._renew = renew
        self._limits = limits
        self._client_id = str(uuid.uuid4())
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox()
        self._inbox = Inbox()
        self._outgoing: deque[bytes] = deque()
        self._wake, self._room, self._progress = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room.set()
        self._timers = asyncio.Event()
        self._pausers: set[object] = set()
        self._unpaused = asyncio.Event()
        self._unpaused.set()
        self._written = asyncio.Event()
        self._heard = 0
        self.dropped = 0
        self._connection: ClientConnection | None = None
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[Ending] = self._loop.create_future()

    # -- opening and closing ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Opens the first websocket. Raises `ChannelError`."""
        delay = self._limits.dial_delay
        for attempt in range(1, self._limits.dial_attempts + 1):
            try:
                connection = await dial(self._url, self._token, self._client_id, self._limits)
            except ChannelError as error:
                if error.final or attempt == self._limits.dial_attempts:
                    raise
                await asyncio.sleep(delay)
                delay *= 2
            else:
                self._task = self._loop.create_task(self._run(connection))
                self._task.add_done_callback(self._report)
                return

    async def close(self) -> None:
        """Writes what still waits and closes the websocket properly, within a bound. May be called twice."""
        self._closing.set()
        if self._task is not None:
            resuming = self._connection is None and not self.ended.done()
            await asyncio.wait([self._task], timeout=0 if resuming else 2 * self._limits.close)
            self._task.cancel()
            await asyncio.wait([self._task])

    def _report(self, task: asyncio.Task[None]) -> None:
        if self.ended.done() or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.ended.set_exception(error)

    # -- sending ------------------------------------------------------------------------------------------------------

    def send(self, payload_type: int, payload: bytes) -> int:
        """Sends one message now, or after the channel is back. Returns its sequence number. See `room` for data."""
        sequence = self._outbox.next_sequence
        frame = self._outbox.push(payload_type, payload, now=self._loop.time(), created_ms=framing.now_ms())
        if not self._outbox.has_room:
            self._room.clear()
        self._timers.set()
        if self._connection is not None:
            self._queue(frame)
        return sequence

    async def room(self) -> None:
        """Waits until the far side has taken enough for more data to be sent."""
        await self._room.wait()

    async def acknowledged(self, sequence: int) -> None:
        """Waits until this message is acknowledged."""
        while not self._outbox.is_acknowledged(sequence):
            self._progress.clear()
            await self._progress.wait()

    async def drained(self) -> None:
        """Waits until everything sent so far is acknowledged."""
        while self._outbox.in_flight:
            self._progress.clear()
            await self._progress.wait()

    def _queue(self, frame: bytes) -> None:
        self._outgoing.append(frame)
        self._wake.set()

    # -- flow control towards us --------------------------------------------------------------------------------------

    def pause(self, who: object) -> None:
        """Stops reading the websocket: the last resort of a local side whose buffer is full."""
        self._pausers.add(who)
        self._unpaused.clear()

    def unpause(self, who: object) -> None:
        self._pausers.discard(who)
        if not self._pausers:
            self._unpaused.set()

    # -- one websocket after another ----------------------------------------------------------------------------------

    async def _run(self, connection: ClientConnection) -> None:
        current: ClientConnection | None = connection
        while current is not None:
            await self._serve(current)
            if self.ended.done() or self._closing.is_set():
                return
            current = await self._resume()

    async def _serve(self, connection: ClientConnection) -> None:
        """Works on one websocket until it is lost, the session ends, or the channel is to close."""
        self._outgoing.clear()  # acknowledgements of the past; the agent repeats what misses them
        self._outgoing.extend(self._outbox.resend_all(now=self._loop.time()))
        self._wake.set()
        self._connection = connection
        works = (self._read(connection), self._write(connection), self._ping(connection), self._resend())
        tasks = [self._loop.create_task(work) for work in works]
        tasks.append(self._loop.create_task(self._until_closing()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._connection = None
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if self.ended.done() or self._closing.is_set():
                await self._close_gently(connection)
            connection.transport.abort()
            await connection.wait_closed()

    async def _until_closing(self) -> None:
        await self._closing.wait()

    async def _close_gently(self, connection: ClientConnection) -> None:
        try:
            async with asyncio.timeout(self._limits.close):
                while self._outgoing:
                    await connection.send(self._outgoing.popleft())
                await connection.close()
        except (TimeoutError, ConnectionClosed):
            return

    async def _read(self, connection: ClientConnection) -> None:
        while not self.ended.done():
            if self._pausers:
                await self._unpaused.wait()
            while len(self._outgoing) > _MAX_OUTGOING:
                self._written.clear()
                await self._written.wait()
            try:
                frame = await connection.recv()
            except ConnectionClosed:
                return
            self._heard += 1
            if isinstance(frame, bytes):
                self._take(frame)
            else:
                self.dropped += 1

    def _take(self, frame: bytes) -> None:
        try:
            message = framing.decode(frame)
            match message.message_type:
                case MessageType.OUTPUT:
                    receipt = self._inbox.receive(message)
                    if receipt.acknowledge:
                        self._queue(framing.encode(framing.acknowledge(message)))
                    for ready in receipt.ready:
                        self._sink(ready)
                case MessageType.ACKNOWLEDGE:
                    self._strike_off(framing.acknowledged_sequence(message.payload))
                case MessageType.CHANNEL_CLOSED:
                    self._end(End.CLOSED, framing.parse_channel_closed(message.payload).output)
                case MessageType.START_PUBLICATION | MessageType.PAUSE_PUBLICATION:
                    pass  # for the agent; this side neither stops nor answers
                case _:
                    self.dropped += 1
        except FrameError:
            self.dropped += 1

    def _strike_off(self, sequence: int) -> None:
        if self._outbox.acknowledged(sequence, now=self._loop.time()):
            self._progress.set()
            if self._outbox.has_room:
                self._room.set()

    async def _write(self, connection: ClientConnection) -> None:
        while True:
            try:
                while self._outgoing:
                    await connection.send(self._outgoing.popleft())
            except ConnectionClosed:
                return
            self._written.set()
            self._wake.clear()
            await self._wake.wait()

    async def _ping(self, connection: ClientConnection) -> None:
        """Returns when neither a pong nor anything else came in time: the network is dead."""
        while True:
            heard = self._heard
            try:
                pong = await connection.ping()
            except ConnectionClosed:
                return
            answered, _ = await asyncio.wait([asyncio.ensure_future(pong)], timeout=self._limits.pong)
            # While we do not read, because the local side is full, the pong may be behind what we do not read.
            if not answered and heard == self._heard and not self._pausers:
                return
            await asyncio.sleep(self._limits.ping_every)

    async def _resend(self) -> None:
        while True:
            due = self._outbox.next_due()
            if due is None:
                self._timers.clear()
                await self._timers.wait()
                continue
            await asyncio.sleep(max(0.01, due - self._loop.time()))
            # Else the websocket is slow, or it is us who do not read, and not the far side.
            if not self._outgoing and not self._pausers:
                for frame in self._outbox.due(now=self._loop.time()):
                    self._queue(frame)

    async def _resume(self) -> ClientConnection | None:
        """A new websocket for the same session, or None and the session ended."""
        reason, delay = "the data channel was lost", self._limits.resume_delay
        try:
            async with asyncio.timeout(self._limits.resume_total):
                for attempt in range(self._limits.resume_attempts):
                    if attempt:
                        await asyncio.sleep(delay)
                        delay *= 2
                    try:
                        token = await self._renew()
                        if not token:
                            self._end(End.TIMED_OUT)
                            return None
                        return await dial(self._url, token, self._client_id, self._limits)
                    except (ChannelError, ServiceError) as error:
                        reason = str(error)
                        if error.final:
                            break
        except TimeoutError:
            reason = f"{reason}; gave up after {self._limits.resume_total:g} s"
        self._end(End.LOST, reason)
        return None

    def _end(self, end: End, text: str = "") -> None:
        if not self.ended.done():
            self.ended.set_result(Ending(end, text))
