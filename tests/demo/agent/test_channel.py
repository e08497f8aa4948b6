"""The agent's data channel alone: what pausing and starting publication does, as AWS's agent does it."""

from __future__ import annotations

import asyncio

import pytest

from ssm_tui.demo.agent import UNPACED
from ssm_tui.demo.agent.channel import DataChannel
from ssm_tui.plugin import framing
from ssm_tui.plugin.framing import MessageType, PayloadType


class Service:
    """What the agent has sent, and what the service says to it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.channel = DataChannel(self.sent.append, congested=lambda: False, pace=UNPACED)

    def say(self, message_type: MessageType) -> None:
        self.channel.receive(framing.encode(framing.control(message_type, b"{}")))

    def acknowledge(self, index: int) -> None:
        self.channel.receive(framing.acknowledgement(framing.decode(self.sent[index])))

    def payloads(self) -> list[bytes]:
        return [framing.decode(frame).payload for frame in self.sent]


async def test_while_publication_is_paused_nothing_is_sent_and_then_all_of_it_in_order() -> None:
    service = Service()
    await service.channel.write(PayloadType.OUTPUT, b"before")
    service.say(MessageType.PAUSE_PUBLICATION)
    writing = asyncio.create_task(service.channel.write(PayloadType.OUTPUT, b"meanwhile"))
    service.channel.post(PayloadType.FLAG, b"flag")
    await asyncio.sleep(0.3)  # three rounds of repetition
    assert service.payloads() == [b"before"]
    assert not writing.done()
    service.say(MessageType.START_PUBLICATION)
    await writing
    assert service.payloads() == [b"before", b"before", b"flag", b"meanwhile"]
    await service.channel.close()


@pytest.mark.parametrize("sign", ["data", "acknowledgement"])
async def test_anything_that_the_client_sends_ends_the_pause(sign: str) -> None:
    service = Service()
    await service.channel.write(PayloadType.OUTPUT, b"before")
    service.say(MessageType.PAUSE_PUBLICATION)
    paused = [service.channel.paused]
    if sign == "data":
        service.channel.receive(framing.data_frame(MessageType.INPUT, 0, 0, 1, PayloadType.OUTPUT, b"x"))
    else:
        service.acknowledge(0)
    paused.append(service.channel.paused)
    assert paused == [True, False]
    await service.channel.write(PayloadType.OUTPUT, b"after")
    assert service.payloads()[-1] == b"after"
    await service.channel.close()
