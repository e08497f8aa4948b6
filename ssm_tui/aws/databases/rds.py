"""RDS's own databases, Aurora, Multi-AZ clusters, DocumentDB and Neptune: instances, and the endpoints of clusters.

DocumentDB and Neptune have APIs of their own at the same endpoint, with the same lists: DescribeDBInstances and
DescribeDBClusters give both kinds with all others (RDS API reference), so that they are read once, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import NOWHERE, Network, groups, secret, the_same
from ssm_tui.domain.databases import Kind, Role
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage

KINDS = frozenset({Kind.RDS, Kind.MULTI_AZ, Kind.AURORA, Kind.DOCDB, Kind.NEPTUNE})
# The engines whose clusters may have endpoints of their owner's making.
_CUSTOM = frozenset({Kind.AURORA, Kind.NEPTUNE})


@dataclass(frozen=True, slots=True)
class Member:
    """What an instance tells of the cluster that it belongs to: where it stands, and who signed its certificate."""

    cluster: str
    network: Network
    az: str | None = None
    ca: str | None = None


def read(source: Source) -> Iterator[DatabasePage]:
    """Instances, then clusters: a cluster says which member writes, a member says in which network it stands. Raises
    AwsError, after what could be read."""
    denied: list[AwsError] = []
    by_name: dict[str, Raw] = {}
    members: dict[str, Member] = {}
    try:
        clusters = source.all("rds", "describe_db_clusters", "DBClusters")
        by_name = {name: each for each in clusters if (name := decode.text(each.get("DBClusterIdentifier")))}
    except AwsError as error:
        denied.append(error)
    try:
        for page in source.pages("rds", "describe_db_instances", "DBInstances"):
            members |= cluster_members(page)
            yield source.page(instance(each, source.owner, by_name) for each in page)
    except AwsError as error:
        denied.append(error)
    networks = _networks(source, by_name, members)
    custom = _custom_endpoints(source, by_name.values())
    yield source.page(
        database
        for name, each in by_name.items()
        for database in cluster(each, source.owner, members, networks.get(name, NOWHERE), custom.get(name, ()))
    )
    if denied:
        raise denied[0]


def cluster_members(instances: Iterable[Raw]) -> dict[str, Member]:
    """Those of the instances that belong to a cluster, by instance identifier."""
    return {
        name: Member(
            belongs,
            _network(each.get("DBSubnetGroup")),
            decode.text(each.get("AvailabilityZone")),
            _ca(each),
        )
        for each in instances
        if (name := decode.text(each.get("DBInstanceIdentifier")))
        and (belongs := decode.text(each.get("DBClusterIdentifier")))
    }


def _networks(source: Source, clusters: Mapping[str, Raw], members: Mapping[str, Member]) -> dict[str, Network]:
    """Where each cluster stands: by its members, else by its subnet group's name."""
    known = {each.cluster: each.network for each in members.values() if each.network.vpc}
    wanted = {
        name: group
        for name, each in clusters.items()
        if name not in known and (group := decode.text(each.get("DBSubnetGroup")))
    }
    if not wanted:
        return known
    told = source.beside("the subnet groups of RDS clusters", "rds", "describe_db_subnet_groups", "DBSubnetGroups")
    by_group = {decode.text(each.get("DBSubnetGroupName")): _network(each) for each in told}
    return known | {name: by_group[group] for name, group in wanted.items() if group in by_group}


def _custom_endpoints(source: Source, clusters: Iterable[Raw]) -> dict[str, list[Raw]]:
    """The endpoints of their owners' making, by cluster; asked for where there is a cluster that may have some."""
    if not any(_kind(_engine(each), clustered=True) in _CUSTOM for each in clusters):
        return {}
    found: dict[str, list[Raw]] = {}
    for each in source.beside(
        "custom endpoints of clusters", "rds", "describe_db_cluster_endpoints", "DBClusterEndpoints", rows=_CUSTOM
    ):
        if str(each.get("EndpointType")).upper() == "CUSTOM":
            found.setdefault(str(each.get("DBClusterIdentifier")), []).append(each)
    return found


