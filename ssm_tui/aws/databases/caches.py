"""ElastiCache's endpoints as databases: replication groups by role, nodes that stand alone, and serverless caches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import NOWHERE, Network, groups, secret, the_same
from ssm_tui.domain.databases import Kind, Role
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage

    Tags = Mapping[str, Mapping[str, str]]

_NO_TAGS: Tags = {}


@dataclass(frozen=True, slots=True)
class Member:
    """What a replication group leaves to its member clusters to tell."""

    engine: str | None = None
    version: str | None = None
    network: Network = NOWHERE
    groups: tuple[str, ...] = ()


def read(source: Source) -> Iterator[DatabasePage]:
    """Single nodes, then replication groups, whose network and engine their member clusters tell. Raises AwsError,
    after what could be read."""
    denied: AwsError | None = None
    networks: dict[str, Network] | None = None
    members: dict[str, Member] = {}
    tags = _Tags(source)
    try:
        for page in source.pages("elasticache", "describe_cache_clusters", "CacheClusters", ShowCacheNodeInfo=True):
            if page and networks is None:
                networks = _networks(source)
            known = networks or {}
            members |= {
                group: member(each, known) for each in page if (group := decode.text(each.get("ReplicationGroupId")))
            }
            yield source.page(each for raw in page for each in cluster(raw, source.owner, known, tags.of(page)))
    except AwsError as error:
        denied = error
    for page in source.pages("elasticache", "describe_replication_groups", "ReplicationGroups"):
        yield source.page(each for raw in page for each in replication_group(raw, source.owner, members, tags.of(page)))
    if denied is not None:
        raise denied


class _Tags:
    """The tags of clusters and groups, read once there is one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._told: Tags | None = None

    def of(self, page: Sequence[Raw]) -> Tags:
        """By ARN, what a page needs."""
        if page and self._told is None:
            self._told = self._source.tags("ElastiCache", "elasticache:cluster", "elasticache:replicationgroup")
        return self._told or _NO_TAGS


def _networks(source: Source) -> dict[str, Network]:
    """The network of each subnet group."""
    told = source.beside(
        "the subnet groups of ElastiCache", "elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"
    )
    return {
        name: Network(
            decode.text(each.get("VpcId")),
            decode.texts([subnet.get("SubnetIdentifier") for subnet in decode.entries(each.get("Subnets"))]),
        )
        for each in told
        if (name := decode.text(each.get("CacheSubnetGroupName")))
    }


def member(each: Raw, networks: Mapping[str, Network]) -> Member:
    """A cache cluster as a part of a replication group."""
    return Member(
        decode.text(each.get("Engine")),
        decode.text(each.get("EngineVersion")),
        networks.get(str(each.get("CacheSubnetGroupName")), NOWHERE),
        groups(each.get("SecurityGroups"), "SecurityGroupId"),
    )


def cluster(each: Raw, owner: Owner, networks: Mapping[str, Network], tags: Tags = _NO_TAGS) -> Iterator[Database]:
    """A cache cluster outside replication groups: its configuration endpoint (Memcached) or its one node's; of several
    nodes each as `CLUSTER/NODE` too, for a client that is led to one by its name cannot follow through a tunnel."""
    name = decode.text(each.get("CacheClusterId"))
    if not name or decode.text(each.get("ReplicationGroupId")):
        return
    facts = _facts(each, member(each, networks), tags, status="CacheClusterStatus")
    nodes = [node for node in decode.entries(each.get("CacheNodes")) if _usable(node.get("Endpoint"))]
    ends = [each.get("ConfigurationEndpoint"), *(node.get("Endpoint") for node in nodes)]
    first = next(filter(_usable, ends), None)
    if first is None:
        return
    zones = [decode.text(node.get("CustomerAvailabilityZone")) for node in nodes]
    yield owner.database(id=name, role=Role.INSTANCE, az=the_same(zones), **_end(first), **facts)
    for node, zone in zip(nodes, zones, strict=True) if len(nodes) > 1 else ():
        if number := decode.text(node.get("CacheNodeId")):
            end = _end(node["Endpoint"])
            yield owner.database(id=f"{name}/{number}", role=Role.NODE, az=zone, parent=name, **end, **facts)


