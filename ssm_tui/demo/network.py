"""The far side of sessions: which private endpoints a node reaches, by the live EC2, RDS and ElastiCache state.

A name resolves only in the VPC of its endpoint and in those joined to it; what gets there is `passage`'s to say. What
gets there leads to the real server of that engine on loopback, if there is one.
"""

from __future__ import annotations

import ipaddress
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.elasticache.models import elasticache_backends
from moto.rds.models import rds_backends

from ssm_tui.demo import database_terms
from ssm_tui.demo.agent import FarNameError, FarRefused, FarTimeout
from ssm_tui.demo.landscape import machines, subnet_vpc
from ssm_tui.demo.passage import Passage, Spot
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
    subnets: tuple[str, ...] = ()
    zone: str = ""


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
            found = self._named(wanted, source, *place)
            if found is None:
                return self._elsewhere(source, host, port)
            self._pass(source, found, port)
        self.faults.reach(found.host, port)
        far = Far(found.host, found.port, found.engine, *place, source.private_ip, found.terms)
        server = self.servers(far) if port == found.port else None
        if server is None:
            raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
        return server

    def _named(self, host: str, source: Machine, account: str, region: str) -> PrivateEndpoint | None:
        passage = Passage(account, region)
        every = (each for each in endpoints(account, region) if each.host == host)
        return next((each for each in every if passage.knows(each.vpc, source.vpc)), None)

    def _pass(self, source: Machine, found: PrivateEndpoint, port: int) -> None:
        passage = Passage(source.account, source.region)
        if not (passage.connects(_spot(source), _endpoint_spot(passage, found), port) and found.available):
            raise FarTimeout(f"dial tcp {found.host}:{port}: i/o timeout")

    def _elsewhere(self, source: Machine, host: str, port: int) -> tuple[str, int]:
        """Addresses: a machine that packets get to refuses, everything else is silent."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise _unknown(host, source.private_ip) from None
        passage = Passage(source.account, source.region)
        for each in machines(source.account, source.region):
            if each.private_ip == host and each.running and passage.knows(each.vpc, source.vpc):
                if passage.connects(_spot(source), _spot(each), port):
                    raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
                break
        raise FarTimeout(f"dial tcp {host}:{port}: i/o timeout")


def _spot(machine: Machine) -> Spot:
    return Spot(machine.vpc, machine.subnet, machine.zone, machine.private_ip, machine.groups, machine.platform)


def _endpoint_spot(passage: Passage, found: PrivateEndpoint) -> Spot:
    """Where a database stands, which no call tells: in a subnet of its zone, at an address that its name gives."""
    known = passage.subnets(found.vpc)
    named = [known[each] for each in found.subnets if each in known] or list(known.values())
    here = [each for each in named if each.availability_zone == found.zone] or named
    number = zlib.crc32(found.host.encode())
    subnet = here[number % len(here)]
    network = ipaddress.ip_network(subnet.cidr_block)
    address = network[4 + number % (network.num_addresses - 5)]  # the first four and the last are AWS's
    return Spot(found.vpc, subnet.id, subnet.availability_zone, str(address), found.groups)


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
            subnets=tuple(proxy.vpc_subnet_ids),
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
            subnets=_subnets(group),
            zone=instance.availability_zone,
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
