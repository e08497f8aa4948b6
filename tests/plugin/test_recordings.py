"""The real plugin process against recorded sessions: it gets what AWS's plugin got, and must answer as that did.

The frames of the service are played byte for byte (but for the local port, which must be free here); the local user
does what the recorded one did. Types, sequence, payloads, flags and acknowledgements are compared, and stdout with the
status.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import signal
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.plugin import framing, handshake, smux
from ssm_tui.plugin.encryption import SessionCipher
from ssm_tui.plugin.framing import Flag, Message, MessageType, PayloadType
from ssm_tui.plugin.smux import Command
from tests.plugin.gateway import Gateway, Plugin, gateway, plugin
from tests.plugin.recordings import Recorded, header, load, load_json
from tests.plugin.test_shell import OnTerminal, terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# What ours says beside AWS's words, for whoever runs a tunnel.
OUTAGES = re.compile(r"Session: \S+ (?:connection lost: .+; resuming|resumed)\.\n")
STOPPED = "Terminate signal received, exiting.\n"
# What this plugin does otherwise than AWS's, on purpose: exit statuses, and streams kept apart.
STATUS = {
    "02b-noninteractive-separate-streams": 3,
    "03c-port-mux-close-by-each-side": 143,
    "08b-kms-noninteractive": 3,
    "04c-remote-host-unresolvable": 1,
    "04d-remote-host-forbidden": 1,
    "05a-port-basic": 1,
    "05d-port-basic-refused": 1,
    "12e-handshake-unknown-type": 1,
}
SHELLS = [
    "02b-noninteractive-separate-streams",
    "02c-noninteractive-merged",
    "08b-kms-noninteractive",
    "09a-pause-start-publication",
    "09b-order-duplicates-retransmission",
    "09c-output-right-after-handshake",
    "12e-handshake-unknown-type",
]
TERMINALS = ["01-shell", "02a-interactive-command", "07f-reconnect-shell", "08a-kms-shell"]
STDIO = ["06a-ssh-target-closes"]
MUX = [
    "03a-port-mux-one-connection",
    "03b-port-mux-three-connections",
    "03c-port-mux-close-by-each-side",
    "03e-port-mux-sigint-open-connection",
    "04a-remote-host",
    "04b-remote-host-refused",
    "04c-remote-host-unresolvable",
    "04d-remote-host-forbidden",
    "07a-reconnect-idle",
    "07b-reconnect-download",
    "07h-reconnect-download-with-loss-recovered",
]
BASIC = ["05a-port-basic", "05b-port-basic-sigint", "05c-port-basic-old-agent-sigint", "05d-port-basic-refused"]


class User:
    """The local end of a recorded session: types, or opens connections and writes to them."""

    def __init__(self, service: Gateway, running: Plugin, kind: str) -> None:
        self.service, self.running, self.kind = service, running, kind
        self.writers: dict[int, asyncio.StreamWriter] = {}
        self.decoder, self.incoming = smux.Decoder(), smux.Decoder()
        self.next_output = 0
        self.expected: dict[int, bytes] = defaultdict(bytes)
        self.ended_by_target: set[int] = set()
        self.data = b""
        self.signalled = 0

    async def send(self, message: Message) -> None:
        """Does what made AWS's plugin send this message, and waits until ours has sent the same."""
        match message.payload_type:
            case PayloadType.OUTPUT if self.kind == "mux":
                await self.send_by_mux(message.payload)
            case PayloadType.OUTPUT if self.kind == "basic":
                await self.connection(0)
                self.writers[0].write(message.payload)
                await self.expect(message.payload)
            case PayloadType.OUTPUT:
                self.running.type(message.payload)
                await self.expect(message.payload)
            case PayloadType.SIZE:
                await self.resize(message.payload)
            case PayloadType.FLAG if self.signalled:
                pass  # AWS's plugin says that the port is disconnected and that the session ends; ours the latter
            case PayloadType.FLAG if framing.parse_flag(message.payload) == Flag.DISCONNECT_TO_PORT:
                self.writers.pop(0).close()
                await self.arrives(message)
            case PayloadType.FLAG:
                await self.stop(signal.SIGINT)
                await self.arrives(message)
            case _:
                await self.arrives(message)

    async def arrives(self, message: Message) -> None:
        if message.payload_type == PayloadType.ENCRYPTION_CHALLENGE_RESPONSE:
            challenge = self.challenge(message)
            await self.service.until(
                lambda: challenge in [self.challenge(sent) for sent in self.service.messages], "the challenge"
            )
            return

        def arrived() -> bool:
            return any(
                (sent.payload_type, sent.payload) == (message.payload_type, message.payload)
                for sent in self.service.messages
            )

        if message.payload_type == PayloadType.HANDSHAKE_RESPONSE and b"NoSuchAction" in message.payload:
            return  # AWS's plugin answers an unknown action with a wrong status; see test_channel
        await self.service.until(arrived, f"{message.payload!r}")

    def challenge(self, message: Message) -> bytes | None:
        if message.payload_type != PayloadType.ENCRYPTION_CHALLENGE_RESPONSE or self.service.cipher is None:
            return None
        return self.service.cipher.decrypt(handshake.decode_challenge(message.payload))

    async def expect(self, data: bytes) -> None:
        self.data += data
        await self.service.until(lambda: len(self.service.data()) >= len(self.data), f"{data!r}")
        assert self.service.data() == self.data

    async def resize(self, payload: bytes) -> None:
        if isinstance(self.running, OnTerminal):
            size = json.loads(payload)
            self.running.resize(size["cols"], size["rows"])
        await self.service.until(lambda: payload in self.service.of_type(PayloadType.SIZE), "the size")

    async def send_by_mux(self, payload: bytes) -> None:
        for frame in self.decoder.feed(payload):
            if frame.command is Command.SYN:
                await self.connection(frame.stream_id)
            elif frame.command is Command.PSH:
                self.expected[frame.stream_id] += frame.data
                self.writers[frame.stream_id].write(frame.data)
            elif frame.stream_id not in self.ended_by_target:
                self.writers[frame.stream_id].close()
            await self.service.until(lambda frame=frame: self.has_sent(frame), f"{frame}")  # type: ignore[misc]

    def has_sent(self, frame: smux.Frame) -> bool:
        sent = self.sent_streams()
        if frame.command is Command.PSH:
            return sent[frame.stream_id] == self.expected[frame.stream_id]
        return frame in smux.Decoder().feed(self.service.data())

    def sent_streams(self) -> dict[int, bytes]:
        sent: dict[int, bytes] = defaultdict(bytes)
        for frame in smux.Decoder().feed(self.service.data()):
            sent[frame.stream_id] += frame.data
        return sent

    async def connection(self, stream: int) -> None:
        if stream not in self.writers:
            _, self.writers[stream] = await asyncio.open_connection("127.0.0.1", await self.running.port())

    async def receive(self, message: Message, *, wait: bool) -> None:
        """Plays a frame of the service to the plugin."""
        if message.message_type == MessageType.ACKNOWLEDGE:  # what ours sends is acknowledged by the gateway
            return
        await self.service.raw(framing.encode(with_free_port(message)))
        if message.message_type != MessageType.OUTPUT:
            return
        if wait:
            await self.service.until(lambda: message.sequence in self.service.acks, "an acknowledgement")
        if message.sequence == self.next_output:
            self.next_output += 1
            if self.kind == "mux" and message.payload_type == PayloadType.OUTPUT:
                frames = self.incoming.feed(message.payload)
                self.ended_by_target |= {frame.stream_id for frame in frames if frame.command is Command.FIN}

    async def stop(self, signum: signal.Signals) -> None:
        if self.kind in ("mux", "basic"):
            await self.running.port()
        self.signalled = signum
        self.running.send(signum)


