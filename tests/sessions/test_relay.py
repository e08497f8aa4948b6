"""The local port: clients wait, bytes arrive whole, ends travel, nothing hangs."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ssm_tui.errors import PortError
from ssm_tui.sessions import ports
from ssm_tui.sessions.relay import Relay

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[int]:
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


@asynccontextmanager
async def relaying(port: int | None = None) -> AsyncIterator[Relay]:
    relay = Relay(ports.bind(None, 20000), lambda: None)
    await relay.start()
    if port is not None:
        relay.open_to("127.0.0.1", port)
    try:
        yield relay
    finally:
        await relay.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()
    writer.close()


async def exchange(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    _, answer = await asyncio.gather(send(), reader.read(-1))
    writer.close()
    return answer


async def test_many_connections_at_once_keep_their_bytes_apart() -> None:
    async with server(echo) as port, relaying(port) as relay:
        payloads = [os.urandom(300_000) for _ in range(20)]
        answers = await asyncio.gather(*(exchange(relay.port, data) for data in payloads))
    assert [hashlib.sha256(a).digest() for a in answers] == [hashlib.sha256(p).digest() for p in payloads]


async def test_a_client_that_dials_early_waits() -> None:
    async with server(echo) as port, relaying() as relay:
        early = asyncio.create_task(exchange(relay.port, b"early"))
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        while relay.connections < 2:
            await asyncio.sleep(0)
        relay.open_to("127.0.0.1", port)
        assert await early == b"early"
        writer.close()
        assert await reader.read() == b""


async def test_connections_are_counted() -> None:
    counts: list[int] = []
    async with server(echo) as port:
        relay = Relay(ports.bind(None, 20000), lambda: counts.append(relay.connections))
        await relay.start()
        relay.open_to("127.0.0.1", port)
        await exchange(relay.port, b"x")
        while relay.connections:
            await asyncio.sleep(0)
        await relay.close()
    assert counts == [1, 0]


async def test_a_dead_session_port_closes_the_client_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with relaying(unused.getsockname()[1]) as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 5)
            writer.close()


async def test_closing_ends_clients_and_frees_the_port() -> None:
    async with server(echo) as port, relaying(port) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        number = relay.port
        await relay.close()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        ports.bind(number, number).close()


async def test_a_clients_reset_ends_the_far_connection_too() -> None:
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set_result(await reader.read(1))
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        ended.set()
        writer.close()

    async with server(far) as port, relaying(port) as relay:
        _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"x")
        await came
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), 5)
        while relay.connections:
            await asyncio.sleep(0)


async def test_a_client_that_does_not_read_is_no_reason_to_wait_at_the_end() -> None:
    said = 0

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said
        with contextlib.suppress(ConnectionResetError):
            while True:
                writer.write(bytes(65536))
                said += 65536
                await writer.drain()

    with socket.socket() as client:
        async with server(far) as port, relaying(port) as relay:
            client.connect(("127.0.0.1", relay.port))
            before = -1
            while said != before or not said:  # until everything between is full
                before = said
                await asyncio.sleep(0.2)
            await asyncio.wait_for(relay.close(), 5)


async def test_half_closed_input_still_gets_its_answer() -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(str(len(await reader.read(-1))).encode())
        writer.close()

    async with server(answer_at_the_end) as port, relaying(port) as relay:
        assert await exchange(relay.port, b"12345") == b"5"


def test_a_busy_port_is_known_before_anything_starts() -> None:
    with ports.bind(None, 21000) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(PortError, match=str(number)):
            ports.bind(number, 5432)
        with ports.bind(None, number) as other:
            assert other.getsockname()[1] != number


@pytest.mark.parametrize("port", [0, -5, 65536])
def test_a_port_out_of_range(port: int) -> None:
    with pytest.raises(PortError):
        ports.bind(port, 5432)


def test_a_privileged_far_port_gets_its_usual_local_one() -> None:
    with ports.bind(None, 80) as listener:
        assert listener.getsockname()[1] >= 8080
