"""Starts that go wrong or end early: one line of message and one of hint, never a traceback."""

from __future__ import annotations

import subprocess
import sys

_BROKEN = """
import runpy, sys
from ssm_tui.demo.servers import Postgres, ServerError

async def start(self):
    raise ServerError("no space left")

Postgres.start = start
sys.argv = ["demo"]
runpy.run_module("ssm_tui.demo", run_name="__main__")
"""


def test_a_server_that_does_not_start_is_said_in_two_lines() -> None:
    done = subprocess.run([sys.executable, "-c", _BROKEN], capture_output=True, text=True, check=False)
    message, hint = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert message == "the demo cloud did not start: no space left"
    assert hint
