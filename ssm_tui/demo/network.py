"""The far side of sessions: which private endpoints a node reaches, by the live EC2, RDS and ElastiCache state.

A name resolves only inside the VPC of its endpoint; the endpoint's security groups must admit the node, and the node's
must let it out. What is admitted leads to the real server of that engine on loopback, if there is one.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.elasticache.models import elasticache_backends
from moto.rds.models import rds_backends

from ssm_tui.demo import database_terms
from ssm_tui.demo.agent import FarNameError, FarRefused, FarTimeout
from ssm_tui.demo.landscape import admitted, machines, may_leave, subnet_vpc
from ssm_tui.demo.servers import Far, Terms

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from ssm_tui.demo.faults import Faults
    from ssm_tui.demo.landscape import Machine
    from ssm_tui.demo.registry import Registry


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


@dataclass(frozen=True, slots=True)
class LiveNetwork:
    """FarNetwork over moto's state. `servers`: where an endpoint's real server is, None where there is none."""

    registry: Registry
    servers: Callable[[Far], tuple[str, int] | None]
    state: threading.Lock
    faults: Faults

    def resolve(self, node: str, host: str, port: int) -> tuple[str, int]:
        """As FarNetwork has it; names compare as DNS compares them."""
        wanted = host.rstrip(".").lower()
        with self.state:
            place = self.registry.whereabouts(node)
            source = self.registry.source(*place, node) if place is not None else None
            if place is None or source is None:
                raise _unknown(host, "")
            found = next((each for each in endpoints(*place) if each.host == wanted and each.vpc == source.vpc), None)
            if found is None:
                return self._elsewhere(source, host, port)
            self._pass(source, found, port)
        self.faults.reach(found.host, port)
        far = Far(found.host, found.port, found.engine, *place, source.private_ip, found.terms)
        server = self.servers(far) if port == found.port else None
        if server is None:
            raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
        return server

    def _pass(self, source: Machine, found: PrivateEndpoint, port: int) -> None:
        admits = admitted(source.account, source.region, found.groups, port, source)
        # The endpoint's own address is not modelled: a rule for the whole VPC, a group or everywhere lets out.
        leaves = may_leave(source.account, source.region, source, port, source.private_ip, found.groups)
        if not (admits and leaves and found.available):
            raise FarTimeout(f"dial tcp {found.host}:{port}: i/o timeout")

    def _elsewhere(self, source: Machine, host: str, port: int) -> tuple[str, int]:
        """Addresses: a machine of the same VPC refuses where its groups admit, everything else is silent."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise _unknown(host, source.private_ip) from None
        for each in machines(source.account, source.region):
            if each.vpc == source.vpc and each.private_ip == host and each.running:
                if admitted(source.account, source.region, each.groups, port, source):
                    raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
                break
        raise FarTimeout(f"dial tcp {host}:{port}: i/o timeout")


def _unknown(host: str, address: str) -> FarNameError:
    # A VPC's resolver is the third address of its range; a machine outside one asks its own.
    resolver = f"{'.'.join(address.split('.')[:2])}.0.2" if address else "127.0.0.53"
    return FarNameError(f"lookup {host} on {resolver}:53: no such host")


def endpoints(account: str, region: str) -> Iterator[PrivateEndpoint]:
    """Every database endpoint of the region as it is now."""
    rds = rds_backends[account][region]
    yield from _instances(rds)
    yield from _clusters(rds)
    for proxy in list(rds.db_proxies.values()):
        mysql = proxy.engine_family == "MYSQL"
        yield PrivateEndpoint(
            proxy.endpoint.lower(),
            3306 if mysql else 5432,
            proxy.vpc_id,
            tuple(proxy.vpc_security_group_ids),
            "mysql" if mysql else "postgres",
            proxy.status == "available",
            database_terms.of_proxy(proxy),
        )
    yield from _caches(account, region)


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
        )


def _clusters(rds: Any) -> Iterator[PrivateEndpoint]:
    for cluster in list(rds.clusters.values()):
        group = rds.subnet_groups.get(cluster.db_subnet_group_name)
        for host in (cluster.endpoint, cluster.reader_endpoint):
            yield PrivateEndpoint(
                host.lower(),
                int(cluster.port),
                group.vpc_id if group is not None else "",
                tuple(cluster.vpc_security_group_ids),
                _family(cluster.engine),
                cluster.status == "available",
                database_terms.of_cluster(rds, cluster),
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
