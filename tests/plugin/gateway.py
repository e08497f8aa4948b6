"""A service on loopback for the plugin's tests: the data channel's websocket and the two calls of the SSM API.

It plays frames to the plugin and keeps what the plugin sends. Data from the plugin is acknowledged at once unless told
otherwise; websockets may be refused or cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ssm_tui.plugin import framing, handshake
from ssm_tui.plugin.encryption import SessionCipher
from ssm_tui.plugin.framing import Message, MessageType, PayloadType
from ssm_tui.plugin.handshake import HandshakeComplete, HandshakeRequest
from ssm_tui.plugin.opening import ChannelClosed, OpenMessage, channel_closed, decode_open
from ssm_tui.plugin.reliability import Outbox

SESSION = "dev-0123456789abcdef0"
TARGET = "i-0123456789abcdef0"
PATIENCE = 20.0
ENCRYPTED = (PayloadType.OUTPUT, PayloadType.STDERR, PayloadType.EXIT_CODE)


@dataclass(frozen=True, slots=True)
class ApiCall:
    operation: str
    body: dict[str, Any]


@dataclass(slots=True)
class Gateway:
    """What the plugin sees of AWS."""

    url: str = ""
    endpoint: str = ""
    opens: list[OpenMessage] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    """Data from the plugin, each sequence once, in order of arrival."""
    copies: list[Message] = field(default_factory=list)
    """Data from the plugin as it came, repetitions included."""
    acks: list[int] = field(default_factory=list)
    ack_messages: list[Message] = field(default_factory=list)
    calls: list[ApiCall] = field(default_factory=list)
    closes: list[int | None] = field(default_factory=list)
    """Close code of each websocket that ended."""
    dials: int = 0
    pings: int = 0
    refuse: bool = False
    acknowledge: bool = True
    close_on_terminate: bool = True
    resume_answer: Callable[[], tuple[int, dict[str, Any]]] = lambda: (
        200,
        {"SessionId": SESSION, "TokenValue": "token-2"},
    )
    data_key: Callable[[], tuple[int, dict[str, Any]]] = lambda: (500, {})
    """How KMS answers GenerateDataKey."""
    cipher: SessionCipher | None = None
    """The agent's cipher, once the session is to be encrypted."""
    wire: list[Message] = field(default_factory=list)
    """Data from the plugin as it was on the wire, encrypted or not."""
    outbox: Outbox = field(default_factory=lambda: Outbox(MessageType.OUTPUT, window=1_000_000))
    connection: ServerConnection | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    # -- waiting ------------------------------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        try:
            async with asyncio.timeout(PATIENCE), self.changed:
                await self.changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"never: {what}; got {[m.payload[:60] for m in self.messages[-5:]]}") from None

    async def changes(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def data(self) -> bytes:
        """Everything of type Output that the plugin sent, in order."""
        ordered = sorted(self.messages, key=lambda m: m.sequence)
        return b"".join(m.payload for m in ordered if m.payload_type == PayloadType.OUTPUT)

    def of_type(self, payload_type: PayloadType) -> list[bytes]:
        return [m.payload for m in self.messages if m.payload_type == payload_type]

    # -- the agent's part ---------------------------------------------------------------------------------------------

    async def raw(self, frame: bytes | str) -> None:
        await self.until(lambda: self.connection is not None, "a websocket")
        assert self.connection is not None
        await self.connection.send(frame)

    async def say(self, payload_type: PayloadType, payload: bytes) -> int:
        sequence = self.outbox.next_sequence
        if self.cipher is not None and payload_type in ENCRYPTED:
            payload = self.cipher.encrypt(payload)
        await self.raw(self.outbox.push(payload_type, payload, now=0, created_ms=framing.now_ms()))
        return sequence

    async def output(self, data: bytes) -> int:
        return await self.say(PayloadType.OUTPUT, data)

    async def request(self, request: HandshakeRequest) -> None:
        await self.say(PayloadType.HANDSHAKE_REQUEST, handshake.encode_request(request))

    async def shake_hands(
        self,
        session_type: str,
        properties: dict[str, object] | None = None,
        *,
        agent: str = "3.3.987.0",
        text: str = "",
    ) -> None:
        await self.request(HandshakeRequest(agent, (handshake.session_action(session_type, properties),)))
        await self.until(lambda: bool(self.of_type(PayloadType.HANDSHAKE_RESPONSE)), "a handshake response")
        await self.say(PayloadType.HANDSHAKE_COMPLETE, handshake.encode_complete(HandshakeComplete(7, text)))

    async def shake_hands_for_port(self, local_port: str = "", *, agent: str = "3.3.987.0") -> None:
        properties: dict[str, object] = {
            "portNumber": "5432",
            "localPortNumber": local_port,
            "type": "LocalPortForwarding",
        }
        await self.shake_hands("Port", properties, agent=agent)

    async def end(self, text: str = "") -> None:
        await self.raw(framing.encode(channel_closed(ChannelClosed(SESSION, text, "i-1"))))

    async def cut(self) -> None:
        """Ends the websocket as a broken network does."""
        connection = self.connection
        assert connection is not None
        self.connection = None
        connection.transport.abort()
        await connection.wait_closed()

    # -- servers ------------------------------------------------------------------------------------------------------

    def upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        self.dials += 1
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n") if self.refuse else None

    async def session(self, connection: ServerConnection) -> None:
        try:
            self.opens.append(decode_open(await connection.recv()))
            self.connection = connection
            await self.changes()
            async for frame in connection:
                assert isinstance(frame, bytes)
                await self.take(connection, framing.decode(frame))
        except ConnectionClosed:
            pass
        finally:
            if self.connection is connection:
                self.connection = None
            self.closes.append(connection.close_code)
            await self.changes()

    async def take(self, connection: ServerConnection, message: Message) -> None:
        if message.message_type == MessageType.ACKNOWLEDGE:
            sequence = framing.acknowledged_sequence(message.payload)
            self.acks.append(sequence)
            self.ack_messages.append(message)
            self.outbox.acknowledged(sequence, now=0)
        else:
            assert message.message_type == MessageType.INPUT
            self.wire.append(message)
            if self.cipher is not None and message.payload_type == PayloadType.OUTPUT:
                plain = self.cipher.decrypt(message.payload)
                assert plain is not None, "not encrypted"
                message = dataclasses.replace(message, payload=plain)
            self.copies.append(message)
            if message.sequence not in [m.sequence for m in self.messages[-2000:]]:
                self.messages.append(message)
            if self.acknowledge:
                await connection.send(framing.encode(framing.acknowledge(message)))
        await self.changes()

    async def api(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                fields = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
                }
                body = json.loads(await reader.readexactly(int(fields.get("content-length", "0"))))
                operation = fields["x-amz-target"].rpartition(".")[2]
                self.calls.append(ApiCall(operation, body))
                if operation == "GenerateDataKey":
                    status, answer = self.data_key()
                elif operation == "ResumeSession":
                    status, answer = self.resume_answer()
                else:
                    status, answer = 200, {"SessionId": body["SessionId"]}
                payload = json.dumps(answer).encode()
                writer.write(
                    b"HTTP/1.1 %d x\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n%s"
                    % (status, len(payload), payload)
                )
                await writer.drain()
                if operation == "TerminateSession" and self.close_on_terminate and self.connection is not None:
                    with contextlib.suppress(ConnectionClosed):
                        await self.end()
                await self.changes()


@contextlib.asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    service = Gateway()
    websocket: Server = await serve(
        service.session, "127.0.0.1", 0, process_request=service.upgrade, compression=None, close_timeout=1
    )
    api = await asyncio.start_server(service.api, "127.0.0.1", 0)
    port = next(iter(websocket.sockets)).getsockname()[1]
    service.url = f"ws://127.0.0.1:{port}/v1/data-channel/{SESSION}?role=publish_subscribe"
    service.endpoint = f"http://127.0.0.1:{api.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        websocket.close()
        await websocket.wait_closed()
        api.close()


@dataclass(slots=True)
class Plugin:
    """The real plugin process."""

    process: asyncio.subprocess.Process
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def collect(self, stream: asyncio.StreamReader, into: bytearray) -> None:
        while data := await stream.read(65536):
            into += data
            async with self.changed:
                self.changed.notify_all()

    async def shows(self, text: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self.changed:
                await self.changed.wait_for(lambda: text.encode() in self.out)
        except TimeoutError:
            raise AssertionError(f"never showed {text!r}: {bytes(self.out)!r} {bytes(self.err)!r}") from None

    async def port(self) -> int:
        await self.shows(" opened for sessionId")
        return int(self.out.split(b"Port ")[1].split()[0])

    async def ends(self) -> int:
        async with asyncio.timeout(PATIENCE):
            status = await self.process.wait()
            await asyncio.gather(*self.readers)
        return status

    def type(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def send(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    @property
    def text(self) -> str:
        return self.out.decode()


LIMITS = {"linger": 0.5, "quiet": 0.3}
"""Bounds that are long for people are short for tests."""


def response(service: Gateway, session_id: str = SESSION) -> str:
    return json.dumps({"SessionId": session_id, "TokenValue": "token-1", "StreamUrl": service.url})


def arguments(service: Gateway, document: str = "", session_id: str = SESSION) -> list[str]:
    parameters = {"Target": TARGET} | ({"DocumentName": document} if document else {})
    first = "AWS_SSM_START_SESSION_RESPONSE"
    return [first, "us-east-1", "StartSession", "", json.dumps(parameters), service.endpoint]


def environment(service: Gateway, session_id: str = SESSION, *, proxied: bool = False) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("AWS_") and (proxied or not name.upper().endswith("_PROXY"))
    }
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret-key",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL_KMS": service.endpoint,
        "AWS_SSM_START_SESSION_RESPONSE": response(service, session_id),
        "PYTHONWARNINGS": "error",
        "PYTHONDEVMODE": "1",
    }


def command(limits: dict[str, float]) -> list[str]:
    """Runs the real main with some bounds shortened."""
    code = (
        "import sys; from ssm_tui.plugin.__main__ import main; from ssm_tui.plugin.limits import Limits; "
        f"sys.exit(main(limits=Limits(**{limits!r})))"
    )
    return [sys.executable, "-c", code]


@contextlib.asynccontextmanager
async def plugin(
    service: Gateway,
    *,
    document: str = "",
    session_id: str = SESSION,
    stdin: int = asyncio.subprocess.PIPE,
    proxied: bool = False,
    **limits: float,
) -> AsyncIterator[Plugin]:
    process = await asyncio.create_subprocess_exec(
        *command(LIMITS | limits),
        *arguments(service, document),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(service, session_id, proxied=proxied),
    )
    running = Plugin(process)
    assert process.stdout is not None
    assert process.stderr is not None
    running.readers = [
        asyncio.create_task(running.collect(process.stdout, running.out)),
        asyncio.create_task(running.collect(process.stderr, running.err)),
    ]
    try:
        yield running
        assert b"Traceback" not in running.err, running.err.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await asyncio.gather(*running.readers)
        if process.stdin is not None:
            process.stdin.close()
