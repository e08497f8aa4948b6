"""A laptop that sleeps: the whole program is stopped, the service gives its session up, the program goes on."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.demo.patience import Patience
from ssm_tui.demo.runner import DemoProcess
from tests.e2e.conftest import BARE_PATH, make_laptop, own_port

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="only POSIX suspends processes")]

_PATIENCE = 2.0
_SOON = 30.0


@pytest.fixture
def hasty_cloud() -> Iterator[DemoProcess]:
    """A cloud whose service keeps the sessions of absent clients for 2 s only."""
    with DemoProcess(patience=Patience(client=_PATIENCE)) as cloud:
        yield cloud


def test_a_suspended_program_recovers_by_itself(hasty_cloud: DemoProcess, tmp_path: Path) -> None:
    laptop, faults = make_laptop(hasty_cloud.environment, tmp_path, BARE_PATH), FaultClient(hasty_cloud.environment)
    with laptop.ready("tunnel", "orders", "--local-port", own_port()) as (process, port):
        before = {each.id for each in faults.sessions()}
        program = psutil.Process(process.pid)
        asleep = [program, *program.children(recursive=True)]
        assert any("ssm_tui.plugin" in each.cmdline() for each in asleep)
        try:
            for each in asleep:
                each.send_signal(signal.SIGSTOP)
            # Of a laptop that sleeps the service hears nothing: its connection ends, and nobody comes back.
            faults.inject(Order(Fault.CUT, all=True))
            deadline = time.monotonic() + _SOON
            while faults.sessions() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert faults.sessions() == ()
        finally:
            for each in reversed(asleep):
                each.send_signal(signal.SIGCONT)
        answers = []
        deadline = time.monotonic() + _SOON
        while "42" not in answers and time.monotonic() < deadline:
            asked = laptop.psql(port, "select 42", database="orders", user="app")
            assert "refused" not in asked.stderr
            answers.append(asked.stdout.strip())
        assert answers[-1] == "42"
        assert process.poll() is None
        now = {each.id for each in faults.sessions()}
        assert now
        assert not now & before