def replication_group(
    each: Raw, owner: Owner, members: Mapping[str, Member], tags: Tags = _NO_TAGS
) -> Iterator[Database]:
    """A replication group's endpoints: primary under its name, readers as `GROUP/reader`; one in cluster mode has a
    single configuration endpoint."""
    name = decode.text(each.get("ReplicationGroupId"))
    if not name:
        return
    facts = _facts(each, members.get(name, Member()), tags, status="Status")
    if _usable(each.get("ConfigurationEndpoint")):
        yield owner.database(id=name, role=Role.WRITER, **_end(each["ConfigurationEndpoint"]), **facts)
        return
    for shard in decode.entries(each.get("NodeGroups")):
        zones: dict[str, list[str | None]] = {}
        for part in decode.entries(shard.get("NodeGroupMembers")):
            zones.setdefault(str(part.get("CurrentRole")), []).append(
                decode.text(part.get("PreferredAvailabilityZone"))
            )
        for identifier, key, role, parts in (
            (name, "PrimaryEndpoint", Role.WRITER, "primary"),
            (f"{name}/reader", "ReaderEndpoint", Role.READER, "replica"),
        ):
            if _usable(shard.get(key)):
                yield owner.database(
                    id=identifier,
                    role=role,
                    az=the_same(zones.get(parts, [])),
                    parent=None if identifier == name else name,
                    **_end(shard[key]),
                    **facts,
                )


def read_serverless(source: Source) -> Iterator[DatabasePage]:
    """Serverless caches, of any engine. Raises AwsError."""
    tags: Tags = {}
    vpcs: Mapping[str, str] = {}
    first = True
    for page in source.pages("elasticache", "describe_serverless_caches", "ServerlessCaches"):
        if page and first:
            first, tags = False, source.tags("serverless caches", "elasticache:serverlesscache")
        unknown = {subnet for each in page for subnet in decode.texts(each.get("SubnetIds"))} - set(vpcs)
        vpcs = {**vpcs, **source.networks(unknown)}
        yield source.page(each for raw in page for each in serverless(raw, source.owner, vpcs, tags))


def serverless(each: Raw, owner: Owner, vpcs: Mapping[str, str], tags: Tags = _NO_TAGS) -> Iterator[Database]:
    """A serverless cache's endpoint, and `CACHE/reader`. It takes nothing but TLS (ElastiCache user guide, "In-transit
    encryption"). `vpcs` are by subnet."""
    name = decode.text(each.get("ServerlessCacheName"))
    if not name:
        return
    subnets = decode.texts(each.get("SubnetIds"))
    own = tags.get(str(each.get("ARN")), {})
    for identifier, key, role in ((name, "Endpoint", Role.WRITER), (f"{name}/reader", "ReaderEndpoint", Role.READER)):
        if _usable(each.get(key)):
            yield owner.database(
                id=identifier,
                kind=Kind.ELASTICACHE,
                engine=decode.text(each.get("Engine")) or "redis",
                version=decode.text(each.get("FullEngineVersion")) or decode.text(each.get("MajorEngineVersion")),
                role=role,
                status=decode.text(each.get("Status")),
                vpc=the_same(vpcs.get(subnet) for subnet in subnets),
                subnets=subnets,
                security_groups=decode.texts(each.get("SecurityGroupIds")),
                iam_auth=None if decode.text(each.get("UserGroupId")) else False,
                tls=True,
                secret_arn=secret(own),
                parent=None if identifier == name else name,
                tags=own,
                **_end(each[key]),
            )


def _usable(end: object) -> bool:
    return bool(decode.text(decode.entry(end).get("Address")) and decode.port(decode.entry(end).get("Port")))


def _end(end: Raw) -> dict[str, Any]:
    return {"endpoint": str(end["Address"]), "port": int(end["Port"])}


def _facts(each: Raw, part: Member, tags: Tags, *, status: str) -> dict[str, Any]:
    """What all endpoints of a cluster or group have in common."""
    own = tags.get(str(each.get("ARN")), {})
    return {
        "kind": Kind.ELASTICACHE,
        "engine": decode.text(each.get("Engine")) or part.engine or "redis",
        "version": part.version,
        "status": decode.text(each.get(status)),
        "vpc": part.network.vpc,
        "subnets": part.network.subnets,
        "security_groups": part.groups,
        # Users come with tokens by a user group alone; which of its users do is not told here.
        "iam_auth": None if decode.texts(each.get("UserGroupIds")) else False,
        "tls": _tls(each),
        "secret_arn": secret(own),
        "tags": own,
    }


def _tls(each: Raw) -> bool | None:
    """Whether TLS is required: in the mode `preferred` clients without it are taken too."""
    offered = decode.flag(each.get("TransitEncryptionEnabled"))
    return offered and str(each.get("TransitEncryptionMode")).lower() != "preferred"
