"""A laptop for end-to-end tests: an empty home, a bare PATH, the demo cloud's environment, and our program on it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.e2e.terminal import Terminal
from tests.free_ports import free_port

SSM_TUI = (sys.executable, "-m", "ssm_tui")
# Where the system's own tools are; the tests' Python has an `aws` beside it, which must not be found by accident.
BARE_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Laptop:
    """A home folder and an environment. `mark` is in the environment of every process started from here."""

    home: Path
    environment: Mapping[str, str]
    mark: str

    def run(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """ssm-tui with these arguments, to its end."""
        return subprocess.run(
            [*SSM_TUI, *arguments],
            env={**self.environment, **extra},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """ssm-tui with these arguments, in the background."""
        return subprocess.Popen(
            [*SSM_TUI, *arguments],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def terminal(self, *arguments: str, columns: int = 120, rows: int = 35) -> Terminal:
        """ssm-tui with these arguments in a terminal."""
        return Terminal([*SSM_TUI, *arguments], self.environment, columns=columns, rows=rows)

    def psql(self, port: int, query: str, *, database: str, user: str) -> subprocess.CompletedProcess[str]:
        """A query by the real psql that the demo brings."""
        connection = ["-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", database]
        return subprocess.run(
            [self.environment["DEMO_PSQL"], *connection, "-X", "-A", "-t", "-c", query],
            env={**self.environment, "PGPASSWORD": self.environment["DEMO_DB_PASSWORD"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def ready(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
        """A `forward` or `tunnel` that has said it is ready, and its port; stopped by SIGTERM at the end."""
        with self.start(*arguments) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("ready 127.0.0.1:"):
                process.terminate()
                raise AssertionError(f"not ready: {line!r} {process.communicate(timeout=30)}")
            try:
                yield process, int(line.rsplit(":", 1)[1])
            finally:
                if process.poll() is None:
                    process.terminate()
                process.communicate(timeout=30)


@pytest.fixture
def laptop(demo_cloud: DemoProcess, tmp_path: Path) -> Laptop:
    """An empty home, no AWS CLI and no plugin on PATH."""
    return make_laptop(demo_cloud.environment, tmp_path, BARE_PATH)


def make_laptop(cloud: Mapping[str, str], home: Path, path: str) -> Laptop:
    """The laptop on a cloud, with a PATH."""
    environment = {
        **cloud,
        "HOME": str(home),
        # Else a detached supervisor of the user who runs the tests would be found.
        "XDG_RUNTIME_DIR": str(home),
        "PATH": path,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "E2E_MARK": str(home),
    }
    return Laptop(home, environment, f"E2E_MARK={home}")


def own_port() -> str:
    """A free port, for tests that look whether it is free afterwards: the usual ones are taken by whoever is next."""
    return str(free_port())


def port_is_free(port: int) -> bool:
    """Whether nobody listens on the loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
