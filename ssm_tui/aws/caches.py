"""ElastiCache's endpoints as databases: replication groups by role, and nodes that stand alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.domain.databases import Database, Kind, Role
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Context

PAGE = 100


@dataclass(frozen=True, slots=True)
class _Network:
    """What a replication group leaves to its members to tell."""

    engine: str | None = None
    version: str | None = None
    vpc: str | None = None
    groups: tuple[str, ...] = ()


def read(gateway: Gateway, context: Context, account: str | None) -> Iterator[list[Database]]:
    """Single nodes, then replication groups, whose network and engine their member clusters tell. Raises AwsError."""
    vpcs = _networks(gateway)
    members: dict[str, _Network] = {}
    for page in gateway.pages("elasticache", "describe_cache_clusters", page_size=PAGE, ShowCacheNodeInfo=True):
        found = list(decode.entries(page.get("CacheClusters")))
        for each in found:
            if group := decode.text(each.get("ReplicationGroupId")):
                members[group] = _network(each, vpcs)
        yield [database for each in found for database in cluster(each, context, account, vpcs)]
    for page in gateway.pages("elasticache", "describe_replication_groups", page_size=PAGE):
        yield [
            database
            for each in decode.entries(page.get("ReplicationGroups"))
            for database in replication_group(each, context, account, members)
        ]


def _networks(gateway: Gateway) -> dict[str, str]:
    """The VPC of each subnet group; none where that is denied: the caches are worth listing without it."""
    vpcs: dict[str, str] = {}
    try:
        for page in gateway.pages("elasticache", "describe_cache_subnet_groups", page_size=PAGE):
            for each in decode.entries(page.get("CacheSubnetGroups")):
                name, vpc = decode.text(each.get("CacheSubnetGroupName")), decode.text(each.get("VpcId"))
                if name and vpc:
                    vpcs[name] = vpc
    except AwsError:
        return {}
    return vpcs


def _network(each: Mapping[str, Any], vpcs: Mapping[str, str]) -> _Network:
    groups = [group.get("SecurityGroupId") for group in decode.entries(each.get("SecurityGroups"))]
    return _Network(
        decode.text(each.get("Engine")),
        decode.text(each.get("EngineVersion")),
        vpcs.get(str(each.get("CacheSubnetGroupName"))),
        decode.texts(groups),
    )


def cluster(
    each: Mapping[str, Any], context: Context, account: str | None, vpcs: Mapping[str, str]
) -> Iterator[Database]:
    """A cache cluster outside replication groups: its configuration endpoint, or its one node's."""
    name = decode.text(each.get("CacheClusterId"))
    if not name or decode.text(each.get("ReplicationGroupId")):
        return
    nodes = [node.get("Endpoint") for node in decode.entries(each.get("CacheNodes"))]
    end = next(filter(_usable, [each.get("ConfigurationEndpoint"), *nodes]), None)
    if end is not None:
        yield _database(name, end, Role.INSTANCE, each, context, account, _network(each, vpcs), "CacheClusterStatus")


def replication_group(
    each: Mapping[str, Any], context: Context, account: str | None, members: Mapping[str, _Network]
) -> Iterator[Database]:
    """A replication group's endpoints: primary under its name, readers as `GROUP/reader`; one in cluster mode has a
    single configuration endpoint."""
    name = decode.text(each.get("ReplicationGroupId"))
    if not name:
        return
    network = members.get(name, _Network())
    if _usable(each.get("ConfigurationEndpoint")):
        end = each["ConfigurationEndpoint"]
        yield _database(name, end, Role.WRITER, each, context, account, network, "Status")
        return
    for shard in decode.entries(each.get("NodeGroups")):
        for identifier, key, role in (
            (name, "PrimaryEndpoint", Role.WRITER),
            (f"{name}/reader", "ReaderEndpoint", Role.READER),
        ):
            if _usable(shard.get(key)):
                yield _database(identifier, shard[key], role, each, context, account, network, "Status")


def _usable(end: object) -> bool:
    return bool(decode.text(decode.entry(end).get("Address")) and decode.port(decode.entry(end).get("Port")))


def _database(
    identifier: str,
    end: Mapping[str, Any],
    role: Role,
    each: Mapping[str, Any],
    context: Context,
    account: str | None,
    network: _Network,
    status: str,
) -> Database:
    return Database(
        id=identifier,
        context=context,
        account=account,
        kind=Kind.ELASTICACHE,
        engine=decode.text(each.get("Engine")) or network.engine or "redis",
        version=network.version,
        endpoint=str(end["Address"]),
        port=int(end["Port"]),
        role=role,
        status=decode.text(each.get(status)),
        vpc=network.vpc,
        security_groups=network.groups,
        tls=decode.flag(each.get("TransitEncryptionEnabled")),
    )
