"""ECS's tasks as nodes: each container that runs, and what keeps ECS Exec from entering it. Pure.

Sources: API reference of DescribeTasks (Task, Container, ManagedAgent, Attachment); "Monitor Amazon ECS containers with
ECS Exec" in the ECS developer guide for what it needs: a task started with it, on Fargate a platform version of 1.4.0
or later (Windows 1.0.0), an agent in the container that runs, for which the task role must allow four ssmmessages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.domain.containers import ContainerTarget
from ssm_tui.domain.nodes import Node, Ping, Platform
from ssm_tui.domain.sessions import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.domain.contexts import Context

EXEC_PLATFORM = (1, 4, 0)
_AGENT = "ExecuteCommandAgent"
_RUNNING = "RUNNING"
_CHANNELS = "CreateControlChannel, CreateDataChannel, OpenControlChannel and OpenDataChannel"
_CHECK = f"check that its task role allows ssmmessages:{_CHANNELS}, and that it reaches ssmmessages on port 443"


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of EC2, for what ECS does not tell of a task's own."""

    id: str
    vpc: str | None = None
    subnet: str | None = None
    az: str | None = None
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """A container as a node, and the id of its task's network interface (None where it has none of its own)."""

    node: Node
    interface: str | None

    def placed(self, interfaces: Mapping[str, Interface]) -> Node:
        """The node, in its network where that is known."""
        found = interfaces.get(self.interface or "")
        if found is None:
            return self.node
        return replace(
            self.node,
            vpc=found.vpc,
            subnet=self.node.subnet or found.subnet,
            az=self.node.az or found.az,
            security_groups=found.security_groups,
        )


def containers(response: Mapping[str, Any], context: Context, account: str | None) -> list[Container]:
    """A page of DescribeTasks. A container without a runtime id does not run yet, and is left out."""
    return [each for task in decode.entries(response.get("tasks")) for each in _of_task(task, context, account)]


def interfaces(response: Mapping[str, Any]) -> list[Interface]:
    """A page of DescribeNetworkInterfaces."""
    return [
        Interface(
            interface_id,
            vpc=decode.text(each.get("VpcId")),
            subnet=decode.text(each.get("SubnetId")),
            az=decode.text(each.get("AvailabilityZone")),
            security_groups=tuple(
                group
                for e in decode.entries(each.get("Groups"))
                if (group := decode.text(e.get("GroupId"))) is not None
            ),
        )
        for each in decode.entries(response.get("NetworkInterfaces"))
        if (interface_id := decode.text(each.get("NetworkInterfaceId")))
    ]


def _of_task(task: Mapping[str, Any], context: Context, account: str | None) -> Iterator[Container]:
    arn, cluster = decode.text(task.get("taskArn")), _last(task.get("clusterArn"))
    if arn is None or cluster is None:
        return
    launch = decode.text(task.get("launchType")) or decode.text(task.get("capacityProviderName"))
    family = decode.text(task.get("platformFamily")) or ""
    details = _interface_details(task)
    role = _last(decode.entry(task.get("overrides")).get("taskRoleArn"))
    for each in decode.entries(task.get("containers")):
        name, runtime = decode.text(each.get("name")), decode.text(each.get("runtimeId"))
        if name is None or runtime is None:
            continue
        missing = tuple(_missing(task, each, cluster))
        node = Node(
            id=ContainerTarget(cluster, arn.rpartition("/")[2], runtime).id,
            context=context,
            account=_account(arn) or account,
            name=f"{_owner(task)}/{name}",
            ping=Ping.UNMANAGED if missing else Ping.ONLINE,
            state=(decode.text(each.get("lastStatus")) or "").lower() or None,
            platform=_platform(family),
            os=family.replace("_", " ") or None,
            ip=_address(each) or decode.address(details.get("privateIPv4Address")),
            subnet=decode.text(details.get("subnetId")),
            az=decode.text(task.get("availabilityZone")),
            role=role,
            instance_type=launch,
            launched=decode.moment(task.get("startedAt")),
            tags=_tags(task.get("tags")),
            cluster=cluster,
            missing=missing,
        )
        yield Container(node, decode.text(details.get("networkInterfaceId")))


def _missing(task: Mapping[str, Any], container: Mapping[str, Any], cluster: str) -> Iterator[str]:
    if task.get("enableExecuteCommand") is not True:
        yield f"its task was started without ECS Exec: {_turn_on(task, cluster)}"
        return
    version = decode.text(task.get("platformVersion")) or ""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version))
    windows = _platform(decode.text(task.get("platformFamily")) or "") is Platform.WINDOWS
    if numbers and numbers < EXEC_PLATFORM and not windows:
        needed = ".".join(map(str, EXEC_PLATFORM))
        yield f"Fargate's platform version {version} has no ECS Exec: deploy it on {needed} or later"
        return
    state = decode.text(container.get("lastStatus"))
    if state != _RUNNING:
        yield f"the container is {state or 'in no known state'}: read again to see what became of it"
        return
    yield from _missing_agent(container)


def _missing_agent(container: Mapping[str, Any]) -> Iterator[str]:
    agents = [each for each in decode.entries(container.get("managedAgents")) if each.get("name") == _AGENT]
    if not agents:
        yield f"ECS tells of no {_AGENT} in it: {_CHECK}"
        return
    state, reason = decode.text(agents[0].get("lastStatus")), decode.text(agents[0].get("reason"))
    if state == _RUNNING:
        return
    what = f"its {_AGENT} is {state or 'in no known state'}" + (f" ({reason})" if reason else "")
    yield f"{what}: {'wait a moment and read again' if state == 'PENDING' else _CHECK}"


def _turn_on(task: Mapping[str, Any], cluster: str) -> str:
    kind, _, name = (decode.text(task.get("group")) or "").partition(":")
    if kind == "service" and name:
        argv = ["aws", "ecs", "update-service", "--cluster", cluster, "--service", name]
        return shown([*argv, "--enable-execute-command", "--force-new-deployment"])
    return "start it anew, by aws ecs run-task with --enable-execute-command"


def _owner(task: Mapping[str, Any]) -> str:
    """The service that keeps the task, else the family of its definition."""
    kind, _, name = (decode.text(task.get("group")) or "").partition(":")
    if kind == "service" and name:
        return name
    family = (_last(task.get("taskDefinitionArn")) or "").partition(":")[0]
    return family or name or "task"


def _interface_details(task: Mapping[str, Any]) -> dict[str, object]:
    for each in decode.entries(task.get("attachments")):
        if each.get("type") == "ElasticNetworkInterface":
            return {str(detail.get("name")): detail.get("value") for detail in decode.entries(each.get("details"))}
    return {}


def _address(container: Mapping[str, Any]) -> str | None:
    found = (decode.address(e.get("privateIpv4Address")) for e in decode.entries(container.get("networkInterfaces")))
    return next(filter(None, found), None)


def _platform(family: str) -> Platform | None:
    """`Linux`, `WINDOWS_SERVER_2022_CORE` …; ECS leaves it out on EC2."""
    word = family.casefold()
    return next((each for each in (Platform.LINUX, Platform.WINDOWS) if word.startswith(each.value)), None)


def _account(arn: str) -> str | None:
    parts = arn.split(":")
    return parts[4] or None if len(parts) > 4 else None


def _tags(value: object) -> dict[str, str]:
    """ECS writes `key` and `value` with small letters, as no other service here."""
    return decode.tags([{"Key": each.get("key"), "Value": each.get("value")} for each in decode.entries(value)])


def _last(arn: object) -> str | None:
    """The name at the end of an ARN."""
    return (decode.text(arn) or "").rpartition("/")[2] or None
