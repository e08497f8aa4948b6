"""Reads a context's databases: RDS, RDS Proxy and ElastiCache at once, then the networks around them.

Decoding is pure and tolerant, as in `decode`: what has no endpoint (being created, say) is left out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import caches, decode
from ssm_tui.aws.networks import read_network
from ssm_tui.aws.streams import merged
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.databases import Database, DatabasePage, Kind, Role
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Context

# The most that RDS and ElastiCache give a page.
PAGE = 100


def read_databases(gateway: Gateway, context: Context, account: str | None) -> Iterator[DatabasePage]:
    """The databases as they come, then the networks around them. A service that says no becomes a note.

    Raises AwsError where none of the services could be read.
    """
    sources: tuple[tuple[str, Callable[[], Iterator[list[Database]]]], ...] = (
        ("RDS databases", partial(_rds, gateway, context, account)),
        ("RDS proxies", partial(_proxies, gateway, context, account)),
        ("ElastiCache", partial(caches.read, gateway, context, account)),
    )
    failures: list[AwsError] = []
    vpcs: set[str] = set()
    for event in merged([partial(_told, name, read) for name, read in sources]):
        if isinstance(event, tuple):
            name, error = event
            failures.append(error)
            if len(failures) == len(sources):
                raise failures[0]
            yield DatabasePage(notes=(Note(f"{name} could not be read: {error.message}", error.hint),))
        else:
            vpcs.update(database.vpc for database in event if database.vpc)
            yield DatabasePage(tuple(event))
    network, note = read_network(gateway, vpcs, account)
    yield DatabasePage(network=network, notes=(note,) if note else ())


def _told(name: str, read: Callable[[], Iterator[list[Database]]]) -> Iterator[list[Database] | tuple[str, AwsError]]:
    try:
        for page in read():
            if page:
                yield page
    except AwsError as error:
        yield name, error


def _rds(gateway: Gateway, context: Context, account: str | None) -> Iterator[list[Database]]:
    """Instances, then clusters: a cluster says which member writes, a member says in which network it stands."""
    denied: AwsError | None = None
    clusters: list[Mapping[str, Any]] = []
    try:
        for page in gateway.pages("rds", "describe_db_clusters", page_size=PAGE):
            clusters.extend(decode.entries(page.get("DBClusters")))
    except AwsError as error:
        denied = error
    roles = member_roles(clusters)
    networks: dict[str, str] = {}
    for page in gateway.pages("rds", "describe_db_instances", page_size=PAGE):
        instances = list(decode.entries(page.get("DBInstances")))
        networks |= cluster_networks(instances)
        yield [found for each in instances if (found := instance(each, context, account, roles))]
    networks |= _subnet_group_networks(gateway, clusters, networks)
    yield [found for each in clusters for found in cluster(each, context, account, networks)]
    if denied is not None:
        raise denied


def member_roles(clusters: list[Mapping[str, Any]]) -> dict[str, Role]:
    """What each member of a cluster answers as, by instance identifier."""
    return {
        name: Role.WRITER if member.get("IsClusterWriter") is True else Role.READER
        for each in clusters
        for member in decode.entries(each.get("DBClusterMembers"))
        if (name := decode.text(member.get("DBInstanceIdentifier")))
    }


def cluster_networks(instances: list[Mapping[str, Any]]) -> dict[str, str]:
    """The VPC of each cluster, by what its members say."""
    return {
        name: vpc
        for each in instances
        if (name := decode.text(each.get("DBClusterIdentifier")))
        and (vpc := decode.text(decode.entry(each.get("DBSubnetGroup")).get("VpcId")))
    }


def _subnet_group_networks(
    gateway: Gateway, clusters: list[Mapping[str, Any]], known: Mapping[str, str]
) -> dict[str, str]:
    """The VPC of clusters without members that told it, by their subnet group's name."""
    wanted = {
        name: group
        for each in clusters
        if (name := decode.text(each.get("DBClusterIdentifier"))) and name not in known
        and (group := decode.text(each.get("DBSubnetGroup")))
    }  # fmt: skip
    if not wanted:
        return {}
    vpcs: dict[str, str] = {}
    try:
        for page in gateway.pages("rds", "describe_db_subnet_groups", page_size=PAGE):
            for each in decode.entries(page.get("DBSubnetGroups")):
                name, vpc = decode.text(each.get("DBSubnetGroupName")), decode.text(each.get("VpcId"))
                if name and vpc:
                    vpcs[name] = vpc
    except AwsError:
        # The clusters are worth listing without it; their VPC stays unknown, and is shown so.
        return {}
    return {name: vpcs[group] for name, group in wanted.items() if group in vpcs}


