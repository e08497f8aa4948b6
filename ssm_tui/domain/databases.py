"""Databases: private endpoints worth a tunnel."""

from __future__ import annotations

# Databases are written to files and read back: what their fields are is looked up at run time.
from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ssm_tui.domain.contexts import Context  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssm_tui.domain.contexts import Note
    from ssm_tui.domain.networks import Network


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
        """The database's identity among all contexts: services, and users, give the same names."""
        return self.context, f"{self.kind}:{self.id}@{self.endpoint}"

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
    ("aurora", Family.MYSQL),  # what it was called when it was MySQL alone
)


def yes_no(value: bool | None) -> str | None:
    """A truth value in words; None where it is not known."""
    return None if value is None else "yes" if value else "no"


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
    "subnet": lambda d: d.subnets,
    "az": lambda d: (d.az,),
    "sg": lambda d: d.security_groups,
    "cluster": lambda d: (d.parent,),
    "database": lambda d: (d.database,),
    "user": lambda d: (d.user,),
    "iam": lambda d: (yes_no(d.iam_auth),),
    "tls": lambda d: (yes_no(d.tls),),
    "ca": lambda d: (d.ca,),
    "secret": lambda d: (yes_no(d.secret_arn is not None),),
    "profile": lambda d: (d.context.profile,),
    "region": lambda d: (d.context.region,),
    "account": lambda d: (d.account,),
}


@dataclass(frozen=True, slots=True)
class DatabasePage:
    """Some databases of a context, what is known of the networks around all of them, and what could not be read.
    `unread` are the kinds of which not all are told: one that was not shown may be there all the same."""

    databases: tuple[Database, ...] = ()
    network: Network | None = None
    notes: tuple[Note, ...] = ()
    unread: frozenset[Kind] = frozenset()


class Reachable(StrEnum):
    """Whether a relay was found that reaches the database."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
