"""Databases: private endpoints worth a tunnel, and the relay that reaches each."""

from __future__ import annotations

# Databases are written to files and read back: what their fields are is looked up at run time.
from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass, field, replace
from enum import StrEnum
from heapq import nsmallest
from typing import TYPE_CHECKING

from ssm_tui.domain.access import Verdict
from ssm_tui.domain.contexts import Context  # noqa: TC001
from ssm_tui.domain.ordering import Order, node_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ssm_tui.domain.contexts import Note
    from ssm_tui.domain.networks import SecurityGroup
    from ssm_tui.domain.nodes import Node


class Kind(StrEnum):
    """The AWS service that runs the database."""

    RDS = "rds"
    MULTI_AZ = "multi-az"
    """RDS's Multi-AZ clusters of a writer and two readers, which are no Aurora."""
    AURORA = "aurora"
    PROXY = "rds-proxy"
    ELASTICACHE = "elasticache"
    MEMORYDB = "memorydb"
    REDSHIFT = "redshift"
    REDSHIFT_SERVERLESS = "redshift-serverless"
    DOCDB = "docdb"
    NEPTUNE = "neptune"
    OPENSEARCH = "opensearch"
    OWN = "own"
    """No service of AWS's: a host and port that the user's settings name."""


class Family(StrEnum):
    """The wire protocol, which decides the client, the probe and the connection string."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    REDIS = "redis"
    MEMCACHED = "memcached"
    MONGO = "mongo"
    SQLSERVER = "sqlserver"
    ORACLE = "oracle"
    REDSHIFT = "redshift"
    """PostgreSQL's protocol with drivers, ports and passwords of its own."""
    HTTPS = "https"
    """Engines that are spoken to by HTTP within TLS."""
    OTHER = "other"


class Role(StrEnum):
    """What an endpoint answers as."""

    WRITER = "writer"
    READER = "reader"
    CUSTOM = "custom"
    """An endpoint that the cluster's owner has made of members of their choice."""
    INSTANCE = "instance"
    PRIMARY = "primary"
    """The one that takes writes of a cache that has replicas."""
    NODE = "node"
    PROXY = "proxy"
    WORKGROUP = "workgroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One endpoint. Unknown values are None, or empty where there may be several.

    `id` is what people type: the identifier in AWS; a cluster's reader endpoint is `CLUSTER/reader`. `engine` and
    `version` are AWS's words (`postgres`, `aurora-postgresql`, `mysql`, `redis`, `valkey` …). `tls` is True where the
    server takes nothing else. `ca` is the authority that signed its certificate, by AWS's name (`rds-ca-rsa2048-g1`).
    `secret_arn` is the secret that holds the password: RDS's own for the master user, or the one that the tag
    `ssm-tui:secret` names. `resource_id` is the id in the ARNs that IAM authentication is allowed by. `parent` is the
    cluster or group that an endpoint belongs to. `relay` is the node that the user's own entry names.
    """

    id: str
    context: Context
    account: str | None = None
    kind: Kind
    engine: str
    version: str | None = None
    endpoint: str
    port: int
    role: Role = Role.INSTANCE
    status: str | None = None
    vpc: str | None = None
    subnets: tuple[str, ...] = ()
    az: str | None = None
    security_groups: tuple[str, ...] = ()
    database: str | None = None
    user: str | None = None
    iam_auth: bool | None = None
    tls: bool | None = None
    ca: str | None = None
    secret_arn: str | None = None
    resource_id: str | None = None
    parent: str | None = None
    relay: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What a target may also say: the endpoint."""
        return self.endpoint

    @property
    def key(self) -> tuple[Context, str]:
        """The database's identity among all contexts."""
        return self.context, self.id

    @property
    def family(self) -> Family:
        """The wire protocol, by AWS's engine name."""
        return next((family for sign, family in _FAMILIES if sign in self.engine.casefold()), Family.OTHER)

    def words(self) -> Iterable[str]:
        """What a bare word of a filter is looked up in."""
        yield self.id
        yield self.endpoint
        yield self.engine
        for key, value in self.tags.items():
            yield f"{key}={value}"

    def values(self, field_name: str) -> tuple[str, ...]:
        """The texts that `field_name:` compares with; KeyError for a name not in DATABASE_FIELDS."""
        return tuple(text for text in DATABASE_FIELDS[field_name](self) if text)


_FAMILIES = (
    ("postgres", Family.POSTGRES),
    ("mysql", Family.MYSQL),
    ("mariadb", Family.MYSQL),
    ("redis", Family.REDIS),
    ("valkey", Family.REDIS),
    ("memcached", Family.MEMCACHED),
    ("docdb", Family.MONGO),
    ("mongo", Family.MONGO),
    ("sqlserver", Family.SQLSERVER),
    ("oracle", Family.ORACLE),
    ("redshift", Family.REDSHIFT),
    ("opensearch", Family.HTTPS),
    ("elasticsearch", Family.HTTPS),
    ("neptune", Family.HTTPS),
    ("https", Family.HTTPS),
)

