"""Systems Manager's own register of managed nodes, kept in step with the live EC2 and IAM state at every look.

An instance registers itself, as AWS's agent does, once it runs with an agent, has a role that allows it and a way to
the service; it loses its connection when any of these goes, and leaves the register when it is terminated. Hybrid
nodes are here alone: EC2 does not know them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moto.iam.models import iam_backends

from ssm_tui.demo import containers
from ssm_tui.demo.landscape import Machine, machine, machines, reaches_systems_manager
from ssm_tui.demo.policy import Request, evaluate
from ssm_tui.demo.principals import partition_of, role_policies

if TYPE_CHECKING:
    from collections.abc import Mapping

LATEST_AGENT = "3.3.987.0"
# What the agent calls to say that it is there; AmazonSSMManagedInstanceCore allows it.
_REGISTERING = "ssm:UpdateInstanceInformation"


@dataclass(frozen=True, slots=True)
class Agent:
    """What the agent on a machine says about itself and its system. `stopped_since`: it no longer answers."""

    version: str = LATEST_AGENT
    platform_type: str = "Linux"
    platform_name: str = "Amazon Linux"
    platform_version: str = "2023"
    stopped_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hybrid:
    """A machine outside EC2 that was registered with an activation."""

    name: str
    address: str
    activation: str
    role: str


@dataclass(slots=True)
class ManagedNode:
    """One registered node; mutable, because that is what the register keeps."""

    id: str
    account: str
    region: str
    agent: Agent
    registered: datetime
    machine: Machine | None = None
    hybrid: Hybrid | None = None
    lost_since: datetime | None = None
    role: str = ""
    own_tags: dict[str, str] = field(default_factory=dict)
    """Tags that Systems Manager keeps itself, for hybrid nodes."""

    @property
    def ping(self) -> str:
        return "Online" if self.lost_since is None else "ConnectionLost"

    @property
    def last_ping(self) -> datetime:
        return self.lost_since or datetime.now(UTC)

    @property
    def computer_name(self) -> str:
        if self.hybrid is not None:
            return self.hybrid.name
        return f"{self.machine.hostname}.{self.region}.compute.internal" if self.machine else ""

    @property
    def hostname(self) -> str:
        """What the machine calls itself in its own prompt; a hybrid node's name may be no host name at all."""
        if self.hybrid is not None:
            return f"host-{self.hybrid.address.replace('.', '-')}"
        return self.machine.hostname if self.machine else self.id

    @property
    def address(self) -> str:
        return self.hybrid.address if self.hybrid is not None else (self.machine.private_ip if self.machine else "")