def instance(
    each: Mapping[str, Any], context: Context, account: str | None, roles: Mapping[str, Role]
) -> Database | None:
    """An RDS or Aurora instance; None without an endpoint."""
    name, end = decode.text(each.get("DBInstanceIdentifier")), decode.entry(each.get("Endpoint"))
    host, port = decode.text(end.get("Address")), decode.port(end.get("Port"))
    if not (name and host and port):
        return None
    engine = decode.text(each.get("Engine")) or "unknown"
    return Database(
        id=name,
        context=context,
        account=account,
        kind=_kind(engine),
        engine=engine,
        version=decode.text(each.get("EngineVersion")),
        endpoint=host,
        port=port,
        role=roles.get(name, Role.INSTANCE),
        status=decode.text(each.get("DBInstanceStatus")),
        vpc=decode.text(decode.entry(each.get("DBSubnetGroup")).get("VpcId")),
        az=decode.text(each.get("AvailabilityZone")),
        security_groups=_groups(each),
        database=decode.text(each.get("DBName")),
        user=decode.text(each.get("MasterUsername")),
        iam_auth=decode.flag(each.get("IAMDatabaseAuthenticationEnabled")),
        tags=decode.tags(each.get("TagList")),
    )


def cluster(
    each: Mapping[str, Any], context: Context, account: str | None, networks: Mapping[str, str]
) -> Iterator[Database]:
    """A cluster's endpoints: the writer's under the cluster's name, the readers' as `CLUSTER/reader`."""
    name, port = decode.text(each.get("DBClusterIdentifier")), decode.port(each.get("Port"))
    engine = decode.text(each.get("Engine")) or "unknown"
    if not (name and port):
        return
    ends = ((name, "Endpoint", Role.WRITER), (f"{name}/reader", "ReaderEndpoint", Role.READER))
    for identifier, key, role in ends:
        host = decode.text(each.get(key))
        if not host:
            continue
        yield Database(
            id=identifier,
            context=context,
            account=account,
            kind=_kind(engine),
            engine=engine,
            version=decode.text(each.get("EngineVersion")),
            endpoint=host,
            port=port,
            role=role,
            status=decode.text(each.get("Status")),
            vpc=networks.get(name),
            security_groups=_groups(each),
            database=decode.text(each.get("DatabaseName")),
            user=decode.text(each.get("MasterUsername")),
            iam_auth=decode.flag(each.get("IAMDatabaseAuthenticationEnabled")),
            tags=decode.tags(each.get("TagList")),
        )


def _kind(engine: str) -> Kind:
    return Kind.AURORA if engine.startswith("aurora") else Kind.RDS


def _groups(each: Mapping[str, Any]) -> tuple[str, ...]:
    groups = [group.get("VpcSecurityGroupId") for group in decode.entries(each.get("VpcSecurityGroups"))]
    return decode.texts(groups)


def _proxies(gateway: Gateway, context: Context, account: str | None) -> Iterator[list[Database]]:
    for page in gateway.pages("rds", "describe_db_proxies", page_size=PAGE):
        yield [found for each in decode.entries(page.get("DBProxies")) if (found := proxy(each, context, account))]


# A proxy listens on its family's own port (RDS user guide, "RDS Proxy concepts"); the response does not name it.
_PROXY_FAMILIES = {"POSTGRESQL": ("postgres", 5432), "MYSQL": ("mysql", 3306), "SQLSERVER": ("sqlserver", 1433)}


def proxy(each: Mapping[str, Any], context: Context, account: str | None) -> Database | None:
    """An RDS proxy; None without an endpoint or of a family whose port is not known."""
    name, host = decode.text(each.get("DBProxyName")), decode.text(each.get("Endpoint"))
    family = _PROXY_FAMILIES.get(str(each.get("EngineFamily")).upper())
    if not (name and host and family):
        return None
    ways = {str(auth.get("IAMAuth")).upper() for auth in decode.entries(each.get("Auth"))}
    return Database(
        id=name,
        context=context,
        account=account,
        kind=Kind.PROXY,
        engine=family[0],
        endpoint=host,
        port=family[1],
        role=Role.PROXY,
        status=decode.text(each.get("Status")),
        vpc=decode.text(each.get("VpcId")),
        security_groups=decode.texts(each.get("VpcSecurityGroupIds")),
        iam_auth=bool(ways & {"REQUIRED", "ENABLED"}) if ways else None,
        tls=decode.flag(each.get("RequireTLS")),
    )
