"""A small client of the data channel for the tests: the pure modules of our plugin on a real websocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ssm_tui.plugin import handshake
from ssm_tui.plugin.framing import (
    Message,
    MessageType,
    PayloadType,
    acknowledge,
    acknowledged_sequence,
    decode,
    encode,
    now_ms,
)
from ssm_tui.plugin.opening import OpenMessage, encode_open, parse_channel_closed
from ssm_tui.plugin.reliability import Inbox, Outbox

if TYPE_CHECKING:
    from types import TracebackType


class Client:
    """One client across several connections. `output` holds what came, by payload type."""

    def __init__(self, url: str, *, version: str = "1.2.764.0") -> None:
        self._url = url
        self._version = version
        self._client_id = str(uuid.uuid4())
        self._outbox = Outbox()
        self._inbox = Inbox()
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Condition()
        self.output: dict[int, bytearray] = {}
        self.received: list[Message] = []
        self.request: handshake.HandshakeRequest | None = None
        self.ready = False
        self.closed: str | None = None
        self.gone = False
        self.acknowledging = True

    async def connect(self, token: str) -> Self:
        self.gone = False
        self._socket = await connect(self._url, compression=None, max_queue=64)
        request_id = str(uuid.uuid4())
        await self._socket.send(encode_open(OpenMessage(token, self._client_id, request_id, self._version)))
        for frame in self._outbox.resend_all(now=self._now()):
            await self._socket.send(frame)
        self._stop_tasks()
        self._tasks = [asyncio.create_task(self._read(self._socket)), asyncio.create_task(self._repair())]
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_tasks()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def drop(self) -> None:
        """The network goes away: no close frame."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def send(self, data: bytes, payload_type: int = PayloadType.OUTPUT) -> None:
        """Cuts the data into messages; waits for room in the window."""
        for start in range(0, len(data), 1024):
            if not self._outbox.has_room:
                await self.wait(lambda: self._outbox.has_room)
            frame = self._outbox.push(payload_type, data[start : start + 1024], now=self._now(), created_ms=now_ms())
            await self.send_frame(frame)

    async def send_frame(self, frame: bytes | str) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionClosed):  # resent after the next connect
            await self._socket.send(frame)

    async def round_trip(self) -> None:
        """Waits until the gateway has read all that was sent so far."""
        assert self._socket is not None
        await (await self._socket.ping())

    async def resize(self, columns: int, rows: int) -> None:
        await self.send(json.dumps({"cols": columns, "rows": rows}).encode(), PayloadType.SIZE)

    async def wait(self, condition: object, patience: float = 20) -> None:
        """Until `condition()` holds; looked at after each message."""
        assert callable(condition)
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(condition), patience)

    async def expect(self, text: bytes, payload_type: int = PayloadType.OUTPUT, patience: float = 20) -> bytes:
        """Waits for `text` in the output; returns and removes all up to its end."""
        await self.wait(lambda: text in self.output.get(payload_type, b""), patience)
        found = self.output[payload_type]
        end = found.index(text) + len(text)
        taken = bytes(found[:end])
        del found[:end]
        return taken

    async def end(self) -> str:
        """Waits for channel_closed; returns its text."""
        await self.wait(lambda: self.closed is not None)
        assert self.closed is not None
        return self.closed

    async def shake_hands(self) -> None:
        await self.wait(lambda: self.ready)

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                assert isinstance(frame, bytes)
                await self._take(decode(frame))
        async with self._changed:
            self.gone = True
            self._changed.notify_all()

    async def _repair(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            for frame in self._outbox.due(now=self._now()):
                await self.send_frame(frame)

    def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _take(self, message: Message) -> None:
        async with self._changed:
            self.received.append(message)
            match message.message_type:
                case MessageType.ACKNOWLEDGE:
                    self._outbox.acknowledged(acknowledged_sequence(message.payload), now=self._now())
                case MessageType.CHANNEL_CLOSED:
                    self.closed = parse_channel_closed(message.payload).output
                case MessageType.OUTPUT:
                    receipt = self._inbox.receive(message)
                    if receipt.acknowledge and self.acknowledging:
                        await self.send_frame(encode(acknowledge(message)))
                    for ready in receipt.ready:
                        await self._handle(ready)
            self._changed.notify_all()

    async def _handle(self, message: Message) -> None:
        match message.payload_type:
            case PayloadType.HANDSHAKE_REQUEST:
                self.request = handshake.decode_request(message.payload)
                actions = tuple(handshake.ProcessedAction(a.action_type, 1) for a in self.request.actions)
                answer = handshake.encode_response(handshake.HandshakeResponse(self._version, actions))
                now = self._now()
                frame = self._outbox.push(PayloadType.HANDSHAKE_RESPONSE, answer, now=now, created_ms=now_ms())
                await self.send_frame(frame)
            case PayloadType.HANDSHAKE_COMPLETE:
                self.ready = True
            case _:
                self.output.setdefault(message.payload_type, bytearray()).extend(message.payload)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
