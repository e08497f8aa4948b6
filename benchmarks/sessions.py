"""What sessions carry, what they cost, and how soon a shell is there: by our plugin, by AWS's where it is on PATH, and
beside them the same bytes without a session."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import socket
import statistics
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil

from benchmarks.measuring import (
    AWS,
    PYTHON,
    ROUNDS,
    direct,
    download,
    echo_times,
    environment_of,
    megabytes_a_second,
    row,
    said,
    title,
    tunnel,
    upload,
)
from ssm_tui.aws.live import AwsClouds
from ssm_tui.config import paths
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.sessions import Command, SessionSpec, aws_argv, shell
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice

MB = 1_000_000
IDLE_SECONDS = 20
ECHOES = 200
WIDTH = 4
PACED_ROUNDS = 3
"""Of what is bounded by the agent's sleep: it takes long, and varies little."""


def main() -> None:
    """The rows of every kind. An agent paced as AWS's bounds a session by 1 MB/s; an unpaced one shows what we add."""
    plugins = ["ours", *(["aws"] if shutil.which("session-manager-plugin") else [])]
    if "aws" not in plugins:
        print("\nAWS's session-manager-plugin is not on PATH: ours alone is measured.")
    with DemoProcess(pace="real") as cloud, direct() as (http, _):
        for plugin in plugins:
            environment = {**environment_of(cloud.environment), "SSM_TUI_PLUGIN": plugin}
            _throughput(environment, http, 3 * MB, f"{plugin}, paced", PACED_ROUNDS)
        _width(environment_of(cloud.environment))
        _echo_beside_bulk(environment_of(cloud.environment), "paced")
    with DemoProcess() as cloud, direct() as (http, _):
        for plugin in plugins:
            environment = {**environment_of(cloud.environment), "SSM_TUI_PLUGIN": plugin}
            _throughput(environment, http, 32 * MB, f"{plugin}, unpaced")
        _hop(environment_of(cloud.environment))
        _echo_beside_bulk(environment_of(cloud.environment), "unpaced")
        _first_byte(cloud.environment)
        _idle(environment_of(cloud.environment))


def _throughput(environment: Mapping[str, str], http: int, size: int, what: str, rounds: int = ROUNDS) -> None:
    title(f"throughput of one session: {what}", "tunnel", "loopback")
    with tunnel(environment, 8080, "--width", "1") as (port, _):
        for transfer in (download, upload):
            for streams in (1, 8):
                row(
                    f"{transfer.__name__}, {streams} stream{'s' if streams > 1 else ''}",
                    lambda t=transfer, s=streams: megabytes_a_second(t, port, size, s),  # type: ignore[misc]
                    lambda t=transfer, s=streams: megabytes_a_second(t, http, size, s),  # type: ignore[misc]
                    unit="MB/s",
                    rounds=rounds,
                )


def _width(environment: Mapping[str, str]) -> None:
    title(f"width: {WIDTH} downloads at once, to one alone (paced)", "four", "one")
    with tunnel(environment, 8080, "--width", str(WIDTH)) as (port, _):
        row(
            f"at most {WIDTH} sessions",
            lambda: megabytes_a_second(download, port, 4 * WIDTH * MB, WIDTH),
            lambda: megabytes_a_second(download, port, 4 * MB),
            unit="MB/s",
            rounds=PACED_ROUNDS,
        )


def _hop(environment: Mapping[str, str]) -> None:
    """The same session by our listener and by the plugin's own port."""
    title("the listener's hop, unpaced", "by us", "plugin")
    with tunnel(environment, 8080, "--width", "1") as (port, process):
        behind = _plugin_port(process)
        for transfer in (download, upload):
            row(
                transfer.__name__,
                lambda t=transfer: megabytes_a_second(t, port, 32 * MB),  # type: ignore[misc]
                lambda t=transfer: megabytes_a_second(t, behind, 32 * MB),  # type: ignore[misc]
                unit="MB/s",
            )
        for transfer in (download, upload):
            _hop_work(transfer, port, process)
    with tunnel(environment, 7, "--width", "1") as (port, process):
        behind = _plugin_port(process)
        row(
            "echo of 1 byte, median",
            lambda: statistics.median(echo_times(port, ECHOES)),
            lambda: statistics.median(echo_times(behind, ECHOES)),
        )


def _hop_work(transfer: Callable[[int, int], None], port: int, process: psutil.Process) -> None:
    """What a transfer costs of processor time: on a machine where all share two cores the rates tell of those too."""
    plugin = process.children(recursive=True)
    before = _seconds(process), sum(map(_seconds, plugin))
    transfer(port, 64 * MB)
    hop, rest = _seconds(process) - before[0], sum(map(_seconds, plugin)) - before[1]
    said(f"processor time, 64 MB {transfer.__name__}", 1000 * hop, 1000 * rest, hop / rest, "ms")


def _plugin_port(process: psutil.Process) -> int:
    for child in process.children(recursive=True):
        for connection in child.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                return int(connection.laddr.port)
    raise RuntimeError("no plugin listens")