def instance(each: Raw, owner: Owner, clusters: Mapping[str, Raw]) -> Database | None:
    """An instance, of a cluster or by itself; None without an endpoint. `clusters` are those known, by identifier."""
    name, end = decode.text(each.get("DBInstanceIdentifier")), decode.entry(each.get("Endpoint"))
    host, port = decode.text(end.get("Address")), decode.port(end.get("Port"))
    if not (name and host and port):
        return None
    parent = decode.text(each.get("DBClusterIdentifier"))
    around = clusters.get(parent or "", {})
    tags, network = decode.tags(each.get("TagList")), _network(each.get("DBSubnetGroup"))
    return owner.database(
        id=name,
        kind=_kind(_engine(each), clustered=parent is not None),
        engine=_engine(each),
        version=decode.text(each.get("EngineVersion")),
        endpoint=host,
        port=port,
        role=_roles(around).get(name, Role.INSTANCE),
        status=decode.text(each.get("DBInstanceStatus")),
        vpc=network.vpc,
        subnets=network.subnets,
        az=decode.text(each.get("AvailabilityZone")),
        security_groups=groups(each.get("VpcSecurityGroups"), "VpcSecurityGroupId"),
        database=decode.text(each.get("DBName")) or decode.text(around.get("DatabaseName")),
        user=decode.text(each.get("MasterUsername")) or decode.text(around.get("MasterUsername")),
        iam_auth=_iam_auth(around) if around else _iam_auth(each),
        ca=_ca(each),
        secret_arn=secret(tags, each.get("MasterUserSecret") or around.get("MasterUserSecret")),
        # "Creating and using an IAM policy for IAM database access" (RDS and Aurora user guides): a member of a cluster
        # goes by the cluster's.
        resource_id=decode.text(around.get("DbClusterResourceId") if parent else each.get("DbiResourceId")),
        parent=parent,
        tags=tags,
    )


def cluster(
    each: Raw, owner: Owner, members: Mapping[str, Member], network: Network = NOWHERE, custom: Sequence[Raw] = ()
) -> Iterator[Database]:
    """A cluster's endpoints: the writer's under the cluster's name, the readers' as `CLUSTER/reader`, custom ones as
    `CLUSTER/NAME`. What its members have in common, their endpoint has."""
    name, port = decode.text(each.get("DBClusterIdentifier")), decode.port(each.get("Port"))
    if not (name and port):
        return
    roles = _roles(each)
    tags = decode.tags(each.get("TagList"))
    common: dict[str, Any] = {
        "kind": _kind(_engine(each), clustered=True),
        "engine": _engine(each),
        "version": decode.text(each.get("EngineVersion")),
        "port": port,
        "vpc": network.vpc,
        "subnets": network.subnets,
        "security_groups": groups(each.get("VpcSecurityGroups"), "VpcSecurityGroupId"),
        "database": decode.text(each.get("DatabaseName")),
        "user": decode.text(each.get("MasterUsername")),
        "iam_auth": _iam_auth(each),
        "secret_arn": secret(tags, each.get("MasterUserSecret")),
        "resource_id": decode.text(each.get("DbClusterResourceId")),
        "tags": tags,
    }

    def end(identifier: str, host: object, role: Role, status: object, behind: Iterable[str]) -> Iterator[Database]:
        if not (address := decode.text(host)):
            return
        there = [members[member] for member in behind if member in members]
        yield owner.database(
            id=identifier,
            endpoint=address,
            role=role,
            status=decode.text(status),
            az=the_same(member.az for member in there),
            ca=_ca(each) or the_same(member.ca for member in there),
            parent=None if identifier == name else name,
            **common,
        )

    writers = [member for member, role in roles.items() if role is Role.WRITER]
    readers = [member for member, role in roles.items() if role is Role.READER] or writers
    yield from end(name, each.get("Endpoint"), Role.WRITER, each.get("Status"), writers)
    yield from end(f"{name}/reader", each.get("ReaderEndpoint"), Role.READER, each.get("Status"), readers)
    for made in custom:
        if own := decode.text(made.get("DBClusterEndpointIdentifier")):
            behind = decode.texts(made.get("StaticMembers"))
            yield from end(f"{name}/{own}", made.get("Endpoint"), Role.CUSTOM, made.get("Status"), behind)


def _roles(each: Raw) -> dict[str, Role]:
    """What each member of a cluster answers as, by instance identifier."""
    return {
        name: Role.WRITER if member.get("IsClusterWriter") is True else Role.READER
        for member in decode.entries(each.get("DBClusterMembers"))
        if (name := decode.text(member.get("DBInstanceIdentifier")))
    }


def _kind(engine: str, *, clustered: bool) -> Kind:
    if engine.startswith("aurora"):
        return Kind.AURORA
    if engine in ("docdb", "neptune"):
        return Kind(engine)
    return Kind.MULTI_AZ if clustered else Kind.RDS


def _engine(each: Raw) -> str:
    return decode.text(each.get("Engine")) or "unknown"


def _network(group: object) -> Network:
    """Of a DB subnet group."""
    told = decode.entry(group)
    subnets = decode.texts([each.get("SubnetIdentifier") for each in decode.entries(told.get("Subnets"))])
    return Network(decode.text(told.get("VpcId")), subnets)


def _iam_auth(each: Raw) -> bool | None:
    return decode.flag(each.get("IAMDatabaseAuthenticationEnabled"))


def _ca(each: Raw) -> str | None:
    """The authority of the certificate that is in use; the one that is set may still wait for a restart."""
    used = decode.text(decode.entry(each.get("CertificateDetails")).get("CAIdentifier"))
    return used or decode.text(each.get("CACertificateIdentifier"))
