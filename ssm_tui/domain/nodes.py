"""Nodes: the machines that Systems Manager manages or could manage, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ssm_tui.domain.access import NO_ANSWERS, Access
from ssm_tui.domain.kinds import NodeKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from ssm_tui.domain.contexts import Context, Note


class Ping(StrEnum):
    """The agent's state as SSM reports it (PingStatus); UNMANAGED where SSM does not know the instance or ECS Exec does
    not enter the container, UNKNOWN where SSM would not say."""

    ONLINE = "Online"
    LOST = "ConnectionLost"
    INACTIVE = "Inactive"
    UNMANAGED = "Unmanaged"
    UNKNOWN = "Unknown"


class Platform(StrEnum):
    """The operating system's family (SSM PlatformType, in lower case)."""

    LINUX = "linux"
    WINDOWS = "windows"
    MACOS = "macos"


class NodeKey(NamedTuple):
    """What tells nodes of several contexts apart."""

    context: Context
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. Unknown values are None, or empty where there may be several.

    `id` is `i-…` (EC2), `mi-…` (hybrid) or `ecs:…` (a container, see domain.containers). `name` is the Name tag, else
    the computer's own name, else empty; a container's is `SERVICE/CONTAINER`. Times are aware, in UTC. `role` is the
    instance profile's, activation's or task's role name. `missing` is what stands in the way of sessions as far as AWS
    tells, a sentence each, with what to do.
    """

    id: str
    context: Context
    account: str | None = None
    name: str = ""
    ping: Ping = Ping.UNKNOWN
    last_ping: datetime | None = None
    state: str | None = None
    platform: Platform | None = None
    os: str | None = None
    agent_version: str | None = None
    ip: str | None = None
    vpc: str | None = None
    subnet: str | None = None
    az: str | None = None
    role: str | None = None
    instance_type: str | None = None
    launched: datetime | None = None
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    access: Access = NO_ANSWERS
    cluster: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def key(self) -> NodeKey:
        """The node's identity among all contexts."""
        return NodeKey(self.context, self.id)

    @property
    def label(self) -> str:
        """For messages: the name with the id, or the id alone."""
        return f"{self.name} ({self.id})" if self.name else self.id

    @property
    def kind(self) -> NodeKind:
        """By the id, as every source gives it."""
        return kind_of(self.id)

    @property
    def hybrid(self) -> bool:
        """Registered by an activation; EC2 does not know it."""
        return self.kind is NodeKind.HYBRID

    @property
    def container(self) -> bool:
        """A container of an ECS task."""
        return self.kind is NodeKind.ECS

    @property
    def managed(self) -> bool:
        """Known to Systems Manager, or not known not to be. What is not managed takes no session."""
        return self.ping is not Ping.UNMANAGED

    @property
    def online(self) -> bool:
        """The agent answers, so a session can be started."""
        return self.ping is Ping.ONLINE

    def words(self) -> Iterable[str]:
        """What a bare word of a filter is looked up in: name, id, address, tags."""
        yield self.name
        yield self.id
        yield self.ip or ""
        for key, value in self.tags.items():
            yield f"{key}={value}"

    def values(self, field_name: str) -> tuple[str, ...]:
        """The texts that `field_name:` compares with; KeyError for a name not in NODE_FIELDS."""
        return tuple(text for text in NODE_FIELDS[field_name](self) if text)


NODE_FIELDS: Mapping[str, Callable[[Node], tuple[str | None, ...]]] = {
    "id": lambda n: (n.id,),
    "name": lambda n: (n.name,),
    "kind": lambda n: (n.kind.value,),
    "cluster": lambda n: (n.cluster,),
    "ping": lambda n: (n.ping.value,),
    "state": lambda n: (n.state,),
    "os": lambda n: (n.platform and n.platform.value, n.os),
    "platform": lambda n: (n.platform and n.platform.value,),
    "agent": lambda n: (n.agent_version,),
    "ip": lambda n: (n.ip,),
    "vpc": lambda n: (n.vpc,),
    "subnet": lambda n: (n.subnet,),
    "az": lambda n: (n.az,),
    "sg": lambda n: n.security_groups,
    "role": lambda n: (n.role,),
    "type": lambda n: (n.instance_type,),
    "profile": lambda n: (n.context.profile,),
    "region": lambda n: (n.context.region,),
    "account": lambda n: (n.account,),
    "access": lambda n: n.access.terms(),
}


@dataclass(frozen=True, slots=True)
class NodePage:
    """Some nodes of a context as they are known so far, and what could not be read.

    A node may come again in a later page with more known of it (tags after pings, say): the later one replaces it.
    """

    nodes: tuple[Node, ...]
    notes: tuple[Note, ...] = ()
    waiting: str = ""
    """What AWS makes us wait for now, in words; a later page without ends it."""
