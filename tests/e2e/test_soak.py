"""The soak in short: every way of cutting a tunnel once, with a plugin that notices silence within a second."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.tunnels.patience import Patience
from tests.e2e.soak import Soak
from tests.e2e.soak_clients import BLOCK, Dialling, Stream
from tests.e2e.soak_report import Cut, Plan

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


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda came: came, (0, 0, 0)),
        (lambda came: b"", (BLOCK, 0, 0)),
        (lambda came: came + came, (0, BLOCK, 0)),
        (lambda came: came[:500] + b"!" + came[501:], (BLOCK, 0, BLOCK)),
    ],
    ids=["whole", "lost", "doubled", "garbled"],
)
async def test_a_stream_counts_what_goes_wrong(change: Callable[[bytes], bytes], counts: tuple[int, int, int]) -> None:
    """By an echo that changes one block."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        while True:
            try:
                came = await reader.readexactly(BLOCK)
            except (asyncio.IncompleteReadError, OSError):
                break
            number += 1
            writer.write(change(came) if number == 20 else came)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        stream = Stream()
        await stream.open(server.sockets[0].getsockname()[1])
        await stream.finish(patience=0.5)
    assert (stream.lost, stream.doubled, stream.garbled) == counts


async def test_dials_that_are_refused_or_cut_off_are_counted() -> None:
    async def cut_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(cut_off, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        doomed, ours = Dialling(port, lambda: True), Dialling(port, lambda: False)
        assert not await doomed.until_served(0.3)
        assert not await ours.until_served(0.3)
    assert doomed.caught == doomed.dialled > 0
    assert ours.unserved == ours.dialled > 0
    nobody = Dialling(port, lambda: True)
    assert not await nobody.until_served(0.3)
    assert nobody.refused == nobody.dialled > 0
