"""The data channel of one session: a websocket that is opened, watched, and replaced when it is lost.

Everything that arrives goes through one reader to one sink, in order and each once; everything sent waits in the outbox
until it is acknowledged, over as many websockets as it takes. Knows nothing of shells or ports.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.plugin import framing
from ssm_tui.plugin.dialing import ChannelError, dial
from ssm_tui.plugin.framing import FrameError, Message, MessageType, PayloadType
from ssm_tui.plugin.opening import parse_channel_closed
from ssm_tui.plugin.reliability import Inbox, Outbox
from ssm_tui.plugin.resumption import GaveUpError, GoneError, Resumption

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ssm_tui.plugin.limits import Limits
    from ssm_tui.plugin.websocket import Link


class End(Enum):
    CLOSED = auto()  # the service said so
    GONE = auto()  # the service has no such session any more
    LOST = auto()  # it could not be resumed, or what came cannot be trusted


@dataclass(frozen=True, slots=True)
class Ending:
    end: End
    text: str = ""


class Cipher(Protocol):
    """How the payloads of an encrypted session are made and read."""

    def encrypt(self, payload: bytes) -> bytes: ...

    def decrypt(self, payload: bytes) -> bytes | None:
        """None for what was not encrypted with the session's key."""


_ENCRYPTED_FROM_AGENT = (PayloadType.OUTPUT, PayloadType.STDERR, PayloadType.EXIT_CODE)


