"""A fleet seeded in this process, without servers and gateway: its network, to be asked and changed."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from ssm_tui.demo.cloud import import_moto
from tests.demo_cloud import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.demo.network import LiveNetwork

POSTGRES, REDIS = ("127.0.0.1", 5), ("127.0.0.1", 6)
IN_ONE_PROCESS = pytest.mark.xdist_group("demo-network")
"""One worker for all: moto's state is this process's, and filling it takes seconds."""


class World:
    """A seeded cloud without servers and gateway: its network, the administrator, names to ids and hosts."""

    def __init__(self, network: LiveNetwork, administrator: Caller, environment: dict[str, str]) -> None:
        self.network = network
        self.administrator = administrator
        self.environment = environment
        """The administrator's, for programs."""

    def node(self, name: str, region: str = "") -> str:
        filters = [{"Name": "tag:Name", "Values": [name]}]
        found = self.administrator.client("ec2", region).describe_instances(Filters=filters)
        return str(found["Reservations"][0]["Instances"][0]["InstanceId"])

    def group(self, name: str) -> str:
        filters = [{"Name": "group-name", "Values": [name]}]
        return str(
            self.administrator.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
        )

    def host(self, name: str) -> str:
        rds = self.administrator.client("rds")
        return str(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["Endpoint"]["Address"])


class _NoGateway:
    """Sessions are not what is tested here."""

    def open(self, order: object) -> NoReturn:
        raise AssertionError(order)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    # As in the cloud's own process: moto's million objects stay, and every test after these would look through them.
    gc.disable()
    import_moto()
    from ssm_tui.demo.endpoint import Endpoint, WireServer
    from ssm_tui.demo.fault_control import FaultControl
    from ssm_tui.demo.faults import Faults
    from ssm_tui.demo.fleet import read_fleet
    from ssm_tui.demo.instance_connect import InstanceConnectCalls
    from ssm_tui.demo.network import LiveNetwork
    from ssm_tui.demo.registry import Registry
    from ssm_tui.demo.seed import create_administrator, seed
    from ssm_tui.demo.seeding import Seeding
    from ssm_tui.demo.servers.ssh import PushedKeys
    from ssm_tui.demo.ssm_sessions import SessionCalls, SessionLog

    registry, state, fleet, log, faults = Registry(), threading.Lock(), read_fleet(), SessionLog(), Faults()
    gateway: Any = _NoGateway()
    sessions = SessionCalls(registry, gateway, log, state)
    control = FaultControl(faults, gateway, registry, log, state)
    server = WireServer(Endpoint(sessions, state, control, InstanceConnectCalls(PushedKeys())))
    url = server.start()
    keys = create_administrator(fleet)
    users = (each.user for each in fleet.databases)
    seed(Seeding(url, fleet, keys, registry, lambda _words: None), dict.fromkeys(users, "a password of the tests"))
    environment = {"AWS_ENDPOINT_URL": url, "AWS_REGION": fleet.account.default_region}
    administrator = Caller(environment, keys.access_key, keys.secret)
    for region in ("ap-northeast-2", "us-east-1"):
        administrator.client("ssm", region).describe_instance_properties()
    gc.freeze()
    gc.enable()
    servers = {"postgres": POSTGRES, "redis": REDIS}
    signed = {**environment, "AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret}
    yield World(LiveNetwork(registry, lambda far: servers.get(far.engine), state, faults), administrator, signed)
    server.stop()
    administrator.close()
