"""The data channel through the real plugin process: start-up failures, loss, repetition, resuming, damaged frames."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import signal

import pytest

from ssm_tui.plugin import framing, smux
from ssm_tui.plugin.framing import Flag, Message, MessageType, PayloadType
from ssm_tui.plugin.smux import Command, Frame
from tests.plugin.gateway import SESSION, ApiCall, gateway, plugin
from tests.plugin.recordings import load_json

PORTS = "AWS-StartPortForwardingSession"
TERMINATED = ApiCall("TerminateSession", {"SessionId": SESSION})
STARTING = f"\nStarting session with SessionId: {SESSION}\n"


async def test_a_refused_channel_is_an_error_and_the_session_is_ended() -> None:
    async with gateway() as service:
        service.refuse = True
        async with plugin(service, document=PORTS, dial_delay=0.01) as running:
            assert await running.ends() == 1
            assert running.text == (
                f"{STARTING}Cannot perform start session: the data channel was refused with HTTP status 403\n"
            )
            assert service.calls == [TERMINATED]
            assert service.dials == 4


async def test_a_handshake_that_never_comes_is_an_error() -> None:
    async with gateway() as service, plugin(service, document=PORTS, first_message=0.3) as running:
        assert await running.ends() == 1
        assert running.text == (
            f"{STARTING}Cannot perform start session: neither a handshake nor output came from the agent within 0.3 s\n"
        )
        assert service.calls == [TERMINATED]
        assert service.closes == [1000]


async def test_a_handshake_that_is_never_completed_is_an_error() -> None:
    async with gateway() as service, plugin(service, document=PORTS, handshake=0.3) as running:
        await service.say(
            PayloadType.HANDSHAKE_REQUEST,
            b'{"AgentVersion":"3.3.987.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":'
            b'{"SessionType":"Port","Properties":{"localPortNumber":"","type":"LocalPortForwarding"}}}]}',
        )
        assert await running.ends() == 1
        assert "the agent did not complete the handshake within 0.3 s\n" in running.text
        assert "opened" not in running.text


async def test_a_handshake_that_cannot_be_read_is_an_error() -> None:
    async with gateway() as service, plugin(service, document=PORTS) as running:
        await service.say(PayloadType.HANDSHAKE_REQUEST, b"not json")
        assert await running.ends() == 1
        assert "the agent's handshake cannot be read" in running.text


async def test_a_signal_before_the_handshake_ends_the_session() -> None:
    async with gateway() as service, plugin(service, document=PORTS) as running:
        await service.until(lambda: bool(service.opens), "the open message")
        running.send(signal.SIGINT)
        assert await running.ends() == 130
        assert service.calls == [TERMINATED]


async def test_the_open_message_carries_the_token_and_nothing_else_does() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        (opening,) = service.opens
        assert opening.token == "token-1"
        assert opening.client_version == "1.2.764.0"
        with open(f"/proc/{running.process.pid}/cmdline", "rb") as command:  # noqa: ASYNC230, PTH123
            assert b"token-1" not in command.read()
        await service.end()
        assert await running.ends() == 0


async def test_a_cut_channel_is_resumed_with_the_new_token_and_nothing_is_lost() -> None:
    async with gateway() as service, plugin(service, document=PORTS) as running:
        await service.shake_hands_for_port()
        reader, writer = await asyncio.open_connection("127.0.0.1", await running.port())
        expected = b""
        for round_number in range(2):
            service.acknowledge = False  # what is under way at the cut stays unacknowledged
            before = len(service.copies)
            data = b"%d" % round_number * 100_000
            expected += data
            writer.write(data)
            await service.until(lambda: len(service.copies) > before + 50, "an upload")  # noqa: B023
            await service.cut()
            service.acknowledge = True
            await service.until(lambda: service.connection is not None, "a new websocket")

            def received() -> bytes:
                return b"".join(f.data for f in smux.Decoder().feed(service.data()) if f.command is Command.PSH)

            await service.until(lambda: len(received()) == len(expected), "the whole upload")  # noqa: B023
            assert received() == expected
            await service.output(smux.encode(Frame(Command.PSH, 3, b"alive")))
            assert await reader.readexactly(5) == b"alive"
        assert [call.operation for call in service.calls] == ["ResumeSession"] * 2
        assert [opening.token for opening in service.opens] == ["token-1"] + ["token-2"] * 2
        assert len({opening.client_id for opening in service.opens}) == 1
        sequences = [message.sequence for message in service.messages]
        assert sorted(sequences) == list(range(len(sequences)))
        writer.close()


async def test_output_sent_around_a_cut_arrives_once_and_in_order() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        for number in range(50):
            await service.output(b"%d," % number)
            if number == 25:
                await service.cut()
        for frame in service.outbox.resend_all(now=0):
            await service.raw(frame)
        await running.shows("49,")
        assert running.text.endswith("$ " + "".join(f"{number}," for number in range(50)))


async def test_a_resume_without_a_token_is_a_timeout_of_the_session() -> None:
    async with gateway() as service, plugin(service, document=PORTS) as running:
        service.resume_answer = lambda: (200, {"SessionId": SESSION})
        await service.shake_hands_for_port()
        port = await running.port()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await service.cut()
        assert await running.ends() == 1
        assert running.text.endswith(f"\nSession: {SESSION} timed out.\n")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_a_refused_resume_closes_everything_and_says_why() -> None:
    async with gateway() as service, plugin(service, document=PORTS) as running:
        service.resume_answer = lambda: (
            400,
            {"__type": "DoesNotExistException", "message": f"Session {SESSION} does not exist"},
        )
        await service.shake_hands_for_port()
        port = await running.port()
        await service.cut()
        assert await running.ends() == 1
        gone = f"(DoesNotExistException: Session {SESSION} does not exist)"
        assert running.text.endswith(f"; resuming.\nSession: {SESSION} timed out. {gone}\n")
        assert [call.operation for call in service.calls].count("ResumeSession") == 1
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_service_that_is_away_is_tried_again_within_bounds() -> None:
    answers = [(500, {"__type": "InternalServerError"})] * 4 + [(200, {"SessionId": SESSION, "TokenValue": "t"})]
    async with gateway() as service, plugin(service, document=PORTS, resume_delay=0.01) as running:
        service.resume_answer = lambda: answers.pop(0)
        await service.shake_hands_for_port()
        await running.port()
        await service.cut()
        await service.until(lambda: len(service.opens) == 2, "a resumed channel")
        assert not answers


async def test_a_dead_network_is_noticed_and_the_channel_replaced() -> None:
    async with gateway() as service, plugin(service, ping_every=0.1, pong=0.3) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        connection = service.connection
        assert connection is not None
        connection.transport.pause_reading()  # the far end is there and says nothing any more
        await service.until(lambda: len(service.opens) == 2, "a new websocket")
        connection.transport.abort()
        await service.output(b"back")
        await running.shows("back")


async def test_a_lost_message_is_repeated_at_its_own_time_and_a_duplicate_acknowledged_again() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        await service.until(lambda: len(service.of_type(PayloadType.SIZE)) == 1, "the size")
        service.acknowledge = False
        running.type(b"first")
        await service.until(lambda: service.data() == b"first", "the first")
        running.type(b"second")
        copies = [m.payload for m in service.copies]
        await service.until(lambda: [m.payload for m in service.copies].count(b"second") >= 2, "a repetition")
        assert copies.count(b"first") == 1
        assert [m.payload for m in service.copies].count(b"first") >= 2
        for _ in range(3):
            repeated = Message(MessageType.OUTPUT, 0, 1, service.ack_messages[0].message_id, 1, 1, b"$ ")
            await service.raw(framing.encode(repeated))
        await service.until(lambda: service.acks.count(0) == 4, "an acknowledgement of each copy")
        assert running.text.count("$ ") == 1


async def test_out_of_order_messages_are_put_in_order() -> None:
    async with gateway() as service, plugin(service) as running:
        frames = [service.outbox.push(PayloadType.OUTPUT, b"[%d]" % n, now=0, created_ms=1) for n in range(6)]
        for index in (0, 5, 4, 2, 2, 1, 3):
            await service.raw(frames[index])
        await running.shows("[5]")
        assert running.text.endswith("[0][1][2][3][4][5]")
        await service.until(lambda: sorted(service.acks) == [0, 1, 2, 2, 3, 4, 5], "all acknowledgements")


async def test_damaged_frames_are_dropped_and_the_session_goes_on() -> None:
    invalid = [
        vector
        for vector in load_json("codec.json")["invalid"]
        if vector["plugin"].startswith(("dropped", "reader dead", "taken silently"))
    ]
    assert len(invalid) > 25
    async with gateway() as service, plugin(service) as running:
        for number in range(3):
            await service.output(b"<%d>" % number)
        for vector in invalid:
            frame = base64.b64decode(vector["frame_b64"])
            await service.raw(frame.decode() if vector["ws_kind"] == "text" else frame)
        await service.output(b"on and on")  # the sequence that all the damaged ones carried
        await running.shows("on and on")
        assert running.text.endswith("<0><1><2>on and on")
        await service.end()
        assert await running.ends() == 0
        assert sorted(set(service.acks)) == [0, 1, 2, 3]


async def test_an_oversized_frame_costs_a_websocket_and_not_the_session() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        await service.raw(b"\0" * (framing.MAX_FRAME + 1))
        await service.until(lambda: len(service.opens) == 2, "a new websocket")
        await service.output(b"still here")
        await running.shows("still here")


async def test_an_unknown_session_type_is_answered_and_the_agent_ends_the_session() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.say(
            PayloadType.HANDSHAKE_REQUEST,
            b'{"AgentVersion":"3.3.987.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":'
            b'{"SessionType":"NoSuchType","Properties":{}}},{"ActionType":"NoSuchAction","ActionParameters":{}}]}',
        )
        await service.until(lambda: bool(service.messages), "the response")
        assert service.messages[0].payload == (
            b'{"ClientVersion":"1.2.764.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":2,'
            b'"ActionResult":null,"Error":"Failed to process action SessionType: Unknown session type NoSuchType"},'
            b'{"ActionType":"NoSuchAction","ActionStatus":3,"ActionResult":null,'
            b'"Error":"Unsupported action NoSuchAction"}],'
            b'"Errors":["Unknown session type NoSuchType","Unsupported action NoSuchAction"]}'
        )
        await service.end("handshake failed")
        assert await running.ends() == 1
        assert running.text == f"{STARTING}\n\nSessionId: {SESSION} : handshake failed\n\n"


async def test_publication_is_neither_answered_nor_obeyed() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.output(b"$ ")
        await service.raw(framing.encode(framing.control(MessageType.PAUSE_PUBLICATION, b"{}")))
        running.type(b"abc")
        await service.until(lambda: service.data() == b"abc", "input while paused")
        await service.raw(framing.encode(framing.control(MessageType.START_PUBLICATION, b"{}")))
        await service.output(b"more")
        await running.shows("more")
        await service.until(lambda: service.acks == [0, 1], "acknowledgements of the two outputs alone")


async def test_a_flag_to_a_shell_is_not_printed() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.output(b"a")
        await service.say(PayloadType.FLAG, framing.flag_payload(Flag.CONNECT_TO_PORT_ERROR))
        await service.output(b"b")
        await running.shows("ab")


async def test_the_channel_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(65536):
                writer.write(data)

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.split("\r\n")[0])
        host, port = head.split()[1].rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    async with server, gateway() as service:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        async with plugin(service, proxied=True) as running:
            await service.output(b"through the proxy")
            await running.shows("through the proxy")
            await service.end()
            assert await running.ends() == 0
        assert asked
        assert asked[0].startswith("CONNECT 127.0.0.1:")


async def test_a_socks_proxy_that_cannot_be_used_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway() as service:
        monkeypatch.setenv("all_proxy", "socks5h://127.0.0.1:1")
        monkeypatch.setenv("socks_proxy", "socks5h://127.0.0.1:1")
        async with plugin(service, proxied=True, dial_attempts=1) as running:
            assert await running.ends() == 1
            assert running.text.endswith("a SOCKS proxy, which needs the package python-socks\n")
            assert not service.opens


async def test_a_server_that_never_answers_the_upgrade_is_an_error() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, gateway() as service:
        service.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with plugin(service, dial=0.2, dial_attempts=2, dial_delay=0.01) as running:
            assert await running.ends() == 1
            assert "Cannot perform start session: the data channel did not open within 0.2 s\n" in running.text
            assert service.calls == [TERMINATED]


async def test_an_outage_longer_than_a_minute_of_attempts_is_told_and_survived() -> None:
    """Both ways are shut at first: the API fails, then the websocket is refused; the port stays, the client too."""
    answers = iter([(500, {"__type": "InternalServerError"})] * 3)
    async with (
        gateway() as service,
        plugin(service, document=PORTS, resume_delay=0.01, resume_longest_delay=0.02) as running,
    ):
        await service.shake_hands_for_port()
        reader, writer = await asyncio.open_connection("127.0.0.1", await running.port())
        service.refuse = True
        service.resume_answer = lambda: next(answers, (200, {"SessionId": SESSION, "TokenValue": "token-2"}))
        dials = service.dials
        await service.cut()
        await service.until(lambda: service.dials > dials + 8, "more attempts than AWS's plugin makes")
        writer.write(b"sent meanwhile")
        service.refuse = False
        await running.shows("resumed.")
        lost = f"\nSession: {SESSION} connection lost: "
        news = [line for line in running.text.splitlines() if line.startswith("Session:")]
        assert news[0] == f"{lost.strip()} the connection ended (code 1006); resuming."
        assert any("InternalServerError" in line for line in news)
        assert f"{lost.strip()} the data channel was refused with HTTP status 403; resuming." in news
        assert news[-1] == f"Session: {SESSION} resumed."
        assert len(news) == len(set(news))
        await service.until(lambda: b"sent meanwhile" in service.data(), "what was written during the outage")
        await service.output(smux.encode(Frame(Command.PSH, 3, b"alive")))
        assert await reader.readexactly(5) == b"alive"
        writer.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"__type": "ExpiredTokenException", "message": "The security token is expired"}, "ExpiredToken"),
        ({"__type": "UnrecognizedClientException", "message": "invalid"}, "Unable to locate credentials"),
        ({"__type": "AccessDeniedException", "message": "not authorized"}, "AccessDeniedException: not authorized"),
    ],
    ids=["expired", "unknown", "denied"],
)
async def test_credentials_that_no_longer_hold_are_final_and_named(answer: dict[str, str], said: str) -> None:
    async with gateway() as service, plugin(service, document=PORTS) as running:
        service.resume_answer = lambda: (400, answer)
        await service.shake_hands_for_port()
        await running.port()
        await service.cut()
        assert await running.ends() == 1
        assert f"\nSession: {SESSION} lost: " in running.text
        assert said in running.text
        assert [call.operation for call in service.calls].count("ResumeSession") == 1


async def test_a_process_that_was_stopped_looks_at_its_channel_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the process stands still the network goes away without a word; the next ping would be minutes off."""
    monkeypatch.setattr("tests.plugin.gateway.PATIENCE", 30.0)
    async with (
        gateway() as service,
        plugin(service, document=PORTS, late=0.5, ping_every=600, pong_after_wake=0.3) as running,
    ):
        await service.shake_hands_for_port()
        await running.port()
        connection = service.connection
        assert connection is not None
        running.send(signal.SIGSTOP)
        connection.transport.pause_reading()
        await asyncio.sleep(2)  # the time that passes is what is tested
        running.send(signal.SIGCONT)
        await running.shows("connection lost: the network does not answer; resuming.")
        await running.shows("resumed.")
        connection.transport.abort()


async def test_a_close_in_order_is_no_loss_although_the_session_is_gone() -> None:
    """The service ends an idle session: its words pass through, nothing is resumed, nothing called lost."""
    text = "Your session timed out due to inactivity and has been terminated."
    async with gateway() as service, plugin(service, document=PORTS) as running:
        service.resume_answer = lambda: (400, {"__type": "DoesNotExistException", "message": "gone"})
        await service.shake_hands_for_port()
        await running.port()
        connection = service.connection
        assert connection is not None
        await service.end(text)
        await connection.close()
        assert await running.ends() == 1
        assert running.text.endswith(f"\n\nSessionId: {SESSION} : {text}\n\n")
        assert "lost" not in running.text
        assert service.calls == []