DATABASE_FIELDS: Mapping[str, Callable[[Database], tuple[str | None, ...]]] = {
    "id": lambda d: (d.id,),
    "kind": lambda d: (d.kind.value,),
    "engine": lambda d: (d.engine,),
    "version": lambda d: (d.version,),
    "endpoint": lambda d: (d.endpoint,),
    "port": lambda d: (str(d.port),),
    "role": lambda d: (d.role.value,),
    "status": lambda d: (d.status,),
    "vpc": lambda d: (d.vpc,),
    "az": lambda d: (d.az,),
    "sg": lambda d: d.security_groups,
    "database": lambda d: (d.database,),
    "user": lambda d: (d.user,),
    "profile": lambda d: (d.context.profile,),
    "region": lambda d: (d.context.region,),
    "account": lambda d: (d.account,),
}


@dataclass(frozen=True, slots=True)
class DatabasePage:
    """Some databases of a context, the security groups that guard them, and what could not be read."""

    databases: tuple[Database, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()
    notes: tuple[Note, ...] = ()


class Reachable(StrEnum):
    """Whether a relay was found that reaches the database."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Relay:
    """The node chosen to reach a database through (None where there is none), the verdict, and why in one line.

    `others` are the next best, for the time when that node is gone: none of which is known not to reach it.
    """

    node: Node | None
    reachable: Reachable
    why: str
    others: tuple[Node, ...] = ()


OTHERS = 3  # relays that are kept beside the one chosen


# The documented floor of AWS-StartPortForwardingSessionToRemoteHost (Systems Manager User Guide, "Start a session").
REMOTE_HOST_FLOOR = (3, 1, 1374, 0)


def choose_relay(database: Database, nodes: Sequence[Node], groups: Mapping[str, SecurityGroup]) -> Relay:
    """The best relay among `nodes` by the simplest honest rule: in the database's VPC, online, allowed to forward to a
    remote host, and admitted by the database's security groups where those could be read.

    `groups` are the security groups known, by id. A candidate of which something is unknown stands behind every one
    that is known to reach the database, and a container behind every machine: tasks are replaced with each deployment.
    Among equals the one that shares most tags with the database (its env, its team), then the name decides, so that
    the choice stays the same from read to read.
    """
    near = [n for n in nodes if n.vpc and n.vpc == database.vpc and n.context.region == database.context.region]
    if database.vpc is None:
        return Relay(None, Reachable.UNKNOWN, "the database's VPC is not known")
    if not near:
        return Relay(None, Reachable.NO, f"no node that Systems Manager knows is in {database.vpc}")
    online = [n for n in near if n.online]
    if not online:
        return Relay(None, Reachable.NO, f"none of the {len(near)} nodes in {database.vpc} is online")
    able = [n for n in online if forwards_to_hosts(n)]
    if not able:
        return Relay(None, Reachable.NO, f"the agents in {database.vpc} are older than {_text(REMOTE_HOST_FLOOR)}")
    may = [n for n in able if n.access.remote.verdict is not Verdict.DENIED]
    if not may:
        why = able[0].access.remote.reason
        return Relay(None, Reachable.NO, f"you may not forward through any of {len(able)} nodes in its VPC: {why}")
    judged = (_judge(database, node, groups) for node in may)
    best, *rest = nsmallest(1 + OTHERS, judged, key=lambda relay: _rank(database, relay))
    others = (relay.node for relay in rest if relay.reachable is not Reachable.NO)
    return replace(best, others=tuple(node for node in others if node is not None))


def forwards_to_hosts(node: Node) -> bool:
    """Whether the agent is new enough to forward to a remote host; one whose version is not known gets the benefit."""
    version = [int(part) for part in (node.agent_version or "").split(".") if part.isdecimal()]
    return not version or tuple(version) >= REMOTE_HOST_FLOOR


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _judge(database: Database, node: Node, groups: Mapping[str, SecurityGroup]) -> Relay:
    guards = [groups.get(group) for group in database.security_groups]
    known = [guard for guard in guards if guard is not None]
    rule = next(filter(None, (guard.admits(node, database.port) for guard in known)), None)
    if rule is None and guards and len(known) == len(guards):
        names = ", ".join(database.security_groups)
        return Relay(node, Reachable.NO, f"{names} admits no node of its VPC that you may use on port {database.port}")
    if node.access.remote.verdict is Verdict.UNKNOWN:
        return Relay(
            node, Reachable.UNKNOWN, f"whether you may use {node.label} is not known: {node.access.remote.reason}"
        )
    if rule is None:
        return Relay(node, Reachable.UNKNOWN, f"{node.label} is in its VPC; the security groups could not be read")
    return Relay(node, Reachable.YES, f"{node.label} is online in its VPC, you may use it, and {rule}")


_ORDER = (Reachable.YES, Reachable.UNKNOWN, Reachable.NO)


def _rank(database: Database, relay: Relay) -> tuple[int, bool, int, Order]:
    assert relay.node is not None  # noqa: S101 - _judge always names the node
    shared = len(database.tags.items() & relay.node.tags.items())
    return _ORDER.index(relay.reachable), relay.node.container, -shared, node_order(relay.node)
