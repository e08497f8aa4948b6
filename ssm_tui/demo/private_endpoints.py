"""The private endpoints of databases: their names, where each stands, how one gets in. Reads moto's state and ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.elasticache.models import elasticache_backends
from moto.opensearch.models import opensearch_backends
from moto.rds.models import rds_backends

from ssm_tui.demo import database_terms
from ssm_tui.demo.database_calls import CACHE, ENDPOINT, PROXY_ENDPOINT, WORKGROUP, made
from ssm_tui.demo.landscape import subnet_vpc
from ssm_tui.demo.servers import Terms, Tls

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class PrivateEndpoint:
    """One host name of a database inside a VPC."""

    host: str
    port: int
    vpc: str
    groups: tuple[str, ...]
    engine: str
    available: bool
    terms: Terms = field(default_factory=Terms)
    subnets: tuple[str, ...] = ()
    zone: str = ""


def endpoints(account: str, region: str) -> Iterator[PrivateEndpoint]:
    """Every database endpoint of the region as it is now."""
    rds = rds_backends[account][region]
    yield from _instances(rds)
    yield from _clusters(account, region)
    yield from _proxies(account, region)
    yield from _caches(account, region)
    yield from _others(account, region)


def _proxies(account: str, region: str) -> Iterator[PrivateEndpoint]:
    more = [each.told for each in made(account, region, PROXY_ENDPOINT).values()]
    for proxy in list(rds_backends[account][region].db_proxies.values()):
        mysql = proxy.engine_family == "MYSQL"
        ways = [(proxy.endpoint, proxy.vpc_security_group_ids, proxy.vpc_subnet_ids)]
        ways += [
            (each["Endpoint"], each["VpcSecurityGroupIds"], each["VpcSubnetIds"])
            for each in more
            if each["DBProxyName"] == proxy.db_proxy_name
        ]
        for host, groups, subnets in ways:
            yield PrivateEndpoint(
                host.lower(),
                3306 if mysql else 5432,
                proxy.vpc_id,
                tuple(groups),
                "mysql" if mysql else "postgres",
                proxy.status == "available",
                database_terms.of_proxy(proxy),
                subnets=tuple(subnets),
            )


def _instances(rds: Any) -> Iterator[PrivateEndpoint]:
    for instance in list(rds.databases.values()):
        group = instance.db_subnet_group
        yield PrivateEndpoint(
            instance.address.lower(),
            int(instance.port),
            group.vpc_id if group is not None else "",
            tuple(instance.vpc_security_group_ids),
            _family(instance.engine),
            instance.status == "available",
            database_terms.of_instance(rds, instance),
            subnets=_subnets(group),
            zone=instance.availability_zone,
        )


def _clusters(account: str, region: str) -> Iterator[PrivateEndpoint]:
    rds = rds_backends[account][region]
    custom = [each.told for each in made(account, region, ENDPOINT).values()]
    for cluster in list(rds.clusters.values()):
        group = rds.subnet_groups.get(cluster.db_subnet_group_name)
        own = [each["Endpoint"] for each in custom if each["DBClusterIdentifier"] == cluster.db_cluster_identifier]
        for host in (cluster.endpoint, cluster.reader_endpoint, *own):
            yield PrivateEndpoint(
                host.lower(),
                int(cluster.port),
                group.vpc_id if group is not None else "",
                tuple(cluster.vpc_security_group_ids),
                _family(cluster.engine),
                cluster.status == "available",
                database_terms.of_cluster(rds, cluster),
                subnets=_subnets(group),
                zone=_zone(cluster, writer=host == cluster.endpoint),
            )


def _caches(account: str, region: str) -> Iterator[PrivateEndpoint]:
    backend = elasticache_backends[account][region]
    for holder in (*backend.replication_groups.values(), *backend.cache_clusters.values()):
        subnets = backend.cache_subnet_groups.get(holder.cache_subnet_group_name)
        vpc = subnet_vpc(account, region, subnets.subnet_ids[0]) if subnets is not None and subnets.subnet_ids else ""
        for host, port in dict.fromkeys(_cache_addresses(holder)):
            yield PrivateEndpoint(
                host.lower(),
                int(port),
                vpc,
                tuple(holder.security_group_ids or ()),
                "memcached" if holder.engine == "memcached" else "redis",
                holder.status == "available",
                database_terms.of_cache(backend, holder),
                subnets=tuple(subnets.subnet_ids) if subnets is not None else (),
            )


def _cache_addresses(holder: Any) -> Iterator[tuple[str, int]]:
    for node in getattr(holder, "cache_nodes", ()):
        yield node["Endpoint"]["Address"], node["Endpoint"]["Port"]
    for group in getattr(holder, "node_groups", ()):
        for name in ("primary_endpoint_address", "reader_endpoint_address"):
            if name in group:
                yield group[name], group["port"]
        for member in group["node_group_members"]:
            if member.get("read_endpoint"):
                yield member["read_endpoint"]["address"], member["read_endpoint"]["port"]


def _family(engine: str) -> str:
    return next((family for family in ("postgres", "mysql", "mariadb") if family in engine), engine)


def _subnets(group: Any) -> tuple[str, ...]:
    return tuple(each["SubnetIdentifier"] for each in group.subnets) if group is not None else ()


def _zone(cluster: Any, *, writer: bool) -> str:
    """Where the first of the members stands that the endpoint leads to."""
    members = list(cluster._members)  # noqa: SLF001 -- moto tells no other way
    found = members[:1] if writer else members[1:] or members
    return str(found[0].availability_zone) if found else ""


def _others(account: str, region: str) -> Iterator[PrivateEndpoint]:
    """Caches and warehouses without servers, and domains: all speak TLS alone."""
    found: list[tuple[str, int, str, list[str], list[str]]] = []
    for each in made(account, region, CACHE).values():
        for end in filter(None, (each.told["Endpoint"], each.told["ReaderEndpoint"])):
            engine = "memcached" if each.told["Engine"] == "memcached" else "redis"
            found.append((end["Address"], end["Port"], engine, each.told["SecurityGroupIds"], each.told["SubnetIds"]))
    for each in made(account, region, WORKGROUP).values():
        end = each.told["endpoint"]
        found.append((end["address"], end["port"], "redshift", each.told["securityGroupIds"], each.told["subnetIds"]))
    for domain in list(opensearch_backends[account][region].domains.values()):
        place, names = domain.vpc_options, domain.endpoints
        if place and names:
            found.append((names["vpc"], 443, "opensearch", place["SecurityGroupIds"], place["SubnetIds"]))
    for host, port, engine, groups, subnets in found:
        vpc = subnet_vpc(account, region, subnets[0]) if subnets else ""
        yield PrivateEndpoint(
            host.lower(), port, vpc, tuple(groups), engine, True, Terms(Tls.REQUIRED), subnets=tuple(subnets)
        )
