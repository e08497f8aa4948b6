"""The real plugin, as a process of its own, against the gateway: what a user's tunnel does."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import re
import socket
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.servers import Database, Postgres
from tests.demo.agent.targets import echo, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ssm_tui.demo.gateway import SessionOrder
    from tests.demo.agent.conftest import Cloud

MEGABYTE = 1024 * 1024
SIZE = 16  # megabytes; the end-to-end tests carry 64 each way, over fifty connections at once


@asynccontextmanager
async def plugin(cloud: Cloud, order: SessionOrder) -> AsyncIterator[asyncio.subprocess.Process]:
    """The plugin started as the AWS CLI starts it; nothing listens where it would call AWS."""
    token, url = cloud.gateway.open(order)
    response = json.dumps({"SessionId": order.session_id, "TokenValue": token, "StreamUrl": url})
    parameters = json.dumps({"Target": order.target})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ssm_tui.plugin", "AWS_SSM_START_SESSION_RESPONSE", "us-east-1", "StartSession", ""),
        *(parameters, "http://127.0.0.1:9"),
        env={"AWS_SSM_START_SESSION_RESPONSE": response, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def opened_port(process: asyncio.subprocess.Process) -> int:
    """The local port, from the plugin's own line, once it waits for connections."""
    assert process.stdout is not None
    seen = b""
    while b"Waiting for connections" not in seen:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        assert line, seen
        seen += line
    found = re.search(rb"Port (\d+) opened", seen)
    assert found, seen
    return int(found[1])


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_16_mb_through_the_plugin(cloud: Cloud, direction: str) -> None:
    block = random.Random(1).randbytes(MEGABYTE)
    expected = hashlib.sha256(block * SIZE).digest()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await _digest(reader))

    async def source(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        for _ in range(SIZE):
            writer.write(block)
            await writer.drain()

    async with listening(sink if direction == "up" else source) as address:
        cloud.network.hosts["db.internal"] = address
        async with plugin(cloud, cloud.port(5432, "db.internal")) as process:
            reader, writer = await asyncio.open_connection("127.0.0.1", await opened_port(process))
            began = time.monotonic()
            if direction == "up":
                for _ in range(SIZE):
                    writer.write(block)
                    await writer.drain()
                assert await reader.readexactly(32) == expected
            else:
                writer.write(b"!")
                assert await _digest(reader) == expected
            print(f"{direction}: {SIZE / (time.monotonic() - began):.1f} MB/s")
            writer.close()
            await writer.wait_closed()


async def _digest(reader: asyncio.StreamReader) -> bytes:
    digest, left = hashlib.sha256(), SIZE * MEGABYTE
    while left:
        data = await reader.read(MEGABYTE)
        assert data, f"the stream ended {left} bytes early"
        digest.update(data)
        left -= len(data)
    return digest.digest()


async def test_50_connections_at_once(cloud: Cloud) -> None:
    async def talk(port: int, number: int) -> None:
        payload = random.Random(number).randbytes(50_000)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(payload)
        assert await asyncio.wait_for(reader.readexactly(len(payload)), 30) == payload
        writer.close()
        await writer.wait_closed()

    async with listening(echo) as address:
        cloud.network.hosts["db.internal"] = address
        async with plugin(cloud, cloud.port(5432, "db.internal")) as process:
            port = await opened_port(process)
            await asyncio.gather(*(talk(port, number) for number in range(50)))


async def test_psql_runs_a_query_through_the_tunnel(cloud: Cloud) -> None:
    server = Postgres(cloud.folder / "postgres")
    await server.start()
    try:
        await server.create(Database("orders", "shop", "secret"))
        cloud.network.hosts["orders.abc.us-east-1.rds.amazonaws.com"] = server.address
        order = cloud.port(5432, "orders.abc.us-east-1.rds.amazonaws.com")
        async with plugin(cloud, order) as process:
            query = await asyncio.create_subprocess_exec(
                *(server.psql, "-XAt", "-h", "127.0.0.1", "-p", str(await opened_port(process)), "-U", "shop"),
                *("-c", "SELECT count(*) FROM orders", "orders"),
                env={"PGPASSWORD": "secret"},
                stdout=asyncio.subprocess.PIPE,
            )
            assert (await query.communicate())[0] == b"240\n"
            assert query.returncode == 0
    finally:
        await server.stop()


async def test_a_stopped_plugin_ends_its_session(cloud: Cloud) -> None:
    order = cloud.port(7)
    async with plugin(cloud, order) as process:
        port = await opened_port(process)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 128 + 15
    assert cloud.ended == [(order.session_id, "")]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_command_gives_the_plugin_its_exit_status(cloud: Cloud) -> None:
    properties = {"commands": "sh -c 'echo out; exit 7'", "separateOutputStream": "true"}
    async with plugin(cloud, cloud.order("NonInteractiveCommands", properties)) as process:
        output, _ = await asyncio.wait_for(process.communicate(), 20)
        assert b"out\n" in output
        assert process.returncode == 7
