"""`demo fault` on the command line, and the service's patience as options of the demo."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.__main__ import main
from ssm_tui.demo.agent import FarNameError
from ssm_tui.demo.agent.order import SessionOrder
from ssm_tui.demo.fault_orders import ABOUT, DURATION_WORDS, IDLE_WORDS, Fault
from ssm_tui.demo.gateway import Gateway
from ssm_tui.demo.patience import Patience
from ssm_tui.errors import UsageError
from tests.demo.agent.client import Client
from tests.demo.agent.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.demo.runner import DemoProcess
    from tests.demo_cloud import Caller


@pytest.fixture
def inside(demo_cloud: DemoProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that the cloud prints."""
    for name, value in demo_cloud.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("inside", "faults")
def test_a_fault_by_command(
    developer: Caller, instance: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    node = instance("web-6")
    session = developer.client("ssm").start_session(Target=node)["SessionId"]
    assert main(["fault", "list"]) == 0
    assert f"{session}\t{node}\taway" in capsys.readouterr().out.splitlines()
    assert main(["fault", "terminate", "--node", "web-6"]) == 0
    assert session in capsys.readouterr().out.splitlines()
    assert main(["fault", "list"]) == 0
    assert session not in capsys.readouterr().out
    assert main(["fault", "database-down", "--database", "catalog"]) == 0
    assert capsys.readouterr().out == "catalog\n"
    assert main(["fault", "clear"]) == 0


@pytest.mark.usefixtures("inside")
def test_a_fault_of_no_session(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="cut of which sessions"):
        main(["fault", "cut"])
    with pytest.raises(UsageError, match="there is no fault no-such"):
        main(["fault", "no-such"])
    with pytest.raises(SystemExit) as ended:
        main(["fault", "cut", "--all", "--session", "x"])
    assert ended.value.code == 2
    capsys.readouterr()


def test_help_tells_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fault", "--help"])
    shown = capsys.readouterr().out
    assert set(ABOUT) == set(Fault)
    assert all(f"  {fault} " in shown and about in shown for fault, about in ABOUT.items())


def test_the_readme_tells_every_fault() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert [fault for fault, about in ABOUT.items() if f"| `{fault}` | {about} |" not in readme] == []


class _Nowhere:
    def resolve(self, node: str, host: str, port: int) -> tuple[str, int]:
        raise FarNameError(f"{node} does not know {host}:{port}")


@pytest.mark.parametrize(
    ("patience", "words"),
    [(Patience(idle=0.4), IDLE_WORDS), (Patience(longest=0.4), DURATION_WORDS)],
    ids=["idle", "longest"],
)
async def test_the_services_own_limits(tmp_path: Path, patience: Patience, words: str) -> None:
    gateway = Gateway(_Nowhere(), folder=tmp_path, on_ended=lambda *_: None, patience=patience)
    await gateway.start()
    order = SessionOrder("developer-0", "i-0", "ip-10-1-4-17", "linux", "3.3.987.0", "Port", {"portNumber": "7"})
    token, url = gateway.open(order)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with await Client(url).connect(token) as client:
        await client.shake_hands()
        streams = Streams(client)
        stream = await streams.open()
        while patience.idle and loop.time() < began + 2 * patience.idle:  # data keep it from being idle
            await streams.write(stream, b"x")
            await streams.read(stream, 1)
        assert patience.longest or client.closed is None
        assert await client.end() == words
    await gateway.stop()
