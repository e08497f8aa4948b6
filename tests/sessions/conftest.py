"""The demo cloud as the supervisor's tests see it."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.launch import Launcher
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice
from tests.demo_cloud import administrator_of
from tests.sessions.supervising import REGION, Landscape, Processes, Watched, supervised


@pytest.fixture(scope="module")
def _landscape(demo_cloud: DemoProcess) -> Iterator[Landscape]:
    administrator = administrator_of(demo_cloud)
    nodes = {
        tag["Value"]: instance["InstanceId"]
        for page in administrator.client("ec2", REGION).get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        for tag in instance.get("Tags", [])
        if tag["Key"] == "Name"
    }
    databases = {
        one["DBInstanceIdentifier"]: (one["Endpoint"]["Address"], one["Endpoint"]["Port"])
        for one in administrator.client("rds", REGION).describe_db_instances()["DBInstances"]
    }
    for one in administrator.client("rds", REGION).describe_db_clusters()["DBClusters"]:
        databases[one["DBClusterIdentifier"]] = one["Endpoint"], one["Port"]
    yield Landscape(nodes, databases, administrator.client("ssm", REGION))
    administrator.close()


@pytest.fixture
def landscape(_landscape: Landscape) -> Landscape:
    """Without sessions: on a busy machine a program that is ended leaves before the service has answered."""
    for session in _landscape.ssm.describe_sessions(State="Active")["Sessions"]:
        _landscape.ssm.terminate_session(SessionId=session["SessionId"])
    return _landscape


@pytest.fixture(scope="module")
def clouds(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsClouds]:
    """The developer's view, from an environment that leads to the demo cloud and nowhere else."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**demo_cloud.environment, "HOME": str(home)}.items():
            patch.setenv(name, value)
        yield AwsClouds((), (REGION,))


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    mark = uuid.uuid4().hex
    monkeypatch.setenv("SSM_TUI_TEST", mark)
    return Processes(mark)


@pytest.fixture
def launcher(clouds: AwsClouds, tmp_path: Path) -> Launcher:
    """Our own StartSession call and our plugin."""
    return Launcher(clouds, LauncherChoice.DIRECT, PluginChoice.OURS, tmp_path)


@pytest.fixture
async def watched(launcher: Launcher, clouds: AwsClouds, processes: Processes) -> AsyncIterator[Watched]:
    async with supervised(launcher, clouds, processes) as one:
        yield one