def _echo_beside_bulk(environment: Mapping[str, str], pace: str) -> None:
    """One connection echoes bytes while another of the same tunnel moves bulk; the pool keeps them apart."""
    title(f"echo of 1 byte, median, while another connection moves bulk: {pace}", "beside", "idle")
    with tunnel(environment, 7) as (port, _):
        idle = statistics.median(echo_times(port, ECHOES))
        with _bulk(port):
            beside = statistics.median(echo_times(port, ECHOES))
        said("bulk both ways (echo)", beside, idle, beside / idle, "ms")


@contextmanager
def _bulk(port: int) -> Iterator[None]:
    """A connection to the echo service that is kept full in both directions."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        full = threading.Event()
        client.settimeout(10)

        def send() -> None:
            try:
                while True:
                    client.sendall(bytes(65536))
            except OSError:
                full.set()

        def receive() -> None:
            taken = 0
            try:
                while data := client.recv(65536):
                    taken += len(data)
                    if taken > MB // 2:
                        full.set()
            except OSError:
                full.set()

        workers = [threading.Thread(target=work, daemon=True) for work in (send, receive)]
        for worker in workers:
            worker.start()
        try:
            if not full.wait(30):
                raise RuntimeError("the bulk does not flow")
            yield
        finally:
            with suppress(OSError):  # the far side was first
                client.shutdown(socket.SHUT_RDWR)
            for worker in workers:
                worker.join(10)


def _first_byte(cloud: Mapping[str, str]) -> None:
    """From Enter in a list that is there (so boto3 is loaded) to the far shell's first byte. The agent itself waits a
    second before it says anything only when it is paced; here it does not."""
    title("from Enter to the far shell's first byte", "launcher", "aws cli")
    before = dict(os.environ)
    os.environ.update(environment_of(cloud))
    try:
        clouds = AwsClouds()
        context = clouds.contexts()[0]
        node = next(n.id for page in clouds.open(context).node_pages() for n in page.nodes if n.name == "web-1")
        spec = shell(context, node)
        folder = paths().programs
        launch = {
            choice: Launcher(clouds, choice, PluginChoice.AUTO, folder)
            for choice in (LauncherChoice.DIRECT, LauncherChoice.AWS)
        }
        os.environ["PATH"] = f"{os.path.dirname(AWS)}:/usr/bin:/bin"  # noqa: PTH120 - a PATH is text
        bare = Command(tuple(aws_argv(spec)), launch[LauncherChoice.AWS].prepare(spec).environment)
        for name, launcher in launch.items():
            row(f"launcher {name.value}", lambda l=launcher: _until_prompt(l, spec), lambda: _shell(bare))  # type: ignore[misc]  # noqa: E741
    finally:
        os.environ.clear()
        os.environ.update(before)


def _until_prompt(launcher: Launcher, spec: SessionSpec) -> float:
    start = time.perf_counter()
    command = launcher.prepare(spec)
    return (time.perf_counter() - start) * 1000 + _shell(command)


def _shell(command: Command) -> float:
    """Milliseconds until the shell's prompt is there, in a terminal of its own."""
    ours, theirs = pty.openpty()
    start = time.perf_counter()
    process = subprocess.Popen(
        command.argv,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **command.environment},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(theirs)
    seen = b""
    try:
        while b"$" not in seen:
            if not select.select([ours], [], [], 30)[0]:
                raise RuntimeError(f"no prompt: {seen!r}")
            seen += os.read(ours, 65536)
        return (time.perf_counter() - start) * 1000
    finally:
        os.write(ours, b"exit\r")
        with suppress(OSError):
            while os.read(ours, 65536):
                pass
        process.wait(10)
        os.close(ours)


def _idle(environment: Mapping[str, str]) -> None:
    """Processor time and memory of a tunnel that nobody uses, our process and all its children, beside a python that
    does nothing. What a process shares with others is counted in each: the sum is the most that it may be."""
    title(f"a tunnel that nobody uses, over {IDLE_SECONDS} s", "all of it", "a python")
    with (
        tunnel(environment, 7) as (_, process),
        subprocess.Popen([PYTHON, "-c", "import time; time.sleep(60)"]) as bare,
    ):
        time.sleep(3)
        everyone = [process, *process.children(recursive=True)]
        before = sum(_seconds(each) for each in everyone)
        time.sleep(IDLE_SECONDS)
        used = sum(_seconds(each) for each in everyone) - before
        memory = [each.memory_info().rss / MB for each in everyone]
        yardstick = psutil.Process(bare.pid).memory_info().rss / MB
        bare.kill()
    parts = " + ".join(f"{each:.0f}" for each in memory)
    said(f"memory ({parts}: the supervisor, guards, plugins)", sum(memory), yardstick, sum(memory) / yardstick, "MB")
    print(f"processor time: {100 * used / IDLE_SECONDS:.3f} % of one core")


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
