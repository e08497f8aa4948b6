"""Our agent against recordings of AWS's: given the same frames, it must answer with the same.

What the service sent is played from the recording, each frame as soon as ours has answered as much as AWS's agent had;
then everything we sent is compared. Only message ids, dates and the time of the handshake may differ, and where the
bytes of a stream are cut into messages.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.agent import UNPACED, FarNameError, SessionOrder
from ssm_tui.demo.agent.worker import Surroundings, Worker
from ssm_tui.demo.servers import NodeServices
from ssm_tui.plugin.framing import Message, MessageType, PayloadType, acknowledge, decode, encode
from ssm_tui.plugin.handshake import decode_request
from tests.demo.agent.targets import listening
from tests.plugin.recordings import Recorded, header, load

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PORTS = [
    "03a-port-mux-one-connection",
    "03e-port-mux-sigint-open-connection",
    "04b-remote-host-refused",
    "04c-remote-host-unresolvable",
    "04d-remote-host-forbidden",
    "06a-ssh-target-closes",
    "07a-reconnect-idle",
]
COMMANDS = ["02a-interactive-command", "02b-noninteractive-separate-streams"]


class Services(NodeServices):
    """The recorded ports are those of the test's target."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__()
        self._target = target

    async def address(self, hostname: str, port: int, *, windows: bool = False) -> tuple[str, int] | None:
        return None if port == 9 else self._target


class NoNames:
    def resolve(self, node: str, host: str, port: int) -> tuple[str, int]:
        raise FarNameError(f"lookup {host} on 127.0.0.1:53: no such host")


async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The target of the recorded port sessions."""
    async for line in reader:
        writer.write(b"reply:" + line)
        await writer.drain()


async def ssh_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The target of 06a: greets, echoes, and closes when it is told to."""
    writer.write(b"SSH-2.0-example\r\n")
    while data := await reader.read(65536):
        if b"quit" in data:
            return
        writer.write(data)
        await writer.drain()


@dataclass
class Transcript:
    """What an agent sent, brought into a form that can be compared."""

    data: list[tuple[int, bytes]] = field(default_factory=list)
    first: tuple[int, int] | None = None
    sequences: list[int] = field(default_factory=list)
    acknowledged: list[bytes] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)

    def add(self, message: Message) -> None:
        match message.message_type:
            case MessageType.OUTPUT:
                self.first = self.first or (message.sequence, message.flags)
                self.sequences.append(message.sequence)
                payload = re.sub(rb'"HandshakeTimeToComplete":\d+', b'"HandshakeTimeToComplete":0', message.payload)
                self.data.append((message.payload_type, payload))
            case MessageType.ACKNOWLEDGE:
                self.acknowledged.append(re.sub(rb'"[0-9a-f-]{36}"', b'"id"', message.payload))
            case MessageType.AGENT_SESSION_STATE:
                self.states.append(message.payload)

    def runs(self) -> list[tuple[int, bytes]]:
        """The payloads with consecutive ones of a stream joined."""
        groups = itertools.groupby(self.data, key=lambda item: item[0])
        return [(kind, b"".join(payload for _, payload in group)) for kind, group in groups]


def _messages(records: Iterable[Recorded]) -> list[Recorded]:
    return [record for record in records if record.kind == "binary"]


def _order(name: str, records: list[Recorded]) -> SessionOrder:
    described = header(name)
    session_type, properties, version = "InteractiveCommands", None, "3.3.987.0"
    first = next(m for r in records if r.from_client and (m := decode(r.payload)).message_type == MessageType.OUTPUT)
    if first.payload_type == PayloadType.HANDSHAKE_REQUEST:
        request = decode_request(first.payload)
        parameters = request.actions[0].parameters
        session_type, version = str(parameters["SessionType"]), request.agent_version
        properties = parameters["Properties"]
    if not isinstance(properties, dict):
        properties = {"commands": described["parameters"]["command"][0]}
        for name_, values in described["parameters"].items():
            properties.setdefault(name_, values[0])
    target = "i-0123456789abcdef0"
    return SessionOrder(described["session_id"], target, "ip-10-1-4-17", "linux", version, session_type, properties)


async def _play(name: str, folder: Path, target: tuple[str, int]) -> tuple[Transcript, Transcript, str]:
    records = _messages(load(f"{name}.agent-leg"))
    ours, theirs = Transcript(), Transcript()
    sent: list[bytes] = []
    everything: list[bytes] = []
    around = Surroundings(NoNames(), Services(target), folder, UNPACED, dial_patience=0.1)
    worker = Worker(_order(name, records), around, sent.append, congested=lambda: False)
    work: asyncio.Task[str] | None = None

    def answered() -> bool:
        everything.extend(sent)
        for frame in sent:
            message = decode(frame)
            if message.message_type != MessageType.OUTPUT or message.sequence not in ours.sequences:
                ours.add(message)
        sent.clear()
        enough = sum(len(payload) for _, payload in ours.data) >= sum(len(payload) for _, payload in theirs.data)
        return enough and len(ours.acknowledged) >= len(theirs.acknowledged) and len(ours.states) >= len(theirs.states)

    async def wait_for_answers() -> None:
        async with asyncio.timeout(10):
            while not answered():
                await asyncio.sleep(0.001)

    for record in records:
        if record.from_client:
            theirs.add(decode(record.payload))
            continue
        if work is not None:
            await wait_for_answers()
        worker.take(record.payload)
        if work is None:
            work = asyncio.create_task(worker.run())
    assert work is not None
    await wait_for_answers()
    for frame in everything:  # ours may be cut into more messages than were acknowledged in the recording
        worker.take(encode(acknowledge(decode(frame))))
    output = await asyncio.wait_for(work, 10)
    answered()
    return ours, theirs, output


def _recorded_output(name: str) -> str:
    events = [record.event for record in load(f"{name}.agent-leg")]
    result = next(event["result"] for event in events if event.get("event") == "agent session finished")
    output = result["output"]
    return str(output["Output"] if isinstance(output, dict) else output)


@pytest.mark.parametrize("name", [*PORTS, *COMMANDS])
async def test_our_agent_sends_what_awss_agent_sent(name: str, folder: Path) -> None:
    async with listening(ssh_echo if name.startswith("06") else reply) as target:
        ours, theirs, output = await _play(name, folder, target)
    assert ours.first == theirs.first
    assert ours.sequences == list(range(len(ours.sequences)))
    assert ours.runs() == theirs.runs()
    assert ours.acknowledged == theirs.acknowledged
    assert ours.states == theirs.states
    assert output == _recorded_output(name)
