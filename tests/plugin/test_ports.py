"""Port sessions of the real plugin process against a service on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from ssm_tui.plugin import framing, handshake, smux
from ssm_tui.plugin.channel import DataChannel
from ssm_tui.plugin.console import Console
from ssm_tui.plugin.framing import Flag, MessageType, PayloadType
from ssm_tui.plugin.handshake import ActionStatus, HandshakeRequest, PortProperties
from ssm_tui.plugin.limits import Limits
from ssm_tui.plugin.mux import MuxPorts
from ssm_tui.plugin.smux import Command, Frame
from ssm_tui.plugin.sockets import Listener, LocalConnection
from tests.plugin.gateway import SESSION, ApiCall, Gateway, Plugin, gateway, plugin

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = "AWS-StartPortForwardingSession"
TERMINATE = framing.flag_payload(Flag.TERMINATE_SESSION)


def frames(service: Gateway) -> list[Frame]:
    return smux.Decoder().feed(service.data())


async def test_one_connection_and_sigint() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        await service.shake_hands_for_port()
        port = await running.port()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        await service.until(lambda: frames(service)[1:] == [Frame(Command.PSH, 3, b"hello\n")], "the data")
        await service.output(smux.encode(Frame(Command.PSH, 3, b"reply")))
        assert await reader.readexactly(5) == b"reply"
        writer.close()
        await service.until(lambda: frames(service)[2:] == [Frame(Command.FIN, 3)], "FIN for a client that closed")
        running.send(signal.SIGINT)
        assert await running.ends() == 130
        assert service.of_type(PayloadType.FLAG) == [TERMINATE]
        assert service.calls == []
        assert service.closes == [1000]
        assert running.text == (
            f"\nStarting session with SessionId: {SESSION}\nPort {port} opened for sessionId {SESSION}.\n"
            f"Waiting for connections...\n\nConnection accepted for session [{SESSION}]\n"
            f"Terminate signal received, exiting.\n\n\nExiting session with sessionId: {SESSION}.\n\n"
        )
        assert bytes(running.err) == b""


async def open_port(service: Gateway, running: Plugin, *, agent: str = "3.3.987.0") -> int:
    await service.shake_hands_for_port(agent=agent)
    return await running.port()


async def psh(service: Gateway, stream: int, data: bytes) -> None:
    await service.output(smux.encode(Frame(Command.PSH, stream, data)))


async def fin(service: Gateway, stream: int) -> None:
    await service.output(smux.encode(Frame(Command.FIN, stream)))


async def test_the_target_closes_after_its_data() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", await open_port(service, running))
        await service.until(lambda: frames(service) == [Frame(Command.SYN, 3)], "SYN")
        await psh(service, 3, b"x" * 30000)
        await fin(service, 3)
        assert await reader.read() == b"x" * 30000
        await service.until(lambda: frames(service)[1:] == [Frame(Command.FIN, 3)], "the answer to FIN")
        writer.write(b"lost at the agent, and harmless")
        writer.close()


async def test_the_answer_after_half_close_is_delivered() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT, linger=1.5) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", await open_port(service, running))
        writer.write(b"question")
        writer.write_eof()
        await service.until(lambda: frames(service)[1:] == [Frame(Command.PSH, 3, b"question")], "the question")
        for piece in (b"the ", b"long ", b"answer"):
            await asyncio.sleep(0.6)  # the answer takes its time, longer in all than the linger time
            await psh(service, 3, piece)
        await fin(service, 3)
        assert await reader.read() == b"the long answer"
        writer.close()


async def test_a_silent_half_closed_stream_ends_after_the_linger_time() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT, linger=0.3) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", await open_port(service, running))
        writer.write_eof()
        await service.until(lambda: frames(service) == [Frame(Command.SYN, 3), Frame(Command.FIN, 3)], "FIN")
        assert await reader.read() == b""
        writer.close()


async def test_a_reset_connection_sends_what_was_read_and_fin() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"x")
            await service.until(lambda: len(frames(service)) == 2, "the data")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await service.until(lambda: frames(service)[2:] == [Frame(Command.FIN, 3)], "FIN")


async def test_a_refused_destination_prints_awss_line_and_stays_up() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running)
        for stream in (3, 5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await service.until(lambda: Frame(Command.SYN, stream) in frames(service), "SYN")  # noqa: B023
            await service.say(PayloadType.FLAG, framing.flag_payload(Flag.CONNECT_TO_PORT_ERROR))
            await fin(service, stream)
            assert await reader.read() == b""
            writer.close()
            await service.until(lambda: Frame(Command.FIN, stream) in frames(service), "FIN")  # noqa: B023
        await service.end()
        assert await running.ends() == 0
        assert running.text.count("\nConnection to destination port failed, check SSM Agent logs.") == 2


async def test_fifty_connections_at_once_move_data_both_ways() -> None:
    """The far side is a small echo over smux: every byte comes back on its own stream."""
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running)
        decoder, done = smux.Decoder(), asyncio.Event()

        async def echo() -> None:
            taken = 0
            while not done.is_set():
                await service.until(lambda: done.is_set() or len(service.messages) > taken)  # noqa: B023
                for message in service.messages[taken:]:
                    taken += 1
                    if message.payload_type == PayloadType.OUTPUT:
                        for frame in decoder.feed(message.payload):
                            if frame.command is Command.PSH:
                                await psh(service, frame.stream_id, frame.data)

        async def client(number: int) -> bool:
            data = bytes([number]) * 40_000
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            answer = await reader.readexactly(len(data))
            writer.close()
            return answer == data

        echoing = asyncio.create_task(echo())
        assert all(await asyncio.gather(*(client(number) for number in range(50))))
        done.set()
        await service.changes()
        await echoing


async def test_a_bulk_sender_does_not_starve_a_short_one() -> None:
    """Whose turn it is, message by message, while three streams want the channel."""
    listener = Listener.bind(PortProperties())
    channel = DataChannel("", "", sink=lambda message: None, renew=lambda: asyncio.sleep(0, ""), limits=Limits())
    mux = MuxPorts(channel, Console(), listener, session_id=SESSION, keepalive=False, limits=Limits())
    mux._announced = True  # nothing on the stdout of the tests
    bulk, other, short = (LocalConnection(mux, 1) for _ in range(3))
    decoder = smux.Decoder()

    def turn() -> list[int]:
        payload = mux._next_payload()
        assert len(payload) <= 1024
        return [frame.stream_id for frame in decoder.feed(payload) if frame.command is Command.PSH]

    for connection in (bulk, other, short):
        mux.opened(connection)
    mux.received(bulk, b"b" * 200_000)
    mux.received(other, b"o" * 200_000)
    turns = [turn() for _ in range(40)]
    assert turns.count([3]) + turns.count([5]) >= 38  # the first message holds the three SYNs as well
    assert abs(turns.count([3]) - turns.count([5])) <= 2, "bulk streams share alike"
    mux.received(short, b"short")
    assert 7 in turn() + turn(), "a short write waits for one message at most"
    always_short = []
    for _ in range(20):
        mux.received(short, b"short")
        always_short += turn()
    assert always_short.count(3) + always_short.count(5) >= 8, "short writes do not starve bulk either"
    mux.close()


async def test_at_most_256_messages_are_in_flight() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running)
        handshakes = len(service.messages)
        service.acknowledge = False
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"u" * 3_000_000)
        await service.until(lambda: len(service.copies) > len(service.messages), "a repetition")
        assert handshakes + 8 <= len(service.messages) <= handshakes + 256
        writer.transport.abort()


async def test_a_busy_port_fails_at_once_with_the_reason_and_ends_the_session() -> None:
    for agent in ("3.3.987.0", "3.0.100.0"):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            async with gateway() as service, plugin(service, document=DOCUMENT) as running:
                request = handshake.session_action(
                    "Port", {"portNumber": "1", "localPortNumber": str(port), "type": "LocalPortForwarding"}
                )
                await service.request(HandshakeRequest(agent, (request,)))
                assert await running.ends() == 1
                assert running.text == (
                    f"\nStarting session with SessionId: {SESSION}\n"
                    f"Cannot perform start session: listen tcp 127.0.0.1:{port}: bind: address already in use\n"
                )
                assert service.calls == [ApiCall("TerminateSession", {"SessionId": SESSION})]
                answer = handshake.decode_response(service.of_type(PayloadType.HANDSHAKE_RESPONSE)[0])
                assert answer.actions[0].status == ActionStatus.FAILED


@pytest.mark.parametrize("port", ["70000", "-1", "x", "5432 "])
async def test_a_port_that_is_none_is_refused(port: str) -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        properties: dict[str, object] = {"localPortNumber": port, "type": "LocalPortForwarding"}
        await service.request(HandshakeRequest("3.3.987.0", (handshake.session_action("Port", properties),)))
        assert await running.ends() == 1
        assert f"Cannot perform start session: {port!r} is not a local port" in running.text


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
async def test_signals_end_the_session_at_the_service(signum: signal.Signals) -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        running.send(signum)
        assert await running.ends() == 128 + signum
        assert service.of_type(PayloadType.FLAG) == [TERMINATE]
        assert service.closes == [1000]
        with contextlib.suppress(ConnectionResetError):  # an open connection does not outlive the session
            assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_an_unanswered_terminate_flag_is_followed_by_the_api() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT, terminate=0.2) as running:
        await open_port(service, running)
        service.acknowledge = False
        running.send(signal.SIGTERM)
        assert await running.ends() == 143
        assert service.calls == [ApiCall("TerminateSession", {"SessionId": SESSION})]


async def test_an_old_agent_gets_the_api_and_one_connection_at_a_time() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running, agent="2.3.722.0")
        running.send(signal.SIGINT)
        assert await running.ends() == 130
        assert service.of_type(PayloadType.FLAG) == []
        assert service.calls == [ApiCall("TerminateSession", {"SessionId": SESSION})]
        assert "Waiting" not in running.text
        assert f"Port {port} opened" in running.text


async def test_basic_mode_serves_one_client_after_another() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        await service.shake_hands_for_port(agent="3.0.196.0")
        await service.output(b"banner")  # the target speaks first, before anyone is there
        port = await running.port()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.readexactly(6) == b"banner"
        second_reader, second = await asyncio.open_connection("127.0.0.1", port)
        second.write(b"second")
        writer.write(b"\n")
        await service.until(lambda: service.data() == b"\n", "a lone line feed, not altered")
        await service.output(b"one")
        assert await reader.readexactly(3) == b"one"
        writer.close()
        disconnect = framing.flag_payload(Flag.DISCONNECT_TO_PORT)
        await service.until(lambda: service.of_type(PayloadType.FLAG) == [disconnect], "the disconnect flag")
        await service.until(lambda: service.data() == b"\nsecond", "the second client's data")
        await service.output(b"two")
        assert await second_reader.readexactly(3) == b"two"
        second.close()
        await service.end("Session terminated because of idle timeout")
        assert await running.ends() == 1
        assert running.text.endswith(
            f"Port {port} opened for sessionId {SESSION}.\nConnection accepted for session {SESSION}.\n"
            f"\n\nSessionId: {SESSION} : Session terminated because of idle timeout\n\n"
        )


async def test_frames_right_after_the_handshake_are_taken() -> None:
    """A burst between HandshakeComplete and the end of set-up kills the reader of AWS's plugin."""
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        await service.shake_hands_for_port()
        for _ in range(40):
            await service.raw(framing.encode(framing.control(MessageType.START_PUBLICATION, b"{}")))
        reader, writer = await asyncio.open_connection("127.0.0.1", await running.port())
        writer.write(b"a")
        await service.until(lambda: frames(service)[1:] == [Frame(Command.PSH, 3, b"a")], "the data")
        await psh(service, 3, b"b")
        assert await reader.readexactly(1) == b"b"
        writer.close()


