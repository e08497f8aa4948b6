"""A laptop that sleeps: the whole program is stopped, the service gives its session up, the program goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from tests.e2e.conftest import Laptop, own_port

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="only POSIX suspends processes"),
]

_SLEEP = 11.0  # what the supervisor's clock, which ticks every 5 s, surely takes for a sleep: 5 s late at least
_SOON = 30.0
_NOTICED = 15.0
"""Seconds from the waking to an answer. Without noticing that it has slept the plugin would take 25 s to find out that
nobody answers any more."""


@contextmanager
def asleep(process: subprocess.Popen[str]) -> Iterator[None]:
    """The program and all that it has started are stopped, and go on at the end."""
    program = psutil.Process(process.pid)
    stopped = [program, *program.children(recursive=True)]
    assert any("ssm_tui.plugin" in each.cmdline() for each in stopped)
    for each in stopped:
        each.suspend()
    try:
        yield
    finally:
        for each in reversed(stopped):
            each.resume()


def gone(faults: FaultClient, sessions: set[str]) -> bool:
    """Whether the service has given them up, soon."""
    deadline = time.monotonic() + _SOON
    while of(faults) & sessions and time.monotonic() < deadline:
        time.sleep(0.05)
    return not of(faults) & sessions


def answered(laptop: Laptop, port: int) -> bool:
    """Whether a query goes through, soon. Clients may be cut off meanwhile; refused they are never."""
    deadline = time.monotonic() + _SOON
    while time.monotonic() < deadline:
        asked = laptop.psql(port, "select 42", database="orders", user="app")
        assert "refused" not in asked.stderr
        if asked.stdout.strip() == "42":
            return True
    return False


def of(faults: FaultClient) -> set[str]:
    """The sessions that there are."""
    return {each.id for each in faults.sessions()}


def test_suspended_programs_recover_by_themselves(laptop: Laptop, faults: FaultClient) -> None:
    """Two at once. The connection of one ends while it sleeps, and the service gives its session up.

    The other is told by nobody: the router between has forgotten its connection, so nothing answers and nothing is
    refused.
    """
    before = of(faults)  # of other tests
    tunnel = ("tunnel", "orders", "--local-port")
    with laptop.ready(*tunnel, own_port()) as (cut, cut_port):
        (first,) = of(faults) - before
        with laptop.ready(*tunnel, own_port()) as (silenced, silenced_port):
            (second,) = of(faults) - before - {first}
            with asleep(cut), asleep(silenced):
                began = time.monotonic()
                faults.inject(Order(Fault.CUT, session=first))
                faults.inject(Order(Fault.SILENCE, session=second))
                for each in (first, second):
                    faults.inject(Order(Fault.TERMINATE, session=each))
                assert gone(faults, {first, second})
                time.sleep(max(0.0, _SLEEP - (time.monotonic() - began)))
            awake = time.monotonic()
            assert answered(laptop, silenced_port)
            assert time.monotonic() - awake < _NOTICED
            assert answered(laptop, cut_port)
            assert (cut.poll(), silenced.poll()) == (None, None)
            now = of(faults) - before
            assert now
            assert not now & {first, second}
