"""A gateway with a small far network, and sessions opened on it."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.gateway import FarNameError, FarRefused, FarTimeout, Gateway, Patience, SessionOrder
from ssm_tui.demo.reaper import inhabitants
from tests.demo.agent.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

_numbers = itertools.count(1)


@dataclass
class Landscape:
    """What the nodes can reach: names with real loopback addresses, or with the way in which they fail."""

    hosts: dict[str, tuple[str, int] | type[FarRefused] | type[FarTimeout]] = field(default_factory=dict)

    def resolve(self, node: str, host: str, port: int) -> tuple[str, int]:
        found = self.hosts.get(host)
        if found is None:
            raise FarNameError(f"lookup {host} on 10.1.0.2:53: no such host")
        if not isinstance(found, tuple):
            raise found(f"{host}:{port}")
        return found


@dataclass
class Cloud:
    """The gateway under test with what it told its owner."""

    gateway: Gateway
    network: Landscape
    folder: Path
    ended: list[tuple[str, str]]

    def order(
        self,
        session_type: str = "Standard_Stream",
        properties: Mapping[str, str] | None = None,
        *,
        platform: str = "linux",
        agent_version: str = "3.3.987.0",
    ) -> SessionOrder:
        return SessionOrder(
            session_id=f"developer-{next(_numbers):017x}",
            target="i-0a1b2c3d4e5f60718",
            hostname="ip-10-1-4-17",
            platform=platform,
            agent_version=agent_version,
            session_type=session_type,
            properties=properties or {},
        )

    async def session(self, order: SessionOrder, *, version: str = "1.2.764.0") -> Client:
        token, url = self.gateway.open(order)
        return await Client(url, version=version).connect(token)

    def port(
        self, port: int, host: str = "", kind: str = "LocalPortForwarding", version: str = "3.3.987.0"
    ) -> SessionOrder:
        properties = {"portNumber": str(port), "localPortNumber": "0", "type": kind}
        if host:
            properties["host"] = host
        return self.order("Port", properties, agent_version=version)


@pytest.fixture
def patience() -> Patience:
    return Patience(client=20, dial=0.2)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder as the demo makes it: private, directly below the system's temporary folder."""
    with tempfile.TemporaryDirectory(prefix="ssm-tui-test-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
async def cloud(folder: Path, patience: Patience) -> AsyncIterator[Cloud]:
    ended: list[tuple[str, str]] = []
    network = Landscape()
    gateway = Gateway(network, folder=folder, on_ended=lambda sid, why: ended.append((sid, why)), patience=patience)
    await gateway.start()
    yield Cloud(gateway, network, folder, ended)
    await gateway.stop()
    assert inhabitants(folder) == []