async def test_a_stream_that_is_not_smux_ends_the_session() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        await open_port(service, running)
        await service.output(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert await running.ends() == 1
        assert "cannot be understood" in running.text
        assert service.of_type(PayloadType.FLAG) == [TERMINATE]


async def test_a_client_that_does_not_read_holds_the_channel_and_loses_nothing() -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        port = await open_port(service, running)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        await service.until(lambda: len(frames(service)) == 1, "SYN")
        piece, count = b"d" * 32000, 600  # 19 MB, more than sockets and the plugin's buffer hold

        async def feed() -> None:
            for _ in range(count):
                await psh(service, 3, piece)
            await fin(service, 3)

        feeding = asyncio.create_task(feed())
        await asyncio.sleep(1.0)
        assert not feeding.done(), "the plugin took everything although nobody reads"
        total = 0
        while data := await reader.read(1 << 20):
            total += len(data)
        assert total == len(piece) * count
        await feeding
        writer.close()


@pytest.mark.parametrize(("agent", "expected"), [("3.1.1511.0", True), ("3.1.1511.1", False)])
async def test_only_older_agents_get_keepalives(agent: str, expected: bool) -> None:
    async with gateway() as service, plugin(service, document=DOCUMENT, keepalive=0.05) as running:
        port = await open_port(service, running, agent=agent)
        await asyncio.sleep(0.3 if not expected else 0)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await service.until(lambda: Frame(Command.SYN, 3) in frames(service), "SYN")
        if expected:
            await service.until(lambda: frames(service).count(Frame(Command.NOP, 0)) > 1, "keep-alives")
        else:
            assert Frame(Command.NOP, 0) not in frames(service)
        writer.close()


async def test_the_local_end_may_be_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s.sock")
    async with gateway() as service, plugin(service, document=DOCUMENT) as running:
        properties: dict[str, object] = {
            "portNumber": "1",
            "type": "LocalPortForwarding",
            "localConnectionType": "unix",
            "localUnixSocket": path,
        }
        await service.shake_hands("Port", properties)
        await running.shows(f"Unix socket {path} opened for sessionId {SESSION}.\nWaiting for connections...\n")
        assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"a")
        await service.until(lambda: frames(service)[1:] == [Frame(Command.PSH, 3, b"a")], "the data")
        await psh(service, 3, b"b")
        assert await reader.readexactly(1) == b"b"
        writer.close()
        running.send(signal.SIGTERM)
        assert await running.ends() == 143
        assert not os.path.exists(path)  # noqa: PTH110, ASYNC240