def acknowledgements(recorded: list[Recorded]) -> list[Message]:
    messages = [framing.decode(line.payload) for line in recorded if line.kind == "binary" and line.from_client]
    return [message for message in messages if message.message_type == MessageType.ACKNOWLEDGE]


async def play(user: User, recorded: list[Recorded]) -> None:
    sent = set[int]()
    acknowledged = {framing.acknowledged_sequence(message.payload) for message in acknowledgements(recorded)}
    for line in recorded:
        if line.kind == "event":
            await happen(user, line.event)
        if line.kind != "binary" or line.lost:
            continue
        message = framing.decode(line.payload)
        if line.from_client and user.service.cipher is not None and message.payload_type == PayloadType.OUTPUT:
            message = dataclasses.replace(message, payload=user.service.cipher.decrypt(message.payload) or b"")
        if line.from_client and message.message_type == MessageType.INPUT and message.sequence not in sent:
            sent.add(message.sequence)
            await user.send(message)
        elif not line.from_client and not (message.message_type == MessageType.CHANNEL_CLOSED and user.signalled):
            await user.receive(message, wait=message.sequence in acknowledged)


async def happen(user: User, event: dict[str, Any]) -> None:
    service, what = user.service, event["event"]
    if what.startswith("connection aborted"):
        opened = len(service.opens)
        await service.cut()
        await service.until(lambda: len(service.opens) > opened, "resumed")
    elif what == "api" and event["op"] == "TerminateSession" and not user.signalled:
        await user.stop(signal.SIGINT)


