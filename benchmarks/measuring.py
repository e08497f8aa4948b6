"""How the benchmarks measure: pairs in turn, medians, one row each. Absolute times say little on a shared machine; the
ratio to the yardstick, measured in turn with it in the same run, is the figure to quote."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

PYTHON = sys.executable
SSM_TUI = (PYTHON, "-m", "ssm_tui")
AWS = str(Path(PYTHON).with_name("aws"))
ROUNDS = 5
CHUNK = 1 << 18
_HTTP_SERVER = """
import asyncio, tempfile
from ssm_tui.demo.servers import NodeServices
async def main():
    services = NodeServices()
    ports = [(await services.address("direct", port))[1] for port in (8080, 7)]
    print(*ports, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def title(text: str, ours: str = "ours", yardstick: str = "yardstick") -> None:
    print(f"\n{text:56} {ours:>11} {yardstick:>11}  ratio", flush=True)


def row(
    what: str, ours: Callable[[], float], yardstick: Callable[[], float], *, unit: str = "ms", rounds: int = ROUNDS
) -> float:
    """Measures both in turn after one round that is not counted; the median of the ratios pair by pair."""
    pairs = [(ours(), yardstick()) for _ in range(rounds + 1)][1:]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    said(what, mine, other, ratio, unit)
    return ratio


def said(what: str, mine: float, other: float, ratio: float, unit: str) -> None:
    print(f"{what:56} {mine:8.2f} {unit} {other:8.2f} {unit}  {ratio:5.2f}", flush=True)


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def run(*argv: str, environment: Mapping[str, str] | None = None) -> None:
    """A command to its end."""
    subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def tunnel(environment: Mapping[str, str], port: int, *words: str) -> Iterator[tuple[int, psutil.Process]]:
    """A tunnel to a node's port, in a process of its own: its local port and the process."""
    argv = [*SSM_TUI, "forward", "web-1", str(port), *words]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            if not ready.startswith("ready "):
                raise RuntimeError(f"no tunnel to {port}: its own words are above")
            yield int(ready.rsplit(":", 1)[1]), psutil.Process(process.pid)
        finally:
            process.terminate()


@contextmanager
def direct() -> Iterator[tuple[int, int]]:
    """The same HTTP and echo services without anything in between, in a process of its own: their ports."""
    with subprocess.Popen([PYTHON, "-c", _HTTP_SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            http, echo = process.stdout.readline().split()
            yield int(http), int(echo)
        finally:
            process.kill()


def download(port: int, size: int) -> None:
    """So many bytes from the HTTP service."""
    with _asked(port, f"GET /bytes/{size}", 0) as client:
        _answer(client, size)


def upload(port: int, size: int) -> None:
    """So many bytes to the HTTP service, which answers once it has them all."""
    with _asked(port, "POST /", size) as client:
        data = bytes(CHUNK)
        for sent in range(0, size, CHUNK):
            client.sendall(data[: size - sent])
        _answer(client, 0)


def megabytes_a_second(transfer: Callable[[int, int], None], port: int, size: int, streams: int = 1) -> float:
    """The rate of some transfers at once, `size` bytes together."""
    workers = [threading.Thread(target=transfer, args=(port, size // streams)) for _ in range(streams)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return size / 1e6 / (time.perf_counter() - start)


def echo_times(port: int, count: int) -> list[float]:
    """Milliseconds of so many one-byte echoes, one after another on one connection."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def once() -> None:
            client.sendall(b"x")
            client.recv(1)

        return [milliseconds(once) for _ in range(count)]


def _asked(port: int, request: str, length: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(f"{request} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
    return client


def _answer(client: socket.socket, least: int) -> None:
    """Reads to the end; at least so many bytes must have come."""
    taken = 0
    while data := client.recv(CHUNK):
        taken += len(data)
    if taken <= least:
        raise RuntimeError(f"{taken} bytes came, more than {least} were due")


def environment_of(cloud: Mapping[str, str]) -> dict[str, str]:
    """What our programs run with: the cloud's variables, and a PATH on which the AWS CLI is not found."""
    return {**cloud, "PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(sys.path), "HOME": os.environ["HOME"]}
