"""Port sessions, multiplexed and single: real targets behind a small far network."""

from __future__ import annotations

import asyncio
import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.gateway import FarRefused, FarTimeout
from ssm_tui.plugin import handshake
from ssm_tui.plugin.framing import Flag, PayloadType, flag_payload
from tests.demo.agent.streams import Streams
from tests.demo.agent.targets import echo, listening

if TYPE_CHECKING:
    from tests.demo.agent.conftest import Cloud

REFUSED = flag_payload(Flag.CONNECT_TO_PORT_ERROR)


async def test_the_handshake_names_the_port_and_the_version(cloud: Cloud) -> None:
    async with await cloud.session(cloud.port(5432, "db.internal")) as client:
        await client.wait(lambda: client.request is not None)
        assert client.request is not None
        assert client.request.agent_version == "3.3.987.0"
        parameters = client.request.actions[0].parameters
        assert parameters["SessionType"] == "Port"
        properties = handshake.port_properties(parameters["Properties"])
        assert (properties.port, properties.host, properties.kind) == ("5432", "db.internal", "LocalPortForwarding")


async def test_many_streams_at_once_each_get_their_own_answer(cloud: Cloud) -> None:
    async with listening(echo) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            streams = Streams(client)
            numbers = [await streams.open() for _ in range(50)]
            payloads = {number: random.Random(number).randbytes(20_000 + number) for number in numbers}
            for number in numbers:
                await streams.write(number, payloads[number])
            for number in numbers:
                assert await streams.read(number, len(payloads[number])) == payloads[number]
            for number in numbers:
                await streams.finish(number)
            for number in numbers:
                assert await streams.until_ended(number) == b""


async def test_a_port_of_the_node_itself(cloud: Cloud) -> None:
    async with await cloud.session(cloud.port(8080)) as client:
        await client.shake_hands()
        streams = Streams(client)
        number = await streams.open()
        await streams.write(number, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"ip-10-1-4-17 says hello" in await streams.until_ended(number)


@pytest.mark.parametrize("how", ["refused", "dropped", "nothing listens", "unknown by now"])
async def test_a_target_that_is_not_reached_is_a_flag_and_a_fin(cloud: Cloud, how: str) -> None:
    cloud.network.hosts["db.internal"] = FarTimeout if how == "dropped" else FarRefused
    order = cloud.port(9999) if how == "nothing listens" else cloud.port(5432, "db.internal")
    async with await cloud.session(order) as client:
        await client.shake_hands()
        if how == "unknown by now":
            del cloud.network.hosts["db.internal"]
        streams = Streams(client)
        for _ in range(2):
            number = await streams.open()
            await streams.write(number, b"x")
            await client.expect(REFUSED, PayloadType.FLAG)
            assert await streams.until_ended(number) == b""
        assert client.closed is None


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("169.254.169.254", "Forwarding to IP address 169.254.169.254 is forbidden."),
        ("FD00:EC2::254", "Forwarding to IP address FD00:EC2::254 is forbidden."),
        ("no-such-host.invalid", "lookup no-such-host.invalid on 10.1.0.2:53: no such host"),
    ],
)
async def test_a_forbidden_or_unknown_host_ends_the_session_after_the_handshake(
    cloud: Cloud, host: str, text: str
) -> None:
    order = cloud.port(80, host)
    async with await cloud.session(order) as client:
        assert await client.end() == text
        assert client.ready
    assert cloud.ended == [(order.session_id, text)]


async def test_the_targets_end_arrives_after_its_last_byte(cloud: Cloud) -> None:
    data = random.Random(7).randbytes(300_000)

    async def speak_and_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    async with listening(speak_and_leave) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            streams = Streams(client)
            assert await streams.until_ended(await streams.open()) == data