def with_free_port(message: Message) -> Message:
    if message.payload_type != PayloadType.HANDSHAKE_REQUEST:
        return message
    request = json.loads(message.payload)
    properties = request["RequestedClientActions"][0]["ActionParameters"].get("Properties")
    if not properties or "localPortNumber" not in properties:
        return message
    properties["localPortNumber"] = ""
    return dataclasses.replace(message, payload=json.dumps(request).encode())


@contextlib.asynccontextmanager
async def replayed(name: str, kind: str) -> AsyncIterator[tuple[Gateway, Plugin, list[Recorded]]]:
    about = header(name)
    document = about["document"] if about["document"].startswith("AWS-") else ""
    session_id = about["session_id"]
    recorded = load(name)
    async with gateway() as service:
        if "-kms-" in name:
            service.cipher = SessionCipher(bytes.fromhex(load_json("kms.json")["data_key_hex"]), agent=True)
            answer = next(line.event["response"] for line in recorded if line.event.get("op") == "GenerateDataKey")
            service.data_key = lambda: (200, answer)
        start = (
            terminal(service, session_id=session_id)
            if kind == "terminal"
            else plugin(service, document=document, session_id=session_id)
        )
        async with start as running:
            user = User(service, running, kind)
            await play(user, recorded)
            if running.process.returncode is None and not service.closes and not user.signalled and kind == "mux":
                closed = any(
                    framing.decode(r.payload).message_type == "channel_closed" for r in recorded if r.kind == "binary"
                )
                if not closed:
                    await user.stop(signal.SIGTERM)
            yield service, running, recorded
            for writer in user.writers.values():
                writer.transport.abort()


def expected_stdout(name: str, running: Plugin) -> str:
    text: str = header(name)["plugin_stdout"]
    if name.startswith(("02b", "08b")):  # type 11 goes to stderr, type 12 is not printed
        text = text.replace("err\n", "").replace("EXIT_CODE: 3", "")
    if name.startswith("03c"):  # AWS's plugin dies of SIGTERM without a word
        session_id = header(name)["session_id"]
        text += f"{STOPPED}\n\nExiting session with sessionId: {session_id}.\n\n"
    if b"Port " in running.out:
        opened = text.split("Port ")[1].split()[0]
        text = text.replace(f"Port {opened} ", f"Port {running.out.split(b'Port ')[1].split()[0].decode()} ")
    return text


