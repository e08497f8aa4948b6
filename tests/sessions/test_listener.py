"""A tunnel's local end: clients wait, bytes arrive whole and are counted, ends travel, nothing hangs or is left."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.domain.tunnels import Traffic
from ssm_tui.errors import SessionError
from ssm_tui.plugin import smux
from ssm_tui.plugin.smux import Command, Frame
from ssm_tui.sessions.local.link import EARLY_BYTES
from ssm_tui.sessions.local.listener import Listener
from tests.plugin.gateway import Gateway, gateway, plugin
from tests.sessions.servers import server

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SOON = 10.0

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell whether a peer has closed")


class Session:
    """A session's port, and what is done with it."""

    def __init__(self, port: int) -> None:
        self.host, self.port = "127.0.0.1", port
        self.carried = self.held = 0
        self.clients = 0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Sessions:
    """Gives each client the present session, or has it wait for one."""

    def __init__(self) -> None:
        self.present: asyncio.Future[Session | Exception] = asyncio.get_running_loop().create_future()
        self.waiting = 0
        self.asked = 0

    def __call__(self) -> AbstractAsyncContextManager[Session]:
        return self._give()

    @asynccontextmanager
    async def _give(self) -> AsyncIterator[Session]:
        self.asked += 1
        self.waiting += 1
        try:
            session = await asyncio.shield(self.present)
        finally:
            self.waiting -= 1
        if isinstance(session, Exception):
            raise session
        session.clients += 1
        try:
            yield session
        finally:
            session.clients -= 1

    def begin(self, port: int) -> Session:
        session = Session(port)
        if self.present.done():
            self.present = asyncio.get_running_loop().create_future()
        self.present.set_result(session)
        return session

    def lose(self) -> None:
        session = self.present.result()
        self.present = asyncio.get_running_loop().create_future()
        assert isinstance(session, Session)
        session.lost.set_result(None)

    def refuse(self, error: Exception) -> None:
        self.present.set_result(error)


@asynccontextmanager
async def listening(sessions: Sessions) -> AsyncIterator[Listener]:
    sockets = tuple(bound(host) for host in ("127.0.0.1", "::1"))
    listener = Listener(sockets, sessions, on_change=lambda: None, clock=lambda: NOON)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.close()


def bound(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.bind((host, 0))
    sock.listen()
    sock.setblocking(False)
    return sock


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


async def exchange(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    reader, writer = await asyncio.open_connection(host, port)

    async def send() -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    _, answer = await asyncio.gather(send(), reader.read(-1))
    writer.close()
    return answer


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():
            await asyncio.sleep(0.005)


async def is_reset(reader: asyncio.StreamReader) -> None:
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), SOON)


# -- many clients, whole bytes ----------------------------------------------------------------------------------------


async def test_two_hundred_clients_at_once_keep_their_bytes_apart() -> None:
    payloads = [os.urandom(20_000 + i) for i in range(200)]
    async with server(echo) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            before = open_descriptors()
            answers = await asyncio.gather(*(exchange(listener.port, data) for data in payloads))
            await until(lambda: not listener.traffic().connections)
            size = sum(map(len, payloads))
            assert listener.traffic() == Traffic(0, size, size)
            assert session.carried == 2 * size
            assert session.clients == 0
            await until(lambda: open_descriptors() <= before)
    assert [hashlib.sha256(a).digest() for a in answers] == [hashlib.sha256(p).digest() for p in payloads]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


async def test_a_large_answer_and_a_large_question() -> None:
    data = os.urandom(8 * 1024 * 1024)
    async with server(echo) as port:
        sessions = Sessions()
        sessions.begin(port)
        async with listening(sessions) as listener:
            assert await asyncio.wait_for(exchange(listener.port, data), 60) == data


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_both_loopbacks_are_served(host: str) -> None:
    async with server(echo) as port:
        sessions = Sessions()
        sessions.begin(port)
        sockets = (bound(host),)
        listener = Listener(sockets, sessions, on_change=lambda: None, clock=lambda: NOON)
        await listener.start()
        reader, writer = await asyncio.open_connection(host, listener.port)
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        (connection,) = listener.connections()
        name = writer.get_extra_info("sockname")
        assert connection.peer == (f"[::1]:{name[1]}" if host == "::1" else f"127.0.0.1:{name[1]}")
        assert (connection.since, connection.sent, connection.received) == (NOON, 1, 1)
        writer.close()
        await listener.close()


