"""A client that does not read, over the real plugin and agent: memory stays flat, nothing is lost, others go on."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.agent.targets import listening
from tests.demo.agent.test_plugin_process import MEGABYTE, opened_port, plugin

if TYPE_CHECKING:
    from tests.demo.agent.conftest import Cloud

BLOCK = random.Random(3).randbytes(MEGABYTE)
PATIENCE = 60
STUCK = 1.0
"""Seconds in which a target cannot write on, that make it stuck."""


@dataclass(slots=True)
class Target:
    """A server that echoes what begins with E, and else sends as many megabytes as it is asked for, while it can."""

    written: int = 0
    stuck: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = await reader.readexactly(1)
        if kind == b"E":
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()
            return
        for _ in range(kind[0]):
            for start in range(0, MEGABYTE, 65536):
                writer.write(BLOCK[start : start + 65536])
                await self._drain(writer)
                self.written += 65536
        await reader.read()
        writer.close()

    async def _drain(self, writer: asyncio.StreamWriter) -> None:
        draining = asyncio.ensure_future(writer.drain())
        done, _ = await asyncio.wait([draining], timeout=STUCK)
        if not done:
            self.stuck.set()
        await draining


async def connected(port: int, first: bytes) -> socket.socket:
    """A client whose system buffers little for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await loop.sock_sendall(sock, first)
    return sock


async def taken(sock: socket.socket, size: int) -> bytes:
    """The digest of the next `size` bytes."""
    digest, loop = hashlib.sha256(), asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        while size:
            data = await loop.sock_recv(sock, min(size, MEGABYTE))
            assert data, f"the stream ended {size} bytes early"
            digest.update(data)
            size -= len(data)
    return digest.digest()


async def echoed(sock: socket.socket, data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, data)
    return await asyncio.wait_for(loop.sock_recv(sock, 100), PATIENCE)


def memory(pid: int) -> int:
    """Bytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096


async def test_a_client_that_does_not_read_costs_a_bounded_buffer_and_loses_nothing(cloud: Cloud) -> None:
    size = 40
    target = Target()
    async with listening(target.serve) as address:
        cloud.network.hosts["db.internal"] = address
        async with plugin(cloud, cloud.port(5432, "db.internal")) as process:
            port = await opened_port(process)
            before = memory(process.pid)
            slow = await connected(port, bytes([size]))
            await asyncio.wait_for(target.stuck.wait(), PATIENCE)
            held, grown = target.written, memory(process.pid) - before
            print(f"{held / MEGABYTE:.1f} MB under way, plugin grown by {grown / MEGABYTE:.1f} MB")
            assert held < 24 * MEGABYTE
            assert grown < 16 * MEGABYTE
            # Everything on the way is full, for every stream of the session (smux v1 has one window for all).
            other = await connected(port, b"E")
            answer = asyncio.ensure_future(echoed(other, b"waits"))
            assert await taken(slow, size * MEGABYTE) == hashlib.sha256(BLOCK * size).digest()
            assert await answer == b"waits"
            assert memory(process.pid) - before < 16 * MEGABYTE
            slow.close()
            other.close()


async def test_a_slow_client_holds_up_no_other_until_its_buffer_is_full(cloud: Cloud) -> None:
    size = 3
    target = Target()
    async with listening(target.serve) as address:
        cloud.network.hosts["db.internal"] = address
        async with plugin(cloud, cloud.port(5432, "db.internal")) as process:
            port = await opened_port(process)
            slow = await connected(port, bytes([size]))
            quick = await connected(port, b"E")
            for number in range(20):
                assert await echoed(quick, b"%d" % number) == b"%d" % number
            assert await taken(slow, size * MEGABYTE) == hashlib.sha256(BLOCK * size).digest()
            slow.close()
            quick.close()
