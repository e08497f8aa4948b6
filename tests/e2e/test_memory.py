"""The second start: rows at once from the disk, whatever has become of the cloud; `ls` asks AWS, always."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.demo.runner import DemoProcess
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop
from tests.e2e.terminal import FRAME_ENDS, Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def kept(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the home folder of a laptop on which everything has been read once."""
    laptop = make_laptop(demo_cloud.environment, tmp_path_factory.mktemp("kept"), BARE_PATH)
    with laptop.terminal() as terminal:
        terminal.wait_for(lambda screen: "● fresh" in screen and "Nodes 49" in screen and "s f r" in screen)
        until = time.monotonic() + 30
        while not rows_of(laptop):
            terminal.read(0.05)
            assert time.monotonic() < until, "no rows were kept"
        leave(terminal)
    return laptop.home


@pytest.fixture
def known(laptop: Laptop, kept: Path) -> Laptop:
    """A laptop on which everything has been read once."""
    shutil.copytree(kept, laptop.home, symlinks=True, dirs_exist_ok=True)
    return laptop


def rows_of(laptop: Laptop) -> list[Path]:
    return sorted((laptop.home / ".cache" / "ssm-tui" / "rows").glob("*.rows"))


def leave(terminal: Terminal) -> None:
    terminal.send("q")
    assert terminal.wait_end() == 0


@contextmanager
def stopped(cloud: DemoProcess) -> Iterator[None]:
    """The cloud takes connections and says nothing."""
    os.kill(cloud.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(cloud.pid, signal.SIGCONT)


def test_rows_are_there_while_the_cloud_says_nothing_and_fresh_when_it_does(
    known: Laptop, demo_cloud: DemoProcess
) -> None:
    with known.terminal() as terminal:
        with stopped(demo_cloud):
            screen = terminal.wait_for("legacy-batch-1")
            assert "stale since" in screen
            first = next(frame for frame in bytes(terminal.raw).split(FRAME_ENDS) if b"NAME" in frame)
            assert b"legacy-batch-1" in first, "the first paint that has a list has rows"
            assert "Nodes 49" in terminal.wait_for("Nodes 49")
            terminal.send("/", "legacy", "enter")
            terminal.wait_for("6/49")
            terminal.send("2")
            terminal.wait_for("orders")
            terminal.send("1", "escape")
        screen = terminal.wait_for(lambda screen: "● fresh" in screen and "s f r" in screen)
        assert "stale" not in screen
        leave(terminal)


def test_the_kept_file_is_the_users_alone_and_holds_no_secret(known: Laptop) -> None:
    (file,) = rows_of(known)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    data = file.read_bytes()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DEMO_DB_PASSWORD"):
        assert known.environment[name].encode() not in data


def test_expired_keys_leave_the_rows_and_ls_shows_none(known: Laptop, faults: FaultClient) -> None:
    faults.inject(Order(Fault.EXPIRE_CREDENTIALS, key=known.environment["AWS_ACCESS_KEY_ID"]))
    try:
        with known.terminal() as terminal:
            screen = terminal.wait_for(lambda screen: "✗ failed, stale since" in screen)
            assert "legacy-batch-1" in screen
            leave(terminal)
        listed = known.run("ls")
        assert (listed.returncode, listed.stdout) == (1, "")
    finally:
        faults.inject(Order(Fault.RENEW_CREDENTIALS, key=known.environment["AWS_ACCESS_KEY_ID"]))


def test_other_keys_are_shown_nothing_of_them(known: Laptop) -> None:
    other = {**known.environment, "AWS_ACCESS_KEY_ID": "AKIAZZZZZZZZZZZZZZZZ"}
    with make_laptop(other, known.home, BARE_PATH).terminal() as terminal:
        terminal.wait_for("✗ failed")
        assert b"legacy-batch-1" not in terminal.raw
        assert b"stale" not in terminal.raw
        leave(terminal)


def test_after_clearing_the_next_start_has_nothing_to_show(known: Laptop, demo_cloud: DemoProcess) -> None:
    cleared = known.run("cache", "clear")
    assert (cleared.returncode, cleared.stdout) == (0, "")
    assert "removed the rows of 1 context" in cleared.stderr
    assert not rows_of(known)
    with stopped(demo_cloud), known.terminal() as terminal:
        terminal.wait_for(lambda screen: "reading 0" in screen)
        assert b"legacy-batch-1" not in terminal.raw
        leave(terminal)