@given(
    to=st.lists(st.binary(min_size=1, max_size=5000), max_size=8),
    back=st.lists(st.binary(min_size=1, max_size=5000), max_size=8),
    early=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_counts_are_exact_whatever_the_pieces(to: list[bytes], back: list[bytes], early: bool) -> None:
    async def run() -> None:
        async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for piece in back:
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
            came.append(await reader.read(-1))
            writer.close()

        came: list[bytes] = []
        async with server(far) as port:
            sessions = Sessions()
            if not early:
                sessions.begin(port)
            async with listening(sessions) as listener:
                reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
                for piece in to:
                    writer.write(piece)
                    await asyncio.sleep(0)
                writer.write_eof()
                session = sessions.begin(port) if early else sessions.present.result()
                assert isinstance(session, Session)
                assert await reader.read(-1) == b"".join(back)
                await until(lambda: not listener.traffic().connections)
                assert came == [b"".join(to)]
                size, answer = len(came[0]), len(b"".join(back))
                assert listener.traffic() == Traffic(0, size, answer)
                assert session.carried == size + answer
                writer.close()

    asyncio.run(run())


# -- waiting for a session --------------------------------------------------------------------------------------------


async def test_a_client_that_dials_during_an_outage_is_served_after_it() -> None:
    async with server(echo) as port:
        sessions = Sessions()
        async with listening(sessions) as listener:
            early = asyncio.create_task(exchange(listener.port, b"early" * 50_000))
            silent_reader, silent = await asyncio.open_connection("127.0.0.1", listener.port)
            await until(lambda: sessions.waiting == 2)
            assert listener.traffic().connections == 2
            sessions.begin(port)
            assert await asyncio.wait_for(early, SOON) == b"early" * 50_000
            silent.write(b"late")
            assert await silent_reader.read(4) == b"late"
            silent.close()


async def test_what_a_waiting_client_sends_is_not_gathered_without_bound() -> None:
    sessions = Sessions()
    async with server(echo) as port, listening(sessions) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        data = os.urandom(16 * 1024 * 1024)
        writer.write(data)
        await until(lambda: listener.traffic().sent >= EARLY_BYTES)
        await asyncio.sleep(0.1)  # time enough to read on, were it to
        assert listener.traffic().sent <= EARLY_BYTES + 256 * 1024
        sessions.begin(port)
        assert await asyncio.wait_for(reader.readexactly(len(data)), 60) == data
        writer.close()


@pytest.mark.parametrize("said", [b"", b"SELECT"])
async def test_a_waiting_client_that_resets_holds_no_place(said: bytes) -> None:
    sessions = Sessions()
    async with listening(sessions) as listener:
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            client.sendall(said)
            await until(lambda: sessions.waiting == 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await until(lambda: not sessions.waiting)
        await until(lambda: not listener.traffic().connections)


@on_linux
@pytest.mark.parametrize("said", [b"", b"SELECT"])
async def test_a_waiting_client_that_closes_holds_no_place(said: bytes) -> None:
    sessions = Sessions()
    async with listening(sessions) as listener:
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            client.sendall(said)
            await until(lambda: sessions.waiting == 1)
        await until(lambda: not sessions.waiting)
        await until(lambda: not listener.traffic().connections)


async def test_a_waiting_client_that_has_only_said_all_it_has_to_say_is_served() -> None:
    async with server(echo) as port:
        sessions = Sessions()
        async with listening(sessions) as listener:
            answer = asyncio.create_task(exchange(listener.port, b"all"))
            await until(lambda: sessions.waiting == 1 and listener.traffic().sent == 3)
            await asyncio.sleep(0.1)  # several looks at whether it has gone
            assert sessions.waiting == 1
            sessions.begin(port)
            assert await asyncio.wait_for(answer, SOON) == b"all"


@pytest.mark.parametrize("error", [TimeoutError(), SessionError("the tunnel has failed")])
async def test_where_there_will_be_no_session_the_client_is_reset(error: Exception) -> None:
    sessions = Sessions()
    async with listening(sessions) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        await until(lambda: sessions.waiting == 1)
        sessions.refuse(error)
        await is_reset(reader)
        writer.close()


async def test_a_session_that_died_unnoticed_is_asked_for_again() -> None:
    async with server(echo) as port:
        sessions = Sessions()
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            sessions.begin(unused.getsockname()[1])
            async with listening(sessions) as listener:
                answer = asyncio.create_task(exchange(listener.port, b"not lost"))
                await until(lambda: sessions.asked == 1 and listener.traffic().sent == 8)
                sessions.lose()
                await until(lambda: sessions.waiting == 1)
                sessions.begin(port)
                assert await asyncio.wait_for(answer, SOON) == b"not lost"


@pytest.mark.parametrize("how", ["lost", "reset"])
async def test_a_client_that_has_said_and_heard_nothing_survives_its_session(how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dying:
        dying.setblocking(False)
        sessions = Sessions()
        first = sessions.begin(dying.getsockname()[1])
        async with server(echo) as port, listening(sessions) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            far, _ = await asyncio.get_running_loop().sock_accept(dying)
            await until(lambda: first.clients == 1)
            if how == "lost":
                sessions.lose()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            far.close()
            if how == "reset":
                await asyncio.sleep(0.05)  # the loss is noticed later than its first effect
                sessions.lose()
            await until(lambda: sessions.waiting == 1 and not first.clients)
            writer.write(b"first ")
            second = sessions.begin(port)
            writer.write(b"words")
            assert await asyncio.wait_for(reader.readexactly(11), SOON) == b"first words"
            assert listener.traffic() == Traffic(1, 11, 11)
            assert (first.carried, second.carried) == (0, 22)
            writer.close()


async def test_a_reset_by_the_far_end_of_a_session_that_stands_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.sessions.local.listener._UNNOTICED_SECONDS", 0.05)

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(refuses) as port:
        sessions = Sessions()
        sessions.begin(port)
        async with listening(sessions) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            await is_reset(reader)
            writer.close()
    assert sessions.asked == 1


async def test_a_waiting_client_that_parted_from_a_session_holds_no_place_once_gone() -> None:
    async with server(echo) as port:
        sessions = Sessions()
        first = sessions.begin(port)
        async with listening(sessions) as listener:
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                await until(lambda: first.clients == 1)
                sessions.lose()
                await until(lambda: sessions.waiting == 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await until(lambda: not sessions.waiting and not listener.traffic().connections)


async def test_a_port_that_goes_on_refusing_ends_in_a_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.sessions.local.listener._UNNOTICED_SECONDS", 0.01)
    sessions = Sessions()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        session = sessions.begin(unused.getsockname()[1])
        async with listening(sessions) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            await is_reset(reader)
            writer.close()
            await until(lambda: not listener.traffic().connections)
    assert sessions.asked > 1
    assert session.clients == 0


# -- ends -------------------------------------------------------------------------------------------------------------


async def test_a_lost_session_resets_its_clients_at_once_and_only_them() -> None:
    async with server(echo) as port:
        sessions = Sessions()
        first = sessions.begin(port)
        async with listening(sessions) as listener:
            theirs = [await talking(listener.port) for _ in range(20)]
            await until(lambda: first.clients == 20)
            second = sessions.begin(port)
            reader, writer = await talking(listener.port)
            first.lost.set_result(None)
            async with asyncio.timeout(1):
                for lost, _ in theirs:
                    await is_reset(lost)
            await until(lambda: listener.traffic().connections == 1)
            assert (first.clients, second.clients) == (0, 1)
            writer.write(b"still")
            assert await reader.readexactly(5) == b"still"
            for _, each in [*theirs, (reader, writer)]:
                each.close()


async def talking(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    return reader, writer


async def test_closing_ends_clients_and_frees_the_port() -> None:
    async with server(echo) as port:
        sessions = Sessions()
        sessions.begin(port)
        async with listening(sessions) as listener:
            reader, writer = await talking(listener.port)
            await listener.close()
            await is_reset(reader)
            writer.close()
            with socket.socket() as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind(("127.0.0.1", listener.port))


async def test_half_closed_input_still_gets_its_answer() -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = len(await reader.read(-1))
        await asyncio.sleep(0.1)  # several looks at whether the client has gone
        writer.write(str(size).encode())
        writer.close()

    async with server(answer_at_the_end) as port:
        sessions = Sessions()
        sessions.begin(port)
        async with listening(sessions) as listener:
            assert await exchange(listener.port, b"12345") == b"5"


async def test_the_far_ends_end_leaves_the_clients_direction_open() -> None:
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def ends_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        writer.write_eof()
        came.set_result(await reader.read(-1))
        writer.close()

    async with server(ends_first) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            assert await reader.read(-1) == b"bye"
            writer.write(b"and more")
            writer.close()
            assert await came == b"and more"
            await until(lambda: session.clients == 0)


async def test_a_far_reset_resets_the_client() -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half an ans")
        await writer.drain()
        await reader.read(1)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(breaks) as port:
        sessions = Sessions()
        sessions.begin(port)
        async with listening(sessions) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            assert await reader.readexactly(11) == b"half an ans"
            writer.write(b"x")
            await is_reset(reader)
            writer.close()


class Far:
    """A server that takes what it gets, says nothing by itself, and tells how its client went."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.input: asyncio.Future[bytes] = loop.create_future()
        self.writer: asyncio.Future[asyncio.StreamWriter] = loop.create_future()
        self.gone = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer.set_result(writer)
        try:
            self.input.set_result(await reader.read(-1))
        except ConnectionResetError as error:
            self.input.set_exception(error)
        await self.gone.wait()
        writer.close()


async def test_a_clients_reset_resets_the_far_connection() -> None:
    far = Far()
    async with server(far) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                client.sendall(b"x")
                await until(lambda: session.carried == 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(far.input, SOON)
            await until(lambda: session.clients == 0)
            far.gone.set()


@on_linux
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_a_client_that_has_closed_lets_go_of_the_session_though_the_server_does_not(
    family: socket.AddressFamily,
) -> None:
    far, said = Far(), os.urandom(3_000_000)
    async with server(far) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            with socket.socket(family) as client:
                # An IPv6 socket that dials an IPv4 address is what a Java client has.
                client.connect(("::ffff:127.0.0.1" if family == socket.AF_INET6 else "127.0.0.1", listener.port))
                await asyncio.to_thread(client.sendall, said)
            assert await asyncio.wait_for(far.input, SOON) == said
            await until(lambda: session.clients == 0)
            await until(lambda: not listener.traffic().connections)
            far.gone.set()


@on_linux
async def test_a_client_that_has_closed_has_all_it_said_delivered() -> None:
    """The session does not read for a while: nothing of what the client has left may be thrown away."""
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()
        sessions = Sessions()
        sessions.begin(slow.getsockname()[1])
        async with listening(sessions) as listener:
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                far, _ = await asyncio.to_thread(slow.accept)
                client.sendall(b"keep this" * 1000)
            with far:
                far.sendall(b"an answer that nobody reads")
                await asyncio.sleep(0.3)  # many looks
                assert await asyncio.to_thread(read_all, far) == b"keep this" * 1000
            await until(lambda: not listener.traffic().connections)


def read_all(sock: socket.socket) -> bytes:
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


@on_linux
async def test_a_half_closed_client_that_resets_later_is_noticed() -> None:
    far = Far()
    async with server(far) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                client.sendall(b"x")
                client.shutdown(socket.SHUT_WR)
                assert await asyncio.wait_for(far.input, SOON) == b"x"
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await until(lambda: session.clients == 0)
            far.gone.set()


# -- slow readers -----------------------------------------------------------------------------------------------------


async def test_a_slow_reader_holds_little_memory_and_gets_everything() -> None:
    size = 32 * 1024 * 1024
    said = 0

    async def far(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said
        while said < size:
            writer.write(bytes(65536))
            said += 65536
            await writer.drain()
        writer.close()

    async with server(far) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                before = -1
                while said != before or not said:  # until everything between is full
                    before = said
                    await asyncio.sleep(0.2)
                assert said < size, "the system's buffers alone held it all"
                (link,) = listener._links.values()
                assert link.client.transport is not None
                assert link.client.transport.get_write_buffer_size() <= 256 * 1024
                assert session.held == 1
                client.shutdown(socket.SHUT_WR)
                assert len(await asyncio.to_thread(read_all, client)) == size
            await until(lambda: session.clients == 0)
            assert session.held == 0


async def test_a_session_is_free_while_a_slow_reader_still_takes_the_end() -> None:
    said = bytes(12 * 1024 * 1024)

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.write_eof()
        await reader.read(-1)
        writer.close()

    async with server(far) as port:
        sessions = Sessions()
        session = sessions.begin(port)
        async with listening(sessions) as listener:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                client.connect(("127.0.0.1", listener.port))
                client.shutdown(socket.SHUT_WR)
                answer = b""
                while session.clients or not answer:
                    answer += await asyncio.to_thread(client.recv, 65536)
                session.lost.set_result(None)  # which is no matter any more
                assert answer + await asyncio.to_thread(read_all, client) == said


async def test_a_client_that_does_not_read_is_no_reason_to_wait_at_the_end() -> None:
    said = 0

    async def far(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said
        with contextlib.suppress(ConnectionResetError):
            while True:
                writer.write(bytes(65536))
                said += 65536
                await writer.drain()

    with socket.socket() as client:
        async with server(far) as port:
            sessions = Sessions()
            session = sessions.begin(port)
            async with listening(sessions) as listener:
                client.connect(("127.0.0.1", listener.port))
                before = -1
                while said != before or not said:
                    before = said
                    await asyncio.sleep(0.2)
                assert session.held == 1
                await asyncio.wait_for(listener.close(), 5)
                assert session.held == 0


async def test_changes_are_told() -> None:
    counts: list[int] = []
    async with server(echo) as port:
        sessions = Sessions()
        sessions.begin(port)
        listener = Listener(
            (bound("127.0.0.1"),),
            sessions,
            on_change=lambda: counts.append(listener.traffic().connections),
            clock=lambda: NOON,
        )
        await listener.start()
        await exchange(listener.port, b"x")
        await until(lambda: counts == [1, 0])
        await listener.close()


async def test_a_listener_that_never_started_frees_its_port() -> None:
    listener = Listener((bound("127.0.0.1"),), Sessions(), on_change=lambda: None, clock=lambda: NOON)
    await listener.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", listener.port))


# -- everything at once -----------------------------------------------------------------------------------------------


async def test_whatever_clients_and_sessions_do_nothing_is_left() -> None:
    """Clients that finish, half-close, leave, reset and dawdle, while sessions come and go under them."""
    chance = random.Random(11)
    whole = 0
    mistakes: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: mistakes.append(context))

    async def client(port: int, manner: str) -> None:
        nonlocal whole
        data = chance.randbytes(chance.choice([1, 1000, 300_000]))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            if manner == "finish":
                writer.write_eof()
                got = await reader.read(-1)
                assert got == data, "an answer that ended in order is whole"
                whole += 1
            elif manner == "dawdle":
                await asyncio.sleep(chance.uniform(0, 0.1))
                await reader.read(10)
        except ConnectionError:
            return  # its session was lost
        finally:
            if manner == "reset":
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async with server(echo) as port:
        sessions = Sessions()
        given = [sessions.begin(port)]
        async with listening(sessions) as listener:
            before = open_descriptors()
            manners = ["finish", "finish", "leave", "reset", "dawdle"] * 50
            dialling = [asyncio.create_task(client(listener.port, manner)) for manner in manners]
            for _ in range(5):
                await asyncio.sleep(0.03)
                sessions.lose()
                await asyncio.sleep(0.01)
                given.append(sessions.begin(port))
            dialling += [asyncio.create_task(client(listener.port, "finish")) for _ in range(20)]
            async with asyncio.timeout(30):
                await asyncio.gather(*dialling)
            await until(lambda: not listener.traffic().connections)
            await until(lambda: open_descriptors() <= before)
            assert not listener._links
            assert not listener._half_closed
            assert [session.clients for session in given] == [0] * len(given)
            assert sessions.waiting == 0
    assert whole >= 20
    assert not mistakes


@on_linux
async def test_our_plugin_ends_a_stream_as_soon_as_the_client_has_closed() -> None:
    """Between the two the plugin sees the listener's socket, not the client's, and waits for an answer otherwise."""

    def frames(service: Gateway) -> list[Frame]:
        return smux.Decoder().feed(service.data())

    async with gateway() as service, plugin(service, document="AWS-StartPortForwardingSession", linger=60) as running:
        await service.shake_hands_for_port()
        sessions = Sessions()
        sessions.begin(await running.port())
        async with listening(sessions) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(b"hello")
            await service.until(lambda: frames(service)[1:] == [Frame(Command.PSH, 3, b"hello")], "the data")
            writer.write_eof()
            await asyncio.sleep(0.3)  # a client that has only ended its input is waited for
            await service.output(smux.encode(Frame(Command.PSH, 3, b"answer")))
            assert await reader.readexactly(6) == b"answer"
            assert len(frames(service)) == 2
            writer.close()
            await service.until(lambda: frames(service)[2:] == [Frame(Command.FIN, 3)], "the end of the stream")
