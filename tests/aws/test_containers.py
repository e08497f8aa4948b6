"""DescribeTasks as nodes: what is told, and what keeps ECS Exec out, in sentences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssm_tui.aws.containers import Interface, containers, interfaces
from ssm_tui.domain.containers import read_target
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.domain.nodes import Node, Ping, Platform
from tests.builders import SEOUL

TASK = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ARN = "arn:aws:ecs:ap-northeast-2:111122223333"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AGENT = {"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}


def container(**more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "name": "app",
        "runtimeId": f"{TASK}-0123456789",
        "lastStatus": "RUNNING",
        "managedAgents": [AGENT],
        "networkInterfaces": [{"attachmentId": "a-1", "privateIpv4Address": "10.1.4.20"}],
    }
    return known | more


def task(**more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "taskArn": f"{ARN}:task/my_shop/{TASK}",
        "clusterArn": f"{ARN}:cluster/my_shop",
        "taskDefinitionArn": f"{ARN}:task-definition/shop-api:7",
        "group": "service:api",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "enableExecuteCommand": True,
        "availabilityZone": "ap-northeast-2a",
        "startedAt": STARTED,
        "overrides": {"taskRoleArn": "arn:aws:iam::111122223333:role/path/shop-task"},
        "tags": [{"key": "team", "value": "pay"}, {"key": "empty"}],
        "attachments": [
            {"type": "ServiceConnect", "details": [{"name": "subnetId", "value": "no"}]},
            {
                "type": "ElasticNetworkInterface",
                "details": [
                    {"name": "subnetId", "value": "subnet-1"},
                    {"name": "networkInterfaceId", "value": "eni-1"},
                    {"name": "privateIPv4Address", "value": "10.1.4.20"},
                ],
            },
        ],
        "containers": [container()],
    }
    return known | more


def nodes(*tasks: dict[str, Any]) -> list[Node]:
    return [each.node for each in containers({"tasks": list(tasks)}, SEOUL, "999")]


def missing(**more: Any) -> tuple[str, ...]:
    (found,) = nodes(task(**more))
    assert (found.ping is Ping.ONLINE) is not bool(found.missing)
    assert found.managed is not bool(found.missing)
    return found.missing


def test_a_container_that_can_be_entered() -> None:
    (found,) = nodes(task())
    assert found == Node(
        id=f"ecs:my_shop_{TASK}_{TASK}-0123456789",
        context=SEOUL,
        account="111122223333",
        name="api/app",
        ping=Ping.ONLINE,
        state="running",
        platform=Platform.LINUX,
        os="Linux",
        ip="10.1.4.20",
        subnet="subnet-1",
        az="ap-northeast-2a",
        role="shop-task",
        instance_type="FARGATE",
        launched=STARTED,
        tags={"team": "pay", "empty": ""},
        cluster="my_shop",
    )
    assert found.kind is NodeKind.ECS
    assert found.values("kind") == ("ecs",)
    assert read_target(found.id) == ("my_shop", TASK, f"{TASK}-0123456789")


def test_each_container_of_a_task_is_one_and_those_that_do_not_run_yet_are_none() -> None:
    found = nodes(
        task(
            containers=[
                container(),
                container(name="proxy", runtimeId=f"{TASK}-7"),
                container(name="slow", runtimeId=None),
            ]
        )
    )
    assert [each.name for each in found] == ["api/app", "api/proxy"]


@pytest.mark.parametrize(
    ("group", "name"), [("family:shop-api", "shop-api/app"), ("mine", "shop-api/app"), (None, "shop-api/app")]
)
def test_without_a_service_the_definition_names_it(group: str | None, name: str) -> None:
    (found,) = nodes(task(group=group))
    assert found.name == name


def test_on_ec2_with_the_docker_id_and_no_interface_of_its_own() -> None:
    docker = "f" * 64
    plain: dict[str, Any] = {"platformFamily": None, "platformVersion": None, "attachments": [], "overrides": {}}
    (found,) = nodes(task(launchType="EC2", containers=[container(runtimeId=docker, networkInterfaces=[])], **plain))
    assert (found.id, found.ip, found.subnet, found.role, found.platform, found.missing) == (
        f"ecs:my_shop_{TASK}_{docker}",
        None,
        None,
        None,
        None,
        (),
    )


def test_exec_off_says_how_to_turn_it_on() -> None:
    (sentence,) = missing(enableExecuteCommand=False)
    assert (
        "aws ecs update-service --cluster my_shop --service api --enable-execute-command --force-new-deployment"
        in sentence
    )
    (alone,) = missing(enableExecuteCommand=None, group="family:x")
    assert "run-task" in alone


@pytest.mark.parametrize(
    ("version", "family", "off"),
    [
        ("1.3.0", "Linux", True),
        ("1.4.0", "Linux", False),
        ("1.10.0", "Linux", False),
        ("1.0.0", "WINDOWS_SERVER_2022_CORE", False),
        (None, "Linux", False),
    ],
)
def test_fargates_platform_must_be_new_enough(version: str | None, family: str, off: bool) -> None:
    found = missing(platformVersion=version, platformFamily=family)
    assert [version in each and "1.4.0" in each for each in found if version] == ([True] if off else [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"managedAgents": []}, ["no ExecuteCommandAgent", "ssmmessages:CreateControlChannel"]),
        ({"managedAgents": [AGENT | {"lastStatus": "PENDING"}]}, ["PENDING", "wait a moment"]),
        (
            {"managedAgents": [AGENT | {"lastStatus": "STOPPED", "reason": "Stopped by ECS"}]},
            ["STOPPED (Stopped by ECS)", "task role", "port 443"],
        ),
        ({"lastStatus": "PENDING"}, ["the container is PENDING"]),
        ({"lastStatus": None}, ["in no known state"]),
    ],
)
def test_the_agent_and_the_container_must_run(changes: dict[str, Any], words: list[str]) -> None:
    (sentence,) = missing(containers=[container(**changes)])
    assert all(word in sentence for word in words), sentence


def test_the_network_is_that_of_the_tasks_interface() -> None:
    (found,) = containers({"tasks": [task()]}, SEOUL, None)
    (one,) = interfaces(
        {
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": "eni-1",
                    "VpcId": "vpc-1",
                    "SubnetId": "subnet-1",
                    "AvailabilityZone": "ap-northeast-2a",
                    "Groups": [{"GroupId": "sg-1"}, {"GroupName": "none"}],
                }
            ]
        }
    )
    placed = found.placed({one.id: one})
    assert (placed.vpc, placed.subnet, placed.security_groups) == ("vpc-1", "subnet-1", ("sg-1",))
    assert found.placed({"eni-2": Interface("eni-2", vpc="vpc-2")}) == found.node


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.text(max_size=5), st.integers(), st.lists(st.none() | st.text(max_size=3), max_size=2), st.booleans()
)


def mutated(whole: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(sorted(whole)), ODD, max_size=4).map(lambda changes: whole | changes)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(task()), mutated(container()))
def test_odd_answers_give_nodes_or_nothing(outer: dict[str, Any], inner: dict[str, Any]) -> None:
    for whole in (outer, task(containers=[inner, 5, None])):
        for found in nodes(whole):
            assert found.id.startswith("ecs:")
            assert found.cluster
            assert all(found.missing)
            assert list(found.words())