async def test_a_closed_stream_closes_the_targets_connection(cloud: Cloud) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())

    async with listening(listen) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            streams = Streams(client)
            number = await streams.open()
            await streams.write(number, b"last words")
            await streams.finish(number)
            assert await asyncio.wait_for(heard, 10) == b"last words"
            assert await streams.until_ended(number) == b""


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_megabytes_arrive_unchanged(cloud: Cloud, direction: str) -> None:
    block = random.Random(1).randbytes(1024 * 1024)
    blocks, total = 8, 8 * 1024 * 1024
    expected = hashlib.sha256(block * blocks).digest()
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        digest, left = hashlib.sha256(), total
        while left:
            data = await reader.read(65536)
            digest.update(data)
            left -= len(data)
        heard.set_result(digest.digest())

    async def source(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()

    async with listening(sink if direction == "up" else source) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            streams = Streams(client)
            number = await streams.open()
            if direction == "up":
                for _ in range(blocks):
                    await streams.write(number, block)
                assert await asyncio.wait_for(heard, 60) == expected
            else:
                digest = hashlib.sha256()
                for _ in range(blocks):
                    digest.update(await streams.read(number, len(block)))
                    client.received.clear()
                assert digest.digest() == expected


async def test_terminate_flag_ends_a_port_session(cloud: Cloud) -> None:
    order = cloud.port(7)
    async with await cloud.session(order) as client:
        await client.shake_hands()
        await client.send(flag_payload(Flag.TERMINATE_SESSION), PayloadType.FLAG)
        assert await client.end() == ""
    assert cloud.ended == [(order.session_id, "")]


@pytest.mark.parametrize(("client_version", "beats"), [("1.2.331.0", True), ("1.2.764.0", False)])
async def test_only_an_old_client_is_kept_alive(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, client_version: str, *, beats: bool
) -> None:
    monkeypatch.setattr("ssm_tui.demo.agent.mux.KEEPALIVE_SECONDS", 0.01)
    async with await cloud.session(cloud.port(7), version=client_version) as client:
        await client.shake_hands()
        streams = Streams(client)
        number = await streams.open()
        for _ in range(5):
            await streams.write(number, b"x")
            await asyncio.sleep(0.02)
            await streams.read(number, 1)
        assert (streams.beats > 0) is beats


async def test_bytes_that_are_no_smux_end_the_session_with_a_text(cloud: Cloud) -> None:
    async with await cloud.session(cloud.port(7)) as client:
        await client.shake_hands()
        await client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert "smux" in await client.end()


@pytest.mark.parametrize(("agent", "plugin"), [("3.0.100.0", "1.2.764.0"), ("3.3.987.0", "1.1.60.0")])
async def test_an_old_agent_or_client_has_one_connection_at_a_time(cloud: Cloud, agent: str, plugin: str) -> None:
    served: list[bytes] = []
    changed = asyncio.Event()

    async def remember(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello %d\n" % len(served))
        served.append(await reader.read())
        changed.set()

    async with listening(remember) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal", version=agent), version=plugin) as client:
            await client.expect(b"hello 0\n")  # it has dialled before any client came
            await client.send(b"first\n")
            await client.send(flag_payload(Flag.DISCONNECT_TO_PORT), PayloadType.FLAG)
            await asyncio.wait_for(changed.wait(), 10)
            assert served == [b"first\n"]
            await client.send(b"second\n")  # dials again
            await client.expect(b"hello 1\n")
            changed.clear()
            await client.send(flag_payload(Flag.DISCONNECT_TO_PORT), PayloadType.FLAG)
            await asyncio.wait_for(changed.wait(), 10)
            assert served == [b"first\n", b"second\n"]
            assert client.closed is None


@pytest.mark.parametrize("kind", ["LocalPortForwarding", ""])
async def test_a_single_connection_that_is_refused_ends_the_session(cloud: Cloud, kind: str) -> None:
    async with await cloud.session(cloud.port(9, kind=kind, version="3.0.100.0")) as client:
        text = "Unable to connect to specified port: dial tcp 127.0.0.1:9: connect: connection refused"
        assert await client.end() == text


async def test_the_stdio_form_carries_raw_bytes_until_the_target_closes(cloud: Cloud) -> None:
    async def shout_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-test\r\n")
        writer.write((await reader.readexactly(3)).upper())

    async with listening(shout_once) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(22, "db.internal", kind="")) as client:
            await client.expect(b"SSH-2.0-test\r\n")
            await client.send(b"\nab")
            await client.expect(b"\nAB")
            assert await client.end() == ""


async def test_a_slow_target_holds_up_its_client_and_loses_nothing(cloud: Cloud) -> None:
    go = asyncio.Event()
    total = 12 * 1024 * 1024
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def late_riser(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        heard.set_result(len(await reader.readexactly(total)))

    async with listening(late_riser, receive_buffer=65536) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            streams = Streams(client)
            number = await streams.open()
            writing = asyncio.create_task(streams.write(number, bytes(total)))
            # The sockets' buffers and the agent's 4 MiB fill up; then acknowledgements stop, and with them the client.
            await _until_still(lambda: len(client.received))
            assert not writing.done()
            go.set()
            await asyncio.wait_for(writing, 30)
            assert await asyncio.wait_for(heard, 30) == total


async def test_a_client_that_does_not_acknowledge_stops_the_agents_reading(cloud: Cloud) -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    async with listening(endless) as address:
        cloud.network.hosts["db.internal"] = address
        async with await cloud.session(cloud.port(5432, "db.internal")) as client:
            await client.shake_hands()
            client.acknowledging = False
            await Streams(client).open()
            await _until_still(lambda: sent)
            held = sum(len(payload) for payload in client.output.values())
            assert held < 1024 * 1024
            before = sent
            client.acknowledging = True  # the agent repeats itself, and is heard now
            await client.wait(lambda: sent > before + 4 * 1024 * 1024)


async def _until_still(measure: object) -> None:
    """Until a figure that grows by itself has not grown for half a second."""
    assert callable(measure)
    last = -1
    while (now := measure()) != last:
        last = now
        await asyncio.sleep(0.5)
