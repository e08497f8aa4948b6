"""The ECS calls that moto answers too little to: pages of lists, tasks with ECS Exec, services that keep their tasks.
Clusters, definitions and services themselves are moto's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.ecs.models import ecs_backends

from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.containers import Container, containers_of, interface, running, started, tasks
from ssm_tui.demo.ssm_nodes import paged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.wire import WireRequest

    Handler = Callable[[WireRequest, Principal], Answer | None]

_PLATFORM = "1.4.0"


@dataclass(slots=True)
class EcsCalls:
    """The calls; all are made with moto's state guarded."""

    _exec: dict[tuple[str, str, str, str], bool] = field(default_factory=dict)
    """Whether a service (account, region, cluster, name) starts its tasks with ECS Exec: moto does not keep it."""

    def handlers(self) -> Mapping[str, Handler]:
        """By action."""
        return {
            "ecs:ListClusters": self.list_clusters,
            "ecs:ListTasks": self.list_tasks,
            "ecs:DescribeTasks": self.describe_tasks,
            "ecs:RunTask": self.run_task,
            "ecs:CreateService": self.note_service,
            "ecs:UpdateService": self.note_service,
        }

    def list_clusters(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        arns = [each.arn for each in ecs_backends[caller.account][request.region].clusters.values()]
        return _listed("clusterArns", arns, parameters)

    def list_tasks(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        cluster = cluster_of(request, caller)
        self._keep_services(caller.account, request.region)
        chosen = tasks(caller.account, request.region, cluster)
        if parameters.get("desiredStatus", "RUNNING") != "RUNNING":
            every = ecs_backends[caller.account][request.region].tasks.get(cluster, {}).values()
            chosen = [each for each in every if not running(each)]
        if parameters.get("serviceName"):
            chosen = [each for each in chosen if each.group == f"service:{short_name(parameters['serviceName'])}"]
        return _listed("taskArns", [each.task_arn for each in chosen], parameters)

    def describe_tasks(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        cluster = cluster_of(request, caller)
        wanted = list(parameters.get("tasks") or [])
        if not wanted or len(wanted) > 100:
            raise AwsFault("InvalidParameterException", "Tasks must have between 1 and 100 entries.")
        self._keep_services(caller.account, request.region)
        known = {each.id: each for each in ecs_backends[caller.account][request.region].tasks.get(cluster, {}).values()}
        place = f"arn:{caller.partition}:ecs:{request.region}:{caller.account}:task/{cluster}/"
        with_tags = "TAGS" in (parameters.get("include") or [])
        return json_answer(
            {
                "tasks": [_task(known[name], with_tags=with_tags) for name in map(short_name, wanted) if name in known],
                "failures": [
                    {"arn": place + name, "reason": "MISSING"} for name in map(short_name, wanted) if name not in known
                ],
            }
        )

    def run_task(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        if str(parameters.get("group", "")).startswith("service:"):
            raise AwsFault("InvalidParameterException", "Invalid namespace for group.")
        made = _start(caller.account, request.region, cluster_of(request, caller), parameters)
        return json_answer({"tasks": [_task(each, with_tags=True) for each in made], "failures": []})

    def note_service(self, request: WireRequest, caller: Principal) -> None:
        """What moto does not keep of a service; the rest is moto's. A new deployment ends the tasks that there are."""
        parameters = request.json()
        cluster = short_name(parameters.get("cluster") or "default")
        name = short_name(str(parameters.get("serviceName") or parameters.get("service")))
        if parameters.get("enableExecuteCommand") is not None:
            self._exec[caller.account, request.region, cluster, name] = bool(parameters["enableExecuteCommand"])
        if parameters.get("forceNewDeployment"):
            for task in tasks(caller.account, request.region, cluster):
                if task.group == f"service:{name}":
                    task.desired_status = task.last_status = "STOPPED"

    def _keep_services(self, account: str, region: str) -> None:
        """Services start what they lack of their tasks, as ECS's scheduler does in time."""
        for service in list(ecs_backends[account][region].services.values()):
            group = f"service:{service.name}"
            there = [each for each in tasks(account, region, service.cluster_name) if each.group == group]
            if not service.task_definition or len(there) >= int(service.desired_count):
                continue
            tags = service.tags if service.propagate_tags == "SERVICE" else []
            _start(
                account,
                region,
                service.cluster_name,
                {
                    "taskDefinition": service.task_definition,
                    "count": int(service.desired_count) - len(there),
                    "group": group,
                    "launchType": service.launch_type,
                    "networkConfiguration": service.network_configuration or None,
                    "platformVersion": service.platform_version,
                    "enableExecuteCommand": self._exec.get((account, region, service.cluster_name, service.name)),
                    "tags": list(tags),
                },
            )


def _start(account: str, region: str, cluster: str, parameters: Mapping[str, Any]) -> list[Any]:
    launch = parameters.get("launchType")
    network = parameters.get("networkConfiguration") or {}
    subnets = network.get("awsvpcConfiguration", {}).get("subnets") or []
    made: list[Any] = []
    for number in range(int(parameters.get("count") or 1)):
        spread = subnets[number % len(subnets) :] + subnets[: number % len(subnets)] if subnets else []
        place = {"awsvpcConfiguration": {**network["awsvpcConfiguration"], "subnets": spread}} if subnets else None
        backend: Any = ecs_backends[account][region]
        try:
            (task,) = backend.run_task(
                cluster,
                str(parameters.get("taskDefinition")),
                1,
                parameters.get("overrides"),
                parameters.get("startedBy"),
                parameters.get("tags"),
                launch,
                place,
                parameters.get("group"),
                parameters.get("platformVersion") or (_PLATFORM if launch == "FARGATE" else None),
            )
        except ServiceException as error:
            raise AwsFault(str(getattr(error, "code", "ClientException")), str(error.message)) from None
        task.exec_enabled = bool(parameters.get("enableExecuteCommand"))
        task.started = datetime.now(UTC)
        _move_into_subnet(task)
        made.append(task)
    return made


def cluster_of(request: WireRequest, caller: Principal) -> str:
    """The short name of the cluster that a call names. Raises AwsFault where there is none."""
    name = short_name(request.json().get("cluster") or "default")
    if name not in ecs_backends[caller.account][request.region].clusters:
        raise AwsFault("ClusterNotFoundException", "Cluster not found.")
    return name


def _move_into_subnet(task: Any) -> None:
    """Moto takes an address from anywhere; rules of security groups are about those of the subnet."""
    found = interface(task)
    if found is None:
        return
    address = str(found.subnet.get_available_subnet_ip(found))
    found.private_ip_address = address
    found.private_ip_addresses[0]["PrivateIpAddress"] = address
    for attached in task.attachments:
        for each in attached["details"]:
            if each["name"] == "privateIPv4Address":
                each["value"] = address


def _listed(key: str, arns: list[str], parameters: Mapping[str, Any]) -> Answer:
    size = parameters.get("maxResults", 100)
    if not 1 <= size <= 100:
        raise AwsFault("InvalidParameterException", "maxResults must be between 1 and 100.")
    page, token = paged(arns, size, parameters.get("nextToken"), [key])
    return json_answer({key: list(page), "nextToken": token})


def short_name(arn: str) -> str:
    """Of an ARN, or of what is one already."""
    return arn.rpartition("/")[2]


def _task(task: Any, *, with_tags: bool) -> dict[str, Any]:
    state = "RUNNING" if running(task) else "STOPPED"
    found = interface(task)
    return {
        "taskArn": task.task_arn,
        "clusterArn": task.cluster_arn,
        "taskDefinitionArn": task.task_definition_arn,
        "group": task.group,
        "launchType": task.launch_type or "EC2",
        "platformVersion": task.platform_version,
        "platformFamily": "Linux" if task.launch_type == "FARGATE" else None,
        "lastStatus": state,
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": bool(getattr(task, "exec_enabled", False)),
        "availabilityZone": found.subnet.availability_zone if found is not None else None,
        "startedAt": started(task),
        "startedBy": task.started_by or None,
        "attachments": task.attachments,
        "overrides": {"containerOverrides": [], **task.overrides},
        "containers": [_container(each, state) for each in containers_of(task)],
        "tags": list(task.tags) if with_tags else [],
    }


def _container(container: Container, state: str) -> dict[str, Any]:
    task = container.task
    agents = [{"name": "ExecuteCommandAgent", "lastStatus": container.agent, "lastStartedAt": started(task)}]
    address = container.machine.private_ip if container.machine else None
    return {
        "containerArn": f"{task.task_arn.replace(':task/', ':container/')}/{container.runtime}",
        "taskArn": task.task_arn,
        "name": container.name,
        "runtimeId": container.runtime,
        "lastStatus": state,
        "networkInterfaces": [{"privateIpv4Address": address}] if address else [],
        "managedAgents": agents if container.agent else None,
    }
