"""ECS on the wire: pages, tasks with their agents, who may enter, and what a container reaches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.demo.control.conftest import refusal
from tests.demo_cloud import Caller

ACCOUNT = "123456789012"
PLACE = f"arn:aws:ecs:ap-northeast-2:{ACCOUNT}:"


def tasks_of(caller: Caller, service: str) -> list[dict[str, Any]]:
    ecs = caller.client("ecs")
    arns = ecs.list_tasks(cluster="shop", serviceName=service)["taskArns"]
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster="shop", tasks=arns, include=["TAGS"])["tasks"]
    return found


def test_a_services_tasks_have_what_it_was_made_with(developer: Caller) -> None:
    api, admin = tasks_of(developer, "shop-api"), tasks_of(developer, "shop-admin")
    assert [each["enableExecuteCommand"] for each in (*api, *admin)] == [True, True, False]
    for task in api:
        assert task["platformVersion"] == "1.4.0"
        assert {each["key"] for each in task["tags"]} == {"env", "team", "service"}
        (container,) = task["containers"]
        assert container["runtimeId"].startswith(task["taskArn"].rpartition("/")[2])
        assert [each["lastStatus"] for each in container["managedAgents"]] == ["RUNNING"]
    assert "managedAgents" not in admin[0]["containers"][0]
    assert len({each["containers"][0]["runtimeId"] for each in api}) == 2


def test_pages_and_what_is_gone(developer: Caller) -> None:
    ecs = developer.client("ecs")
    pages = ecs.get_paginator("list_tasks").paginate(cluster="shop", PaginationConfig={"PageSize": 1})
    found = [arn for page in pages for arn in page["taskArns"]]
    assert len(found) == 3
    gone = ecs.describe_tasks(cluster="shop", tasks=["0" * 32])
    assert (gone["tasks"], [each["reason"] for each in gone["failures"]]) == ([], ["MISSING"])
    assert refusal(lambda: ecs.list_tasks(cluster="none"))[0] == "ClusterNotFoundException"
    assert refusal(lambda: ecs.list_tasks(cluster="shop", maxResults=101))[0] == "InvalidParameterException"
    assert refusal(lambda: ecs.describe_tasks(cluster="shop", tasks=["1"] * 101))[0] == "InvalidParameterException"


def test_execute_command_is_for_tasks_that_take_it(developer: Caller) -> None:
    ecs = developer.client("ecs")
    (off,) = tasks_of(developer, "shop-admin")
    asked = {"cluster": "shop", "command": "/bin/sh", "interactive": True}
    code, message = refusal(lambda: ecs.execute_command(task=off["taskArn"], **asked))
    assert (code, "was not enabled" in message) == ("InvalidParameterException", True)
    on = tasks_of(developer, "shop-api")[0]
    wrong = refusal(lambda: ecs.execute_command(task=on["taskArn"], container="none", **asked))
    assert wrong[0] == "InvalidParameterException"


@pytest.fixture
def stranger(administrator: Caller) -> Iterator[str]:
    """The developer without ExecuteCommand, by a deny; the name of its user."""
    iam = administrator.client("iam")
    deny = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecs:ExecuteCommand","Resource":"*"}]}'
    iam.put_user_policy(UserName="developer", PolicyName="NoExec", PolicyDocument=deny)
    yield "developer"
    iam.delete_user_policy(UserName="developer", PolicyName="NoExec")


def test_who_may_not_is_told_the_task(developer: Caller, stranger: str) -> None:
    on = tasks_of(developer, "shop-api")[0]
    code, message = refusal(
        lambda: developer.client("ecs").execute_command(
            cluster="shop", task=on["taskArn"], command="/bin/sh", interactive=True
        )
    )
    assert code == "AccessDeniedException"
    assert f"user/{stranger} is not authorized to perform: ecs:ExecuteCommand on resource: {PLACE}task/shop/" in message


def test_an_agent_without_its_permissions_does_not_run(developer: Caller, administrator: Caller) -> None:
    iam = administrator.client("iam")
    policy = iam.get_role_policy(RoleName="shop-task", PolicyName="EcsExec")["PolicyDocument"]
    iam.delete_role_policy(RoleName="shop-task", PolicyName="EcsExec")
    try:
        states = [task["containers"][0]["managedAgents"][0]["lastStatus"] for task in tasks_of(developer, "shop-api")]
        assert states == ["STOPPED", "STOPPED"]
    finally:
        iam.put_role_policy(RoleName="shop-task", PolicyName="EcsExec", PolicyDocument=json.dumps(policy))
