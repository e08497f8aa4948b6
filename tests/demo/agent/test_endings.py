"""A connection to a target is closed whichever end comes first, its own or its session's, or both at once."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.agent.channel import DataChannel
from ssm_tui.demo.agent.dialing import Dialer
from ssm_tui.demo.agent.mux import MuxPort
from ssm_tui.demo.agent.single import SinglePort
from ssm_tui.demo.gateway import UNPACED
from ssm_tui.demo.servers import NodeServices
from ssm_tui.plugin.framing import Flag, Message, MessageType, PayloadType, flag_payload
from ssm_tui.plugin.smux import Command, Frame, encode
from tests.demo.agent.targets import listening

if TYPE_CHECKING:
    from tests.demo.agent.conftest import Cloud


def _message(payload_type: PayloadType, payload: bytes) -> Message:
    return Message(MessageType.INPUT, 0, 0, uuid.uuid4(), 0, payload_type, payload)


# Turns of the event loop between the two ends; each lands at another place of the closing.
@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("kind", [SinglePort, MuxPort])
async def test_the_session_ends_while_its_connection_does(
    cloud: Cloud, kind: type[SinglePort] | type[MuxPort], turns: int
) -> None:
    connected = asyncio.Event()
    ended = asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        ended.set()

    async with listening(watch) as address:
        cloud.network.hosts["db.internal"] = address
        dialer = Dialer(cloud.port(5432, "db.internal"), cloud.network, NodeServices(), patience=1)
        channel = DataChannel(lambda _frame: None, congested=lambda: False, pace=UNPACED)
        if kind is MuxPort:
            port: SinglePort | MuxPort = MuxPort(channel, dialer, keepalive=False)
            begin = _message(PayloadType.OUTPUT, encode(Frame(Command.SYN, 3)))
            end = _message(PayloadType.OUTPUT, encode(Frame(Command.FIN, 3)))
        else:
            port = SinglePort(channel, dialer, redial=True)
            begin = _message(PayloadType.OUTPUT, b"x")
            end = _message(PayloadType.FLAG, flag_payload(Flag.DISCONNECT_TO_PORT))
        session = asyncio.create_task(port.run())
        port.receive(begin)
        await asyncio.wait_for(connected.wait(), 10)
        port.receive(end)
        for _ in range(turns):
            await asyncio.sleep(0)
        session.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await session
        await asyncio.wait_for(ended.wait(), 10)
        await channel.close()
