"""What the message gateway does around a session: tokens, dropped clients, patience, frames that are none."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ssm_tui.demo.gateway import REAL, Gateway, Patience
from ssm_tui.demo.relay import LOST, TERMINATED
from ssm_tui.plugin.framing import MAX_FRAME, MessageType, PayloadType, control, encode
from ssm_tui.plugin.opening import OpenMessage, encode_open
from tests.demo.agent.client import Client
from tests.demo.agent.conftest import Cloud, Landscape
from tests.demo.agent.streams import Streams
from tests.demo.agent.targets import echo, listening

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = b"[ssm-user@ip-10-1-4-17 ~]$ "
SLEEPER = "while sleep 0.01; do :; done"


@pytest.mark.parametrize(
    "opening", ["{}", "no json", json.dumps({"TokenValue": "wrong", "ClientId": "c", "RequestId": "r"})]
)
async def test_without_the_right_token_the_connection_is_closed(cloud: Cloud, opening: str) -> None:
    _, url = cloud.gateway.open(cloud.order())
    async with connect(url) as socket:
        await socket.send(opening)
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
    assert cloud.ended == []


async def test_data_before_the_open_message_closes_the_connection(cloud: Cloud) -> None:
    _, url = cloud.gateway.open(cloud.order())
    async with connect(url) as socket:
        await socket.send(b"\x00" * 200)
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_another_path_is_not_found(cloud: Cloud) -> None:
    _, url = cloud.gateway.open(cloud.order())
    with pytest.raises(InvalidStatus) as caught:
        await connect(url.replace("/v1/data-channel/", "/v1/control-channel/"))
    assert caught.value.response.status_code == 404


async def test_a_token_of_one_session_does_not_open_another(cloud: Cloud) -> None:
    first, second = cloud.gateway.open(cloud.order()), cloud.gateway.open(cloud.order())
    async with Client(second[1]) as client:
        await client.connect(first[0])
        await client.wait(lambda: client.gone)
    assert client.received == []


async def test_a_resumed_session_takes_the_new_token_and_refuses_the_old(cloud: Cloud) -> None:
    order = cloud.order()
    old, url = cloud.gateway.open(order)
    async with await Client(url).connect(old) as client:
        await client.expect(PROMPT)
        resumed = await asyncio.to_thread(cloud.gateway.resume, order.session_id)
        assert resumed is not None
        assert resumed[0] != old
        assert resumed[1] == url
        async with Client(url) as late:
            await late.connect(old)
            await late.wait(lambda: late.gone)
        await client.connect(resumed[0])  # takes the place of the connection that is still there
        await client.send(b"echo still he''re\r")
        await client.expect(b"still here\r\n")


async def test_a_second_connection_takes_the_place_of_the_first(cloud: Cloud) -> None:
    order = cloud.port(7)
    token, url = cloud.gateway.open(order)
    async with await Client(url).connect(token) as first, Client(url) as second:
        await first.shake_hands()
        await second.connect(token)
        await first.wait(lambda: first.gone)
    assert first.closed is None


async def test_a_client_cannot_speak_for_the_service(cloud: Cloud) -> None:
    go = asyncio.Event()

    async def speak_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"early")
        await go.wait()
        writer.write(b"late")

    async with listening(speak_late) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            streams = Streams(client)
            number = await streams.open()
            assert await streams.read(number, 5) == b"early"
            await client.send_frame(encode(control(MessageType.PAUSE_PUBLICATION, b"{}")))
            await client.round_trip()
            go.set()
            assert await streams.read(number, 4, patience=5) == b"late"


async def test_a_shell_goes_on_while_its_client_is_away(cloud: Cloud) -> None:
    order = cloud.order()
    async with await cloud.session(order) as client:
        await client.expect(PROMPT)
        done = cloud.folder / "done"
        await client.send(b"while ! test -e " + str(done).encode() + b"; do sleep 0.01; done; echo while-$((1+1))\r")
        await client.expect(b"\r\n")
        client.drop()
        await client.wait(lambda: client.gone)
        done.touch()
        resumed = cloud.gateway.resume(order.session_id)
        assert resumed is not None
        await client.connect(resumed[0])
        await client.expect(b"while-2\r\n")
        await client.send(b"exit\r")
        assert await client.end() == ""


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_resume_in_the_middle_of_a_transfer_loses_and_doubles_nothing(cloud: Cloud, direction: str) -> None:
    data = random.Random(3).randbytes(3_000_000)
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if direction == "up":
            heard.set_result(await reader.readexactly(len(data)))
        else:
            writer.write(data)
            await writer.drain()

    async with listening(target) as address:
        cloud.network.hosts["db.internal"] = address
        order = cloud.port(5432, "db.internal")
        async with await cloud.session(order) as client:
            await client.shake_hands()
            streams = Streams(client)
            number = await streams.open()
            writing = asyncio.create_task(streams.write(number, data if direction == "up" else b""))
            for drops in range(1, 6):
                await client.wait(lambda least=drops * 300: len(client.received) >= least)
                client.drop()
                await client.wait(lambda: client.gone)
                resumed = cloud.gateway.resume(order.session_id)
                assert resumed is not None
                await client.connect(resumed[0])
            await writing
            if direction == "up":
                assert await asyncio.wait_for(heard, 20) == data
            else:
                assert await streams.until_ended(number) == data


async def test_lost_acknowledgements_and_frames_are_repaired(cloud: Cloud) -> None:
    async with await cloud.session(cloud.port(7)) as client:
        await client.shake_hands()
        streams = Streams(client)
        number = await streams.open()
        client.acknowledging = False
        await streams.write(number, b"first")
        assert await streams.read(number, 5) == b"first"
        sequences = [m.sequence for m in client.received if m.message_type == MessageType.OUTPUT]
        await client.wait(lambda: sum(m.sequence == sequences[-1] for m in client.received) >= 2 + 1)
        client.acknowledging = True
        await streams.write(number, b"second")
        assert await streams.read(number, 6) == b"second"


@pytest.fixture
def patience(request: pytest.FixtureRequest) -> Patience:
    return getattr(request, "param", Patience(client=20, dial=0.2))


@pytest.mark.parametrize("patience", [Patience(client=0.2)], indirect=True)
@pytest.mark.parametrize("connects", [False, True])
async def test_a_client_that_stays_away_ends_its_session(cloud: Cloud, *, connects: bool) -> None:
    order = cloud.order("InteractiveCommands", {"commands": SLEEPER})
    token, url = cloud.gateway.open(order)
    if connects:
        async with await Client(url).connect(token):
            pass
    async with asyncio.timeout(10):
        while not cloud.ended:
            await asyncio.sleep(0.01)
    assert cloud.ended == [(order.session_id, LOST)]
    assert cloud.gateway.resume(order.session_id) is None


async def test_terminate_tells_the_client_and_closes_the_connection(cloud: Cloud) -> None:
    order = cloud.port(7)
    async with await cloud.session(order) as client:
        await client.shake_hands()
        assert await asyncio.to_thread(cloud.gateway.terminate, order.session_id)
        assert await client.end() == ""
        await client.wait(lambda: client.gone)  # a client that stays is shown out
    assert cloud.ended == [(order.session_id, TERMINATED)]
    assert cloud.gateway.resume("no-such-session") is None
    assert not cloud.gateway.terminate("no-such-session")


async def test_frames_that_are_no_messages_are_dropped(cloud: Cloud) -> None:
    async with await cloud.session(cloud.port(7)) as client:
        await client.shake_hands()
        junk: list[bytes | str] = [b"", b"\x00" * 119, b"\xff" * 400, "text", encode(control("acknowledge", b"[]"))]
        junk += [encode(control(kind, b"{}")) for kind in ("pause_publication", "channel_closed", "no_such_type")]
        for frame in junk:
            await client.send_frame(frame)
        streams = Streams(client)
        number = await streams.open()
        await streams.write(number, b"still there")
        assert await streams.read(number, 11) == b"still there"


async def test_an_oversized_frame_closes_the_connection_and_the_session_can_be_resumed(cloud: Cloud) -> None:
    order = cloud.port(7)
    async with await cloud.session(order) as client:
        await client.shake_hands()
        await client.send_frame(bytes(MAX_FRAME + 1))
        await client.wait(lambda: client.gone)
        resumed = cloud.gateway.resume(order.session_id)
        assert resumed is not None
        await client.connect(resumed[0])
        streams = Streams(client)
        number = await streams.open()
        await streams.write(number, b"still there")
        assert await streams.read(number, 11) == b"still there"


async def test_no_token_reaches_a_log(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    order = cloud.port(7)
    token, url = cloud.gateway.open(order)
    resumed = cloud.gateway.resume(order.session_id)
    assert resumed is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)  # the client's package logs frames
    for line in _opening(url, resumed[0]):
        writer.write(line)
    await reader.readuntil(b"\r\n\r\n")
    assert (await reader.readexactly(1))[0] == 0x82  # admitted: the first binary frame
    writer.close()
    await writer.wait_closed()
    assert token not in caplog.text
    assert resumed[0] not in caplog.text
    # Frames would be logged cut in the middle, which spares a token only by the length of its neighbours.
    assert [record for record in caplog.records if record.name.startswith("websockets")] == []


def _opening(url: str, token: str) -> list[bytes]:
    """The upgrade and the open message as bytes on the wire."""
    parts = urlsplit(url)
    request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
    request += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    text = encode_open(OpenMessage(token, "client", "request", "1.2.764.0")).encode()
    masked = b"\x81\xfe" + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text
    return [request.encode(), masked]


async def test_http_that_is_no_websocket_is_turned_away(cloud: Cloud) -> None:
    _, url = cloud.gateway.open(cloud.order())

    def ask() -> int:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url.replace("ws://", "http://"), timeout=5)
        with caught.value as answer:
            return answer.code

    assert await asyncio.to_thread(ask) in {400, 426}


async def test_real_pace_is_about_a_megabyte_a_second_and_a_second_to_the_prompt(folder: Path) -> None:
    network = Landscape()
    gateway = Gateway(network, folder=folder, pace=REAL, on_ended=lambda sid, why: None)
    await gateway.start()
    cloud = Cloud(gateway, network, folder, [])
    try:
        began = time.monotonic()
        async with await cloud.session(cloud.order()) as client:
            await client.expect(PROMPT)
        assert time.monotonic() - began >= 1.0
        async with listening(echo) as address:
            network.hosts["db.internal"] = address
            async with await cloud.session(cloud.port(5432, "db.internal")) as client:
                await client.shake_hands()
                streams = Streams(client)
                number = await streams.open()
                began = time.monotonic()
                await streams.write(number, bytes(200 * 1024))
                await streams.read(number, 200 * 1024)
                assert time.monotonic() - began >= 0.2
                lengths = [len(m.payload) for m in client.received if m.payload_type == PayloadType.OUTPUT]
                assert max(lengths) == 1024
    finally:
        await gateway.stop()


async def test_a_bulk_transfer_does_not_starve_another_connection(folder: Path) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) == b"e":
            await echo(reader, writer)
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    network = Landscape()
    gateway = Gateway(network, folder=folder, pace=REAL, on_ended=lambda sid, why: None)
    await gateway.start()
    cloud = Cloud(gateway, network, folder, [])
    try:
        async with listening(endless) as address:
            network.hosts["db.internal"] = address
            async with await cloud.session(cloud.port(5432, "db.internal")) as client:
                await client.shake_hands()
                streams = Streams(client)
                quick, bulk = await streams.open(), await streams.open()
                await streams.write(quick, b"e")
                await streams.write(bulk, b"b")
                await streams.read(bulk, 100_000)
                for _ in range(5):
                    await streams.write(quick, b"x")
                    assert await streams.read(quick, 1) == b"x"
    finally:
        await gateway.stop()
