"""ECS's ExecuteCommand: one command in a container, as a session like any other's. Decides who may; the gateway carries
it out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ssm_tui.demo.agent import SessionOrder
from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.authorization import check
from ssm_tui.demo.containers import Container, containers_of, tag_keys, tasks
from ssm_tui.demo.ecs_calls import cluster_of, short_name
from ssm_tui.demo.registry import LATEST_AGENT
from ssm_tui.demo.ssm_sessions import SessionRecord
from ssm_tui.demo.validation import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.policy_conditions import Values
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.ssm_sessions import SessionCalls
    from ssm_tui.demo.wire import WireRequest

EXECUTE = "ecs:ExecuteCommand"
DOCUMENT = "AmazonECS-ExecuteInteractiveCommand"
_NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn't running. Wait and try again or run a new task with execute command enabled and try again."
)


@dataclass(frozen=True, slots=True)
class ExecCalls:
    """The call. Its sessions are logged with those of StartSession."""

    sessions: SessionCalls

    def execute_command(self, request: WireRequest, caller: Principal) -> Answer:
        """Authorised on the task and on its cluster, which AWS's policies for ECS Exec name both."""
        parameters = request.json()
        sessions = self.sessions
        with sessions.state:
            order = self._order(request, caller, parameters)
        record = SessionRecord(
            order.session_id,
            caller.account,
            request.region,
            order.target,
            caller.arn,
            DOCUMENT,
            None,
            datetime.now(UTC),
        )
        sessions.log.add(record)
        token, url = sessions.gateway.open(order)
        cluster, task, _ = order.target.removeprefix("ecs:").rsplit("_", 2)
        place = f"arn:{caller.partition}:ecs:{request.region}:{caller.account}:"
        return json_answer(
            {
                "clusterArn": f"{place}cluster/{cluster}",
                "taskArn": f"{place}task/{cluster}/{task}",
                "containerName": order.properties["container"],
                "interactive": True,
                "session": {"sessionId": order.session_id, "streamUrl": url, "tokenValue": token},
            }
        )

    def _order(self, request: WireRequest, caller: Principal, parameters: Mapping[str, Any]) -> SessionOrder:
        cluster, task_id = (
            short_name(parameters.get("cluster") or "default"),
            short_name(str(parameters.get("task", ""))),
        )
        known = {each.id: each for each in tasks(caller.account, request.region, cluster)}
        task = known.get(task_id)
        _authorize(request, caller, cluster, task_id, parameters, task)
        validate("ecs", request.operation, parameters)
        cluster_of(request, caller)
        if task is None:
            raise AwsFault("InvalidParameterException", "The specified task was not found.")
        if not parameters["interactive"]:
            raise AwsFault("InvalidParameterException", "Interactive is the only mode supported currently.")
        chosen = _chosen(containers_of(task), parameters.get("container"))
        if chosen.agent != "RUNNING":
            raise AwsFault("InvalidParameterException", _NOT_ENABLED)
        return SessionOrder(
            session_id=f"ecs-execute-command-{secrets.token_hex(13)}",
            target=chosen.id,
            hostname=chosen.machine.hostname if chosen.machine else chosen.name,
            platform="linux",
            agent_version=LATEST_AGENT,
            session_type="InteractiveCommands",
            properties={"commands": parameters["command"], "container": chosen.name},
        )


def _authorize(
    request: WireRequest, caller: Principal, cluster: str, task_id: str, parameters: Mapping[str, Any], task: Any
) -> None:
    place = f"arn:{caller.partition}:ecs:{request.region}:{caller.account}:"
    arn, of_cluster = f"{place}task/{cluster}/{task_id}", f"{place}cluster/{cluster}"
    facts: dict[str, Values] = {"ecs:cluster": (of_cluster,), "ecs:task": (arn,)}
    if parameters.get("container"):
        facts["ecs:container-name"] = (str(parameters["container"]),)
    tags = {each["key"]: each["value"] for each in task.tags} if task is not None else {}
    check(request, caller, EXECUTE, arn, facts | tag_keys(tags))
    check(request, caller, EXECUTE, of_cluster, facts | tag_keys(tags))


def _chosen(found: list[Container], name: str | None) -> Container:
    if name is None and len(found) == 1:
        return found[0]
    chosen = next((each for each in found if each.name == name), None)
    if chosen is None:
        raise AwsFault("InvalidParameterException", "The specified container name is not in the task.")
    return chosen
