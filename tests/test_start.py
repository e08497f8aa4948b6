"""What the way to the first paint does without: modules that only a key, a tunnel or AWS needs. Counted, not timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

START = """
import asyncio, json, sys, threading
import ssm_tui.ui.app as interface
from ssm_tui.cli import main
from ssm_tui.ui.flows.knowledge import Knowledge

def run(services, *, filter_text):
    async def paint():
        painted = asyncio.Event()
        def begin(self):
            print(json.dumps([sorted(sys.modules), threading.active_count()]))
            painted.set()
        Knowledge.begin = begin
        async with interface.SsmTui(services, filter_text).run_test():
            await asyncio.wait_for(painted.wait(), 30)
    asyncio.run(paint())
    return 0

interface.run = run
sys.stdin.isatty = sys.stdout.isatty = lambda: True
sys.exit(main([]))
"""
ONE_OF_A_TUNNEL = "ssm_tui.sessions.tunnels."
WITH_THE_START = {f"{ONE_OF_A_TUNNEL}supervisor"}


def test_the_first_paint_loads_nothing_that_only_a_key_or_aws_needs(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "SSM_TUI_CONFIG"):
        environment.pop(name, None)
    answer = subprocess.run(
        [sys.executable, "-c", START], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    modules, threads = json.loads(answer.stdout.splitlines()[0])
    assert threads == 1, "others would take time from the paint"
    loaded = set(modules)
    assert "ssm_tui.ui.screens.home" in loaded
    assert not loaded & {"boto3", "botocore", "websockets", "ssm_tui.config.keys", "ssm_tui.aws.gateway"}
    assert {name for name in loaded if name.startswith(ONE_OF_A_TUNNEL)} <= WITH_THE_START
    assert [name for name in loaded if name.startswith(("ssm_tui.ui.dialogs.", "ssm_tui.domain.connection"))] == []
