"""What was open when a machine lost power, or a process was killed, is known at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings

from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.store import processes
from ssm_tui.store.wanted import WantedTunnels
from tests.store.requests import REQUEST, tunnel

OPENER = """
import pathlib, sys
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.store.wanted import WantedTunnels
wanted = WantedTunnels(pathlib.Path(sys.argv[1]))
for number, host in enumerate(sys.argv[2:]):
    wanted.opened(TunnelRequest(Context("dev", "ap-northeast-2"), "i-1", 5432, host=host), 20000 + number)
print("ready", flush=True)
sys.stdin.readline()
wanted.closed(20000)
print("closed", flush=True)
sys.stdin.readline()
"""


@contextmanager
def opener(folder: Path, *hosts: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has tunnels to those hosts open."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPENER, str(folder), *hosts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_what_a_killed_process_had_open_is_left_over(tmp_path: Path) -> None:
    with opener(tmp_path, "a", "b", "c") as process:
        assert WantedTunnels(tmp_path).left_over() == ()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "closed\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert WantedTunnels(tmp_path).left_over() == (tunnel("b"), tunnel("c"))
    WantedTunnels(tmp_path).forget()
    assert WantedTunnels(tmp_path).left_over() == ()


def test_a_zombie_has_nothing_open(tmp_path: Path) -> None:
    with opener(tmp_path, "a") as process:
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert WantedTunnels(tmp_path).left_over() == (tunnel("a"),)


def test_forgetting_leaves_what_living_processes_have(tmp_path: Path) -> None:
    with opener(tmp_path, "a"):
        WantedTunnels(tmp_path).forget()
        WantedTunnels(tmp_path).closed(20000)  # the same port, not the same process
        with opener(tmp_path, "b"):
            pass
        assert WantedTunnels(tmp_path).left_over() == (tunnel("b"),)
    assert WantedTunnels(tmp_path).left_over() == (tunnel("a"), tunnel("b"))


def test_a_pid_that_came_again_is_not_the_process_that_it_was(tmp_path: Path) -> None:
    before = WantedTunnels(tmp_path)
    before._process = "another boot/1/1"
    before.opened(tunnel("a"), 20000)
    assert WantedTunnels(tmp_path).left_over() == (tunnel("a"),)


def test_opening_what_is_left_over_takes_it_off_the_list(tmp_path: Path) -> None:
    with opener(tmp_path, "a", "b"):
        pass
    wanted = WantedTunnels(tmp_path)
    wanted.opened(tunnel("a"), 20000)
    assert wanted.left_over() == (tunnel("b"),)
    wanted.closed(20000)
    assert wanted.left_over() == (tunnel("b"),)


def test_what_two_processes_left_is_offered_once(tmp_path: Path) -> None:
    for _ in range(2):
        with opener(tmp_path, "a", "a"):
            pass
    assert WantedTunnels(tmp_path).left_over() == (tunnel("a"),)


@given(REQUEST)
@settings(max_examples=60, deadline=None)
def test_requests_come_back_as_they_were(request: TunnelRequest) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = WantedTunnels(Path(folder))
        before._process = "gone"
        before.opened(request, 20000)
        assert WantedTunnels(Path(folder)).left_over() == (request,)


@pytest.mark.parametrize("told_by", ["the system", "psutil"])
def test_the_identity_of_a_process(told_by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if told_by == "psutil":
        monkeypatch.setattr(processes, "_BOOT", tmp_path / "absent")
    assert processes.identity(os.getpid()) == processes.identity(os.getpid())
    assert processes.identity(os.getpid()) != processes.identity(os.getppid())
    with subprocess.Popen(["true"]) as gone:
        os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
        assert processes.identity(gone.pid) is None, "a zombie"
    assert processes.identity(gone.pid) is None
