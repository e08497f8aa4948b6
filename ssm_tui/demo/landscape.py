"""The live EC2 state as plain values: machines, security groups, routes. Reads moto; changes launch times alone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Machine:
    """One EC2 instance as it is now."""

    id: str
    account: str
    region: str
    state: str
    vpc: str
    subnet: str
    zone: str
    private_ip: str
    public_ip: str
    hostname: str
    groups: tuple[str, ...]
    profile: str
    """Name of the instance profile, or empty."""
    platform: str
    """`windows` or empty, as EC2 has it."""
    instance_type: str
    key_name: str | None
    architecture: str
    image: str
    launched: datetime
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.state == "running"


def known_region(account: str, region: str) -> bool:
    """Is there such a region?"""
    return region in ec2_backends[account].regions


def machines(account: str, region: str) -> Iterator[Machine]:
    """Every instance of the region that is not terminated."""
    backend = _backend(account, region)
    for instance in _instances(backend):
        yield _machine(backend, account, region, instance)


def machine(account: str, region: str, instance_id: str) -> Machine | None:
    """One instance by id."""
    backend = _backend(account, region)
    found = next((each for each in _instances(backend) if each.id == instance_id), None)
    return _machine(backend, account, region, found) if found is not None else None


def _instances(backend: Any) -> Iterator[Any]:
    for reservation in list(backend.reservations.values()):
        for instance in list(reservation.instances):
            if instance.state not in ("terminated", "shutting-down"):
                yield instance


def backdate(account: str, region: str, instance_id: str, age: timedelta) -> None:
    """Lets an instance have been launched a while ago, which no AWS call can do."""
    instance = _backend(account, region).get_instance(instance_id)
    instance.launch_time = instance.launch_time - age


def subnet_vpc(account: str, region: str, subnet_id: str) -> str:
    """The VPC of a subnet; empty for an unknown one."""
    for zone in _backend(account, region).subnets.values():
        if subnet_id in zone:
            return str(zone[subnet_id].vpc_id)
    return ""


def admitted(account: str, region: str, target: Iterable[str], port: int, source: Machine) -> bool:
    """Does any of the `target` groups admit TCP from `source` on `port`?"""
    rules = (rule for group in _groups(account, region, target) for rule in group.ingress_rules)
    return any(_covers(rule, port, source.private_ip, source.groups) for rule in rules)


def may_leave(account: str, region: str, source: Machine, port: int, address: str, groups: Iterable[str]) -> bool:
    """Do `source`'s groups let TCP out to `address` (in `groups`) on `port`?"""
    wanted = tuple(groups)
    rules = (rule for group in _groups(account, region, source.groups) for rule in group.egress_rules)
    return any(_covers(rule, port, address, wanted) for rule in rules)


def reaches_systems_manager(source: Machine) -> bool:
    """Has the machine a way to SSM: a route out of the VPC, or interface endpoints that admit it on 443?"""
    account, region = source.account, source.region
    if not may_leave(account, region, source, 443, "0.0.0.0", ()):  # noqa: S104 -- an address compared, not bound
        return False
    return _has_way_out(source) or all(_endpoint_admits(source, name) for name in ("ssm", "ssmmessages"))


def _endpoint_admits(source: Machine, service: str) -> bool:
    name = f"com.amazonaws.{source.region}.{service}"
    return any(
        endpoint.service_name == name
        and endpoint.vpc_id == source.vpc
        and endpoint.state == "available"
        and admitted(source.account, source.region, endpoint.security_group_ids, 443, source)
        for endpoint in list(_backend(source.account, source.region).vpc_end_points.values())
    )


def _has_way_out(source: Machine) -> bool:
    """A default route through a NAT gateway, or through an internet gateway for a machine with a public address."""
    table = _route_table(source)
    for route in table.routes if table is not None else ():
        if route.destination_cidr_block != "0.0.0.0/0":
            continue
        if route.nat_gateway is not None or route.transit_gateway is not None:
            return True
        if route.gateway is not None and source.public_ip:
            return True
    return False


def _route_table(source: Machine) -> Any:
    tables = [
        each for each in _backend(source.account, source.region).route_tables.values() if each.vpc_id == source.vpc
    ]
    for table in tables:
        if any(each.get("SubnetId") == source.subnet for each in table.associations):
            return table
    return next((table for table in tables if table.main_association_id is not None), None)


def _covers(rule: Any, port: int, address: str, groups: Iterable[str]) -> bool:
    if rule.ip_protocol not in ("tcp", "-1"):
        return False
    if rule.ip_protocol == "tcp" and not int(rule.from_port) <= port <= int(rule.to_port):
        return False
    if rule.source_group.get("GroupId") in tuple(groups):
        return True
    cidr = rule.ip_range.get("CidrIp")
    return bool(cidr and address) and ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)


def _groups(account: str, region: str, ids: Iterable[str]) -> list[Any]:
    found = (_backend(account, region).get_security_group_from_id(each) for each in ids)
    return [each for each in found if each is not None]


def _machine(backend: Any, account: str, region: str, instance: Any) -> Machine:
    address = instance.private_ip or ""
    return Machine(
        id=instance.id,
        account=account,
        region=region,
        state=instance.state,
        vpc=instance.vpc_id or "",
        subnet=instance.subnet_id or "",
        zone=instance.availability_zone or "",
        private_ip=address,
        public_ip=instance.public_ip or "",
        hostname=f"ip-{address.replace('.', '-')}",
        groups=_group_ids(instance),
        profile=_profile(backend, instance),
        platform=(instance.platform or "").lower(),
        instance_type=instance.instance_type,
        key_name=instance.key_name,
        architecture=instance.architecture,
        image=instance.image_id or "",
        # Moto keeps moments of UTC that do not say so.
        launched=instance.launch_time.replace(tzinfo=UTC),
        tags={each["key"]: each["value"] for each in instance.get_tags()},
    )


def _group_ids(instance: Any) -> tuple[str, ...]:
    on_interfaces = (group for nic in instance.nics.values() for group in (nic.group_set or ()))
    return tuple(dict.fromkeys(group.id for group in (*instance.dynamic_group_list, *on_interfaces)))


def _profile(backend: Any, instance: Any) -> str:
    """The profile as associated now; the association is what changes later, the instance keeps what it started with."""
    association = backend.iam_instance_profile_associations.get(instance.id)
    return str(association.iam_instance_profile.name) if association is not None else ""


def _backend(account: str, region: str) -> Any:
    return ec2_backends[account][region]
