"""`make bench`: how long what a user waits for takes, each beside a yardstick measured in turn with it in the same run.

Absolute times say little on a shared machine; the ratio to the yardstick is the figure to quote.
"""

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

from ssm_tui.demo.runner import DemoProcess

PYTHON = sys.executable
SSM_TUI = (PYTHON, "-m", "ssm_tui")
AWS = str(Path(PYTHON).with_name("aws"))
ROUNDS = 5
MEGABYTES = 16


def main() -> None:
    """Prints a row per measurement: median of ours, of the yardstick, and the median of the ratios pair by pair."""
    print(f"{'what':38} {'ours':>10} {'yardstick':>10}  ratio")
    row("--version, to python -c pass", lambda: run(*SSM_TUI, "--version"), lambda: run(PYTHON, "-c", "pass"))
    with DemoProcess() as cloud:
        environment = {**cloud.environment, "PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(sys.path)}
        row(
            "ls with access, to aws ec2 describe",
            lambda: run(*SSM_TUI, "ls", environment=environment),
            lambda: run(AWS, "ec2", "describe-instances", environment=environment),
        )
        with forwarded(environment) as port, echo_server() as direct:
            row(
                f"echo of {MEGABYTES} MB by a tunnel, to loopback",
                lambda: echo(port, MEGABYTES << 20),
                lambda: echo(direct, MEGABYTES << 20),
            )
            row("echo of 1 byte by a tunnel, to loopback", lambda: echo(port, 1), lambda: echo(direct, 1))


def row(what: str, ours: Callable[[], None], yardstick: Callable[[], None]) -> None:
    """Measures both in turn after one round that is not counted."""
    pairs = [(timed(ours), timed(yardstick)) for _ in range(ROUNDS + 1)][1:]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{what:38} {mine * 1000:7.1f} ms {other * 1000:7.1f} ms  {ratio:5.2f}", flush=True)


def timed(work: Callable[[], None]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(*argv: str, environment: Mapping[str, str] | None = None) -> None:
    """A command to its end."""
    subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def forwarded(environment: Mapping[str, str]) -> Iterator[int]:
    """A tunnel to a node's echo service: its local port."""
    argv = [*SSM_TUI, "forward", "web-1", "7"]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        try:
            yield port
        finally:
            process.terminate()


@contextmanager
def echo_server() -> Iterator[int]:
    """The same service without anything in between, in a process of its own: its port."""
    code = (
        "import asyncio\n"
        "async def echo(r, w):\n"
        "    while data := await r.read(65536):\n"
        "        w.write(data); await w.drain()\n"
        "    w.close()\n"
        "async def main():\n"
        "    server = await asyncio.start_server(echo, '127.0.0.1', 0)\n"
        "    print(server.sockets[0].getsockname()[1], flush=True)\n"
        "    await server.serve_forever()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def echo(port: int, size: int) -> None:
    """Sends so many bytes and takes them back."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sender = threading.Thread(target=client.sendall, args=(bytes(size),))
        sender.start()
        while size:
            size -= len(client.recv(1 << 18))
        sender.join()


if __name__ == "__main__":
    main()
