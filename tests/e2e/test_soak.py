"""The soak in short: every way of cutting a tunnel once, with a plugin that notices silence within a second."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.patience import Patience
from tests.e2e.soak import Cut, Plan, Soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left over is read from /proc")


@pytest.mark.e2e
async def test_a_tunnel_outlives_every_cut(
    demo_cloud: DemoProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**demo_cloud.environment, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    plan = Plan((*Cut, Cut.RELAY_GONE), stand=0.3, ping=0.5, pong=0.5, patience=Patience(steady=0.2))
    report = await Soak(demo_cloud.environment, plan, tmp_path).run()
    print(report.table())
    assert set(report.rows) == set(Cut)
    assert report.faults == []
