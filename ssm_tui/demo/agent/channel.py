"""The agent's end of a data channel: frames in, frames out, in order, acknowledged, repaired, never too many.

Boundary: speaks in frames with the gateway and in payloads with the session (`Receiver`). No socket, no process.
As AWS's agent: what was handled before is acknowledged again, nothing is sent while publication is paused, anything
received ends the pause.
Unlike AWS's: what is in flight is bounded both ways, and a full receiver holds up data alone, never acknowledgements.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ssm_tui.plugin.framing import (
    FrameError,
    Message,
    MessageType,
    PayloadType,
    acknowledged_sequence,
    acknowledgement,
    control,
    decode,
    encode,
    now_ms,
    with_payload,
)
from ssm_tui.plugin.reliability import Inbox, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.demo.agent.order import Pace
    from ssm_tui.plugin.encryption import SessionCipher

PAYLOAD = 1024
"""Bytes of data in one message."""
_ENCRYPTED = (PayloadType.OUTPUT, PayloadType.STDERR, PayloadType.EXIT_CODE)
_HELD = 1024  # messages kept back for a full receiver; more are dropped, and repeated by the client
_ROUND = 0.1  # seconds between two looks at what is unacknowledged


class Receiver(Protocol):
    """Whoever takes the client's data."""

    def receive(self, message: Message) -> None:
        """Takes a message, in order. Must not block; what cannot be written on is buffered."""
        ...

    @property
    def full(self) -> bool:
        """Whether so much is buffered that nothing more should come; `DataChannel.receiver_drained` ends that."""
        ...


class DataChannel:
    """Used from one event loop. `send` takes a frame at once; `congested` says that it should be left alone."""

    def __init__(self, send: Callable[[bytes], None], *, congested: Callable[[], bool], pace: Pace) -> None:
        self._send = send
        self._congested = congested
        self._gap = pace.message_gap
        self._outbox = Outbox(MessageType.OUTPUT)
        self._inbox = Inbox()
        self._receiver: Receiver | None = None
        self._held: deque[Message] = deque()
        self.cipher: SessionCipher | None = None
        """Set once the handshake has agreed on a key; from then on input and output are encrypted."""
        self._paused = False
        self._open = asyncio.Event()  # the next data message may be sent
        self._open.set()
        self._acknowledged = asyncio.Event()
        self._repairs: asyncio.Task[None] | None = None
        self._clock = asyncio.get_running_loop().time

    @property
    def paused(self) -> bool:
        return self._paused

    def attach(self, receiver: Receiver) -> None:
        """From now on the client's data is taken."""
        self._receiver = receiver

    def receiver_drained(self) -> None:
        """The receiver was full and may have room again."""
        while self._held and self._receiver and not self._receiver.full:
            self._take(self._held.popleft())

    def receive(self, frame: bytes) -> None:
        """One frame from the service. What is no message is dropped."""
        try:
            message = decode(frame)
            if message.message_type == MessageType.ACKNOWLEDGE:
                self._strike_off(acknowledged_sequence(message.payload))
                return
        except FrameError:
            return
        match message.message_type:
            case MessageType.INPUT:
                self._unpause()
                self._data(message)
            case MessageType.PAUSE_PUBLICATION:
                self._paused = True
                self._open.clear()
            case MessageType.START_PUBLICATION:
                self._unpause(resend=True)
            case _:
                pass

    async def write(self, payload_type: int, data: bytes) -> None:
        """Sends data in messages of 1024 bytes at most; returns when the last is on its way."""
        for start in range(0, len(data), PAYLOAD):
            while not self._open.is_set():
                await self._open.wait()
            self.post(payload_type, data[start : start + PAYLOAD])
            if self._gap:
                await asyncio.sleep(self._gap)

    def post(self, payload_type: int, payload: bytes) -> None:
        """Sends one message at once: handshakes and flags, which are few."""
        if self.cipher is not None and payload_type in _ENCRYPTED:
            payload = self.cipher.encrypt(payload)
        frame = self._outbox.push(payload_type, payload, now=self._clock(), created_ms=now_ms())
        if not self._outbox.has_room:
            self._open.clear()
        if not self._paused:
            self._send(frame)
        if self._repairs is None:
            self._repairs = asyncio.create_task(self._repair())

    def announce(self, state: str, session_id: str) -> None:
        """Tells the service, not the client, the state of the session: Connected or Terminating."""
        body = {"SchemaVersion": 1, "SessionState": state, "SessionId": session_id}
        self._send(encode(control(MessageType.AGENT_SESSION_STATE, json.dumps(body, separators=(",", ":")).encode())))

    async def flushed(self, patience: float) -> bool:
        """Waits until everything is acknowledged, at most `patience` seconds in which publication is on."""
        left = patience
        while self._outbox.in_flight:
            if left <= 0:
                return False
            self._acknowledged.clear()
            began, paused = self._clock(), self._paused
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._acknowledged.wait(), min(left, _ROUND))
            if not paused:
                left -= self._clock() - began
        return True

    async def close(self) -> None:
        """Stops repairing; for the end of the session."""
        if (repairs := self._repairs) is not None:
            repairs.cancel()
            await asyncio.gather(repairs, return_exceptions=True)

    def _data(self, message: Message) -> None:
        if self._receiver is None:
            return
        if self._held or self._receiver.full:
            if len(self._held) < _HELD:
                self._held.append(message)
            return
        self._take(message)

    def _take(self, message: Message) -> None:
        receipt = self._inbox.receive(message)
        for ready in receipt.ready:
            readable = self._readable(ready)
            if self._receiver is not None and readable is not None:
                self._receiver.receive(readable)
        if receipt.acknowledge:
            self._send(acknowledgement(message))

    def _readable(self, message: Message) -> Message | None:
        """The message decrypted, if it should be; what was not encrypted with our key is dropped, as by AWS's."""
        if self.cipher is None or message.payload_type != PayloadType.OUTPUT:
            return message
        plain = self.cipher.decrypt(message.payload)
        return with_payload(message, plain) if plain is not None else None

    def _strike_off(self, sequence: int) -> None:
        self._unpause()
        if self._outbox.acknowledged(sequence, now=self._clock()):
            self._acknowledged.set()
            if self._outbox.has_room:
                self._open.set()

    def _unpause(self, *, resend: bool = False) -> None:
        if not self._paused:
            return
        self._paused = False
        if self._outbox.has_room:
            self._open.set()
        for frame in self._outbox.resend_all(now=self._clock()) if resend else ():
            self._send(frame)

    async def _repair(self) -> None:
        """Sends again what is late, while the client is there to take it; over when nothing is unacknowledged."""
        while self._outbox.in_flight:
            await asyncio.sleep(_ROUND)
            if not self._paused and not self._congested():
                for frame in self._outbox.due(now=self._clock()):
                    self._send(frame)
        self._repairs = None