class DataChannel:
    """One session's channel. `ended` is set once, by whatever ends it other than `close`.

    `outage` is called with the cause when the channel is lost (again when the cause changes), and with None when it is
    back. Everything is called in the event loop and must not block.
    """

    def __init__(
        self,
        stream_url: str,
        token: str,
        *,
        sink: Callable[[Message], None],
        renew: Callable[[], Awaitable[str]],
        limits: Limits,
        outage: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        self._url = stream_url
        self._token = token
        self._sink = sink
        self._renew = renew
        self._limits = limits
        self._outage = outage
        self._client_id = str(uuid.uuid4())
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(adaptive=True)
        self._inbox = Inbox()
        self._room, self._progress, self._timers = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room.set()
        self._pausers: set[object] = set()
        self._link: Link | None = None
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.cipher: Cipher | None = None
        """Set when the handshake has agreed on a key; from then on input and output are encrypted."""
        self.ended: asyncio.Future[Ending] = self._loop.create_future()

    # -- opening and closing ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Opens the first websocket. Raises `ChannelError`."""
        delay = self._limits.dial_delay
        for attempt in range(1, self._limits.dial_attempts + 1):
            try:
                link = await dial(self._url, self._token, self._client_id, self._limits)
            except ChannelError as error:
                if error.final or attempt == self._limits.dial_attempts:
                    raise
                await asyncio.sleep(delay)
                delay *= 2
            else:
                self._task = self._loop.create_task(self._run(link))
                self._task.add_done_callback(self._report)
                return

    async def close(self) -> None:
        """Writes what still waits and closes the websocket properly, within a bound. May be called twice."""
        self._closing.set()
        if self._task is not None:
            resuming = self._link is None and not self.ended.done()
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
        if self.cipher is not None and payload_type == PayloadType.OUTPUT:
            payload = self.cipher.encrypt(payload)
        sequence = self._outbox.next_sequence
        frame = self._outbox.push(payload_type, payload, now=self._loop.time(), created_ms=framing.now_ms())
        if not self._outbox.has_room:
            self._room.clear()
        self._timers.set()
        if self._link is not None:
            self._link.put(frame)
        return sequence

    @property
    def has_room(self) -> bool:
        return self._outbox.has_room

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

    # -- flow control towards us --------------------------------------------------------------------------------------

    def pause(self, who: object) -> None:
        """Stops reading the websocket: the last resort of a local side whose buffer is full."""
        self._pausers.add(who)
        if self._link is not None:
            self._link.set_full(full=True)

    def unpause(self, who: object) -> None:
        if who in self._pausers:
            self._pausers.discard(who)
            if not self._pausers and self._link is not None:
                self._link.set_full(full=False)

    # -- what arrives -------------------------------------------------------------------------------------------------

    def _take(self, frame: bytes) -> None:
        if self.ended.done():
            return
        try:
            message = framing.decode(frame)
            match message.message_type:
                case MessageType.OUTPUT:
                    self._take_output(message)
                case MessageType.ACKNOWLEDGE:
                    self._strike_off(framing.acknowledged_sequence(message.payload))
                case MessageType.CHANNEL_CLOSED:
                    self._end(End.CLOSED, parse_channel_closed(message.payload).output)
                case _:  # start_ and pause_publication are for the agent; this side neither stops nor answers
                    return
        except FrameError:
            return

    def _take_output(self, message: Message) -> None:
        receipt = self._inbox.receive(message)
        if receipt.acknowledge and self._link is not None:
            self._link.put(framing.acknowledgement(message))
        for ready in receipt.ready:
            if self.cipher is not None and ready.payload_type in _ENCRYPTED_FROM_AGENT:
                plain = self.cipher.decrypt(ready.payload)
                if plain is None:
                    self._end(End.LOST, "a message that was not encrypted with the session's key")
                    return
                ready = framing.with_payload(ready, plain)
            self._sink(ready)

    def _strike_off(self, sequence: int) -> None:
        if self._outbox.acknowledged(sequence, now=self._loop.time()):
            self._progress.set()
            if self._outbox.has_room:
                self._room.set()

    # -- one websocket after another ----------------------------------------------------------------------------------

    async def _run(self, link: Link) -> None:
        current: Link | None = link
        while current is not None:
            cause = await self._serve(current)
            if self.ended.done() or self._closing.is_set():
                return
            current = await self._resume(cause)
            if current is not None:
                self._outage(None)

    async def _serve(self, link: Link) -> str:
        """Works on one websocket until it is lost, the session ends, or the channel is to close; why it was lost."""
        self._link = link
        for frame in self._outbox.resend_all(now=self._loop.time()):
            link.put(frame)
        link.set_full(full=bool(self._pausers))
        link.listen(self._take)
        works: tuple[Coroutine[Any, Any, None], ...] = (
            link.wait_closed(),
            link.until_silent(self._limits, excused=lambda: bool(self._pausers)),
            self._resend(link),
            self._over(),
        )
        tasks = [self._loop.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            silent = tasks[0] not in done
        finally:
            self._link = None
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if self.ended.done() or self._closing.is_set():
                await link.close_within(self._limits.close)
            link.transport.abort()
            await link.wait_closed()
        if link.fault is not None:
            raise link.fault
        return "the network does not answer" if silent else f"the connection ended (code {link.close_code})"

    async def _over(self) -> None:
        """Until the session has ended or the channel is to close."""
        closing = self._loop.create_task(self._closing.wait())
        try:
            either: list[asyncio.Future[Any]] = [closing, self.ended]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()

    async def _resend(self, link: Link) -> None:
        while True:
            due = self._outbox.next_due()
            if due is None:
                self._timers.clear()
                await self._timers.wait()
                continue
            await asyncio.sleep(max(0.01, due - self._loop.time()))
            # Else the websocket is slow, or it is us who do not read, and not the far side.
            if link.idle and not self._pausers:
                for frame in self._outbox.due(now=self._loop.time()):
                    link.put(frame)

    async def _resume(self, cause: str) -> Link | None:
        """A new websocket for the same session, or None and the session ended."""
        resumption = Resumption(
            self._limits,
            renew=self._renew,
            dial=lambda token: dial(self._url, token, self._client_id, self._limits),
            told=self._outage,
        )
        try:
            return await resumption.run(cause)
        except GoneError as error:
            self._end(End.GONE, str(error))
        except GaveUpError as error:
            self._end(End.LOST, str(error))
        return None

    def _end(self, end: End, text: str = "") -> None:
        if not self.ended.done():
            self.ended.set_result(Ending(end, text))