def check_acknowledgements(service: Gateway, recorded: list[Recorded]) -> None:
    """Everything that AWS's plugin acknowledged, ours has, by the same sequence and message id."""

    def named(message: Message) -> tuple[int, str]:
        fields = json.loads(message.payload)
        return fields["AcknowledgedMessageSequenceNumber"], fields["AcknowledgedMessageId"]

    ours = {named(message) for message in service.ack_messages}
    assert {named(message) for message in acknowledgements(recorded)} <= ours
    for ack in service.ack_messages:
        assert (ack.sequence, ack.flags, ack.payload_type, ack.schema_version) == (0, 3, 0, 1)


CASES = [
    *[(name, "shell") for name in SHELLS],
    *[(name, "terminal") for name in TERMINALS],
    *[(name, "stdio") for name in STDIO],
    *[(name, "mux") for name in MUX],
    *[(name, "basic") for name in BASIC],
]


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[name for name, _ in CASES])
async def test_a_recorded_session(name: str, kind: str) -> None:
    async with replayed(name, kind) as (service, running, recorded):
        status = await running.ends()
        if kind == "terminal":
            await running.shows("Exiting session")
        await service.until(lambda: bool(service.closes), "the end of the websocket")
        assert OUTAGES.sub("", running.text) == expected_stdout(name, running)
        drops = sum(line.event.get("event", "").startswith("connection aborted") for line in recorded)
        assert len(OUTAGES.findall(running.text)) == (2 * drops if kind == "mux" else 0)
        stopped = 130 if STOPPED in running.text else 0
        assert status == STATUS.get(name, stopped)
        check_acknowledgements(service, recorded)
        asked = [line.event["request"] for line in recorded if line.event.get("op") == "GenerateDataKey"]
        assert [call.body for call in service.calls if call.operation == "GenerateDataKey"] == asked
        sequences = [message.sequence for message in service.messages]
        assert sorted(sequences) == list(range(len(sequences)))
        assert {message.flags for message in service.messages} <= {0}
        assert service.closes[-1] == 1000, "the websocket is closed properly"


async def test_every_duplicate_of_the_recorded_stall_is_acknowledged_again() -> None:
    """07g: one lost acknowledgement, and AWS's plugin never acknowledges the repeated message: a stall for ever."""
    name = "07g-reconnect-download-stall-defect"
    copies: dict[int, int] = defaultdict(int)
    sequences: list[int] = []
    for line in load(name):
        if line.kind == "binary" and not line.from_client and not line.lost:
            message = framing.decode(line.payload)
            if message.message_type == MessageType.OUTPUT and message.payload_type == PayloadType.OUTPUT:
                copies[message.sequence] += 1
                sequences.append(message.sequence)
    assert max(copies.values()) > 10
    async with gateway() as service, plugin(service, document="AWS-StartPortForwardingSession") as running:
        await service.shake_hands_for_port()
        _, writer = await asyncio.open_connection("127.0.0.1", await running.port())
        first = sequences[0]
        frame = smux.encode(smux.Frame(Command.PSH, 3, b"x"))
        for sequence in sequences:
            repeated = Message(
                MessageType.OUTPUT, 2 + sequence - first, 0, framing.control("x", b"").message_id, 1, 1, frame
            )
            await service.raw(framing.encode(repeated))
        expected = {2 + sequence - first: count for sequence, count in copies.items()}
        await service.until(
            lambda: all(service.acks.count(sequence) == count for sequence, count in expected.items()),
            "an acknowledgement of every copy",
        )
        writer.close()


def test_the_recorded_response_is_ours_to_the_byte() -> None:
    response = handshake.HandshakeResponse(
        handshake.CLIENT_VERSION, (handshake.ProcessedAction("SessionType", handshake.ActionStatus.SUCCESS),)
    )
    recorded = [
        framing.decode(line.payload).payload
        for line in load("03a-port-mux-one-connection")
        if line.kind == "binary" and framing.decode(line.payload).payload_type == PayloadType.HANDSHAKE_RESPONSE
    ]
    assert recorded == [handshake.encode_response(response)]