@dataclass(slots=True)
class Registry:
    """All managed nodes of all regions."""

    _nodes: dict[tuple[str, str, str], ManagedNode] = field(default_factory=dict)
    _agents: dict[str, Agent] = field(default_factory=dict)

    def install_agent(self, instance_id: str, agent: Agent) -> None:
        """Says what runs on an instance; one that nobody installed anything on runs the agent of Amazon's images."""
        self._agents[instance_id] = agent

    def register_hybrid(
        self, node_id: str, account: str, region: str, agent: Agent, hybrid: Hybrid, registered: datetime
    ) -> None:
        self._nodes[account, region, node_id] = ManagedNode(
            node_id, account, region, agent, registered, hybrid=hybrid, role=hybrid.role, lost_since=agent.stopped_since
        )

    def nodes(self, account: str, region: str) -> list[ManagedNode]:
        """The nodes of a region as of now, ordered by id as the service pages them."""
        self._catch_up(account, region)
        found = [node for (owner, place, _), node in self._nodes.items() if (owner, place) == (account, region)]
        return sorted(found, key=lambda node: node.id)

    def find(self, account: str, region: str, node_id: str) -> ManagedNode | None:
        if node_id.startswith(containers.PREFIX):
            return _entered(account, region, node_id)
        key = (account, region, node_id)
        known = self._nodes.get(key)
        if known is not None and known.hybrid is not None:
            return known
        # One alone is looked at: a session asks for its node several times, and all of them take 15 ms.
        source = machine(account, region, node_id)
        if source is None:
            self._nodes.pop(key, None)
            return None
        self._look_at(source, _registering_role(account, region, source.profile), datetime.now(UTC))
        return self._nodes.get(key)

    def resource_tags(self, account: str, region: str, target: str) -> Mapping[str, str]:
        """The tags of whatever a session is asked for: an instance has them whether it is managed or not."""
        node = self.find(account, region, target)
        if node is not None:
            return node_tags(node)
        found = self.source(account, region, target)
        return found.tags if found is not None else {}

    def source(self, account: str, region: str, target: str) -> Machine | None:
        """What stands in the network for a target; None where it is in none of this cloud's."""
        if not target.startswith(containers.PREFIX):
            return machine(account, region, target)
        found = containers.container(account, region, target)
        return found.machine if found is not None else None

    def whereabouts(self, node_id: str) -> tuple[str, str] | None:
        """Account and region of a node that has registered, or of a container."""
        if node_id.startswith(containers.PREFIX):
            return containers.whereabouts(node_id)
        return next((key[:2] for key in list(self._nodes) if key[2] == node_id), None)

    def _catch_up(self, account: str, region: str) -> None:
        now = datetime.now(UTC)
        allowed: dict[str, str] = {}
        alive = {}
        for each in machines(account, region):
            alive[each.id] = each
            if each.profile not in allowed:
                allowed[each.profile] = _registering_role(account, region, each.profile)
            self._look_at(each, allowed[each.profile], now)
        gone = [
            key
            for key, node in self._nodes.items()
            if key[:2] == (account, region) and node.hybrid is None and node.id not in alive
        ]
        for key in gone:
            del self._nodes[key]

    def _look_at(self, machine: Machine, role: str, now: datetime) -> None:
        key = (machine.account, machine.region, machine.id)
        node = self._nodes.get(key)
        connected = machine.running and bool(role) and reaches_systems_manager(machine)
        if node is None:
            # An agent that has stopped since still registered while it ran.
            if not connected:
                return
            agent = self._agents.get(machine.id) or _default_agent(machine)
            node = ManagedNode(machine.id, machine.account, machine.region, agent, registered=machine.launched)
            self._nodes[key] = node
        node.machine = machine
        node.role = role or node.role
        if node.agent.stopped_since is not None:
            node.lost_since = node.agent.stopped_since
        elif connected:
            node.lost_since = None
        else:
            node.lost_since = node.lost_since or now


def _entered(account: str, region: str, target: str) -> ManagedNode | None:
    """A container that ECS Exec can enter; it is in no list of Systems Manager's, but takes sessions."""
    found = containers.container(account, region, target)
    if found is None or found.agent != "RUNNING":
        return None
    return ManagedNode(
        target, account, region, Agent(), containers.started(found.task), machine=found.machine, role=found.role
    )


def _default_agent(machine: Machine) -> Agent:
    if machine.platform == "windows":
        return Agent(
            platform_type="Windows",
            platform_name="Microsoft Windows Server 2022 Datacenter",
            platform_version="10.0.20348",
        )
    return Agent()


def _registering_role(account: str, region: str, profile_name: str) -> str:
    """The role of an instance profile, if it may register; empty otherwise."""
    profiles = iam_backends[account][partition_of(region)].instance_profiles.values()
    profile = next((each for each in profiles if each.name == profile_name), None) if profile_name else None
    if profile is None or not profile.roles:
        return ""
    name = str(profile.roles[0].name)
    verdict = evaluate(role_policies(account, region, name), Request(_REGISTERING, "*"))
    return name if verdict.allowed else ""


def node_tags(node: ManagedNode) -> Mapping[str, str]:
    """The node's tags: EC2's for an instance, Systems Manager's own for a hybrid node."""
    if node.machine is not None:
        return node.machine.tags
    return node.own_tags
