"""The live ECS state as plain values: the containers of tasks, with the network that their task has. Reads moto.

Moto's tasks have one container and know no ECS Exec; here they have those of their definition, and what ECS tells of
each follows from how the task was started, what its role allows and whether it reaches Systems Manager.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends
from moto.ecs.models import ecs_backends

from ssm_tui.demo.landscape import Machine, reaches_systems_manager
from ssm_tui.demo.policy import Request, evaluate
from ssm_tui.demo.principals import role_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.demo.policy_conditions import Values

PREFIX = "ecs:"
# What the agent in a container calls to be there ("Task IAM role permissions for ECS Exec" in the ECS developer guide).
_CHANNELS = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a running task. `machine` is its task in the network; None without an interface of its own."""

    name: str
    runtime: str
    task: Any
    """Moto's."""
    role: str
    machine: Machine | None

    @property
    def id(self) -> str:
        """As StartSession's Target."""
        return f"{PREFIX}{self.task.cluster_name}_{self.task.id}_{self.runtime}"

    @property
    def exec_enabled(self) -> bool:
        return bool(getattr(self.task, "exec_enabled", False))

    @property
    def agent(self) -> str:
        """The lastStatus of the ExecuteCommandAgent; empty where there is none."""
        if not self.exec_enabled:
            return ""
        connected = self.machine is None or reaches_systems_manager(self.machine)
        return "RUNNING" if connected and self._role_allows() else "STOPPED"

    def _role_allows(self) -> bool:
        account, region = self.task._account_id, self.task.region_name  # noqa: SLF001 -- moto's
        policies = role_policies(account, region, self.role) if self.role else ()
        return all(evaluate(policies, Request(f"ssmmessages:{each}", "*")).allowed for each in _CHANNELS)


def tasks(account: str, region: str, cluster: str) -> list[Any]:
    """The running tasks of a cluster, as moto has them."""
    return [each for each in ecs_backends[account][region].tasks.get(cluster, {}).values() if running(each)]


def running(task: Any) -> bool:
    """Moto starts tasks as running, and moves those alone that are told to stop."""
    return bool(task.desired_status == "RUNNING")


def containers_of(task: Any) -> list[Container]:
    """The containers of a task, as its definition names them."""
    definition = ecs_backends[task._account_id][task.region_name].describe_task_definition(  # noqa: SLF001 -- moto's
        task.task_definition_arn
    )
    role = str(task.overrides.get("taskRoleArn") or getattr(definition, "task_role_arn", "")).rpartition("/")[2]
    found = []
    for each in definition.container_definitions:
        name = str(each["name"])
        number = int.from_bytes(hashlib.sha256(f"{task.id}/{name}".encode()).digest()[:4])
        runtime = f"{task.id}-{number:010}"
        target = f"{PREFIX}{task.cluster_name}_{task.id}_{runtime}"
        found.append(Container(name, runtime, task, role, _machine(task, target)))
    return found


def container(account: str, region: str, target: str) -> Container | None:
    """A container of a running task by its id."""
    return next((each for each in _all(account, region) if each.id == target), None)


def whereabouts(target: str) -> tuple[str, str] | None:
    """Account and region of a container."""
    for account in list(ecs_backends.keys()):
        for region in list(ecs_backends[account].keys()):
            if container(account, region, target) is not None:
                return account, region
    return None


def _all(account: str, region: str) -> Iterator[Container]:
    for cluster in list(ecs_backends[account][region].tasks):
        for task in tasks(account, region, cluster):
            yield from containers_of(task)


def interface(task: Any) -> Any:
    """The task's network interface as EC2 has it; None where it has none."""
    details = {each["name"]: each["value"] for attached in task.attachments for each in attached["details"]}
    return ec2_backends[task._account_id][task.region_name].enis.get(details.get("networkInterfaceId", ""))  # noqa: SLF001


def _machine(task: Any, target: str) -> Machine | None:
    found = interface(task)
    if found is None:
        return None
    address = str(found.private_ip_address)
    return Machine(
        id=target,
        account=task._account_id,  # noqa: SLF001 -- moto's
        region=task.region_name,
        state="running",
        vpc=found.subnet.vpc_id,
        subnet=found.subnet.id,
        zone=found.subnet.availability_zone,
        private_ip=address,
        public_ip="",
        hostname=f"ip-{address.replace('.', '-')}",
        groups=tuple(group.id for group in found.group_set or ()),
        profile="",
        platform="",
        instance_type=task.launch_type,
        key_name=None,
        architecture="x86_64",
        image="",
        launched=started(task),
        tags={each["key"]: each["value"] for each in task.tags},
    )


def started(task: Any) -> datetime:
    """When it was; moto does not say, so whoever starts a task here notes it."""
    found = getattr(task, "started", None)
    return found if isinstance(found, datetime) else datetime.now(UTC)


def tag_keys(tags: Mapping[str, str]) -> dict[str, Values]:
    """A task's tags as the condition keys of ECS's calls."""
    return {f"{prefix}:ResourceTag/{key}": (value,) for prefix in ("aws", "ecs") for key, value in tags.items()}
