"""The way of packets between two addresses of a region, packet by packet, by the live state of EC2. Reads moto.

A connection stands where its first packet arrives and the answer to it does: security groups let the first through at
both ends (they remember the rest), network ACLs and routes are asked about each.
"""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from ssm_tui.demo import transit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EPHEMERAL = {"windows": (49152, 65535)}
_OF_LINUX = (32768, 60999)


@dataclass(frozen=True, slots=True)
class Spot:
    """An interface: where it is, its address, its security groups."""

    vpc: str
    subnet: str
    zone: str
    address: str
    groups: tuple[str, ...]
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the region's network does with packets now."""

    account: str
    region: str

    def connects(self, source: Spot, target: Spot, port: int) -> bool:
        """Whether a connection from the one to a TCP port of the other stands."""
        back = random.randint(*_EPHEMERAL.get(source.platform, _OF_LINUX))  # noqa: S311 -- no secret
        return (
            self._lets_out(source, target, port)
            and self._lets_in(source, target, port)
            and self._arrives(source, target, port)
            and self._arrives(target, source, back)
        )

    def knows(self, vpc: str, other: str) -> bool:
        """Whether names of private endpoints of the one resolve in the other: where something joins them."""
        if vpc == other or any({each.vpc.id, each.peer_vpc.id} == {vpc, other} for each in self._live_peerings()):
            return True
        return bool(self._gateways(vpc) & self._gateways(other))

    def subnets(self, vpc: str) -> dict[str, Any]:
        """The VPC's subnets, by id."""
        zones = list(self._backend.subnets.values())
        return {id_: subnet for zone in zones for id_, subnet in zone.items() if subnet.vpc_id == vpc}

    # -- security groups ----------------------------------------------------------------------------------------------

    def _lets_out(self, source: Spot, target: Spot, port: int) -> bool:
        return self._any_rule(source, target, port, lambda group: group.egress_rules)

    def _lets_in(self, source: Spot, target: Spot, port: int) -> bool:
        return self._any_rule(target, source, port, lambda group: group.ingress_rules)

    def _any_rule(self, whose: Spot, other: Spot, port: int, rules_of: Callable[[Any], list[Any]]) -> bool:
        found = (self._backend.get_security_group_from_id(each) for each in whose.groups)
        rules = [rule for group in found if group is not None for rule in rules_of(group)]
        return any(self._fits(rule, port) and self._means(rule, whose, other) for rule in rules)

    @staticmethod
    def _fits(rule: Any, port: int) -> bool:
        if rule.ip_protocol == "-1":
            return True
        return rule.ip_protocol == "tcp" and int(rule.from_port) <= port <= int(rule.to_port)

    def _means(self, rule: Any, whose: Spot, other: Spot) -> bool:
        if rule.source_group.get("GroupId") in other.groups:
            return self._names_groups(whose.vpc, other.vpc)
        blocks = [rule.ip_range.get("CidrIp"), rule.ip_range.get("CidrIpv6"), *self._listed(rule.prefix_list_id)]
        return any(_holds(block, other.address) for block in blocks if block)

    def _names_groups(self, vpc: str, other: str) -> bool:
        if vpc == other or any({each.vpc.id, each.peer_vpc.id} == {vpc, other} for each in self._live_peerings()):
            return True
        return any(
            self._backend.transit_gateways[gateway].options.get(_REFERENCES) == "enable"
            and all(each.options.get(_REFERENCES) == "enable" for each in self._attachments(gateway, (vpc, other)))
            for gateway in self._gateways(vpc) & self._gateways(other)
        )

    # -- the way ------------------------------------------------------------------------------------------------------

    def _arrives(self, source: Spot, target: Spot, port: int) -> bool:
        """A packet from the one address to a port of the other."""
        if source.subnet == target.subnet:
            return True
        return (
            self._acl_passes(source.subnet, target.address, port, egress=True)
            and self._led(source, target)
            and self._acl_passes(target.subnet, source.address, port, egress=False)
        )

    def _acl_passes(self, subnet: str, address: str, port: int, *, egress: bool) -> bool:
        for acl in self._backend.network_acls.values():
            if any(each.subnet_id == subnet for each in acl.associations):
                entries = [each for each in acl.network_acl_entries if _is_true(each.egress) == egress]
                for entry in sorted(entries, key=lambda each: int(each.rule_number)):
                    if _acl_entry_is_for(entry, address, port):
                        return str(entry.rule_action) == "allow"
                return False
        return False

    def _led(self, source: Spot, target: Spot) -> bool:
        route = self._route(source.vpc, source.subnet, target.address)
        if route is None:
            return False
        if route.local:
            return source.vpc == target.vpc
        if route.vpc_pcx is not None:
            peering = route.vpc_pcx
            ends = {peering.vpc.id, peering.peer_vpc.id}
            return peering.status["Code"] == "active" and ends == {source.vpc, target.vpc}
        if route.transit_gateway is not None:
            return self._transits(route.transit_gateway.id, source, target)
        return False

    def _route(self, vpc: str, subnet: str, address: str) -> Any:
        """The most specific route to the address, of the subnet's own table or the VPC's main one."""
        tables = [each for each in self._backend.route_tables.values() if each.vpc_id == vpc]
        own = [each for each in tables if any(a.get("SubnetId") == subnet for a in each.associations)]
        best, length = None, -1
        for table in (own or [each for each in tables if each.main_association_id is not None])[:1]:
            for route in table.routes:
                for block in self._destinations(route):
                    size = ipaddress.ip_network(block, strict=False).prefixlen
                    if _holds(block, address) and size > length:
                        best, length = route, size
        return best

    def _destinations(self, route: Any) -> Iterator[str]:
        yield from (each for each in (route.destination_cidr_block, route.destination_ipv6_cidr_block) if each)
        yield from self._listed(route.destination_prefix_list_id)

    def _transits(self, gateway: str, source: Spot, target: Spot) -> bool:
        ends = self._attachments(gateway, (source.vpc, target.vpc))
        if len(ends) != 2 or any(each.state != "available" for each in ends):
            return False
        here, there = ends
        if not (self._in_zone(here, source) and self._in_zone(there, target)):
            return False
        table = here.transit_gateway_route_table
        routes = transit.routes(self._backend, table) if table is not None else ()
        ways = [each for each in routes if _holds(each.block, target.address)]
        best = max(ways, key=lambda each: ipaddress.ip_network(each.block).prefixlen, default=None)
        return best is not None and best.attachment == there.id

    def _in_zone(self, attachment: Any, spot: Spot) -> bool:
        subnets = self.subnets(spot.vpc)
        return any(subnets[each].availability_zone == spot.zone for each in attachment.subnet_ids if each in subnets)

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def _backend(self) -> Any:
        return ec2_backends[self.account][self.region]

    def _live_peerings(self) -> list[Any]:
        return [each for each in self._backend.vpc_pcxs.values() if each.status["Code"] == "active"]

    def _gateways(self, vpc: str) -> set[str]:
        return {each.transit_gateway_id for each in self._vpc_attachments() if each.vpc_id == vpc}

    def _attachments(self, gateway: str, vpcs: tuple[str, str]) -> list[Any]:
        """The gateway's attachments of these VPCs, in their order."""
        found = {each.vpc_id: each for each in self._vpc_attachments() if each.transit_gateway_id == gateway}
        return [found[vpc] for vpc in vpcs if vpc in found]

    def _vpc_attachments(self) -> list[Any]:
        every = list(self._backend.transit_gateway_attachments.values())
        return [each for each in every if each.resource_type == "vpc" and each.state != "deleted"]

    def _listed(self, prefix_list: str | None) -> list[str]:
        found = self._backend.managed_prefix_lists.get(prefix_list or "")
        if found is None or not found.entries:
            return []
        return [each["Cidr"] for each in list(found.entries.values())[-1]]


_REFERENCES = "SecurityGroupReferencingSupport"


def _holds(block: str, address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _acl_entry_is_for(entry: Any, address: str, port: int) -> bool:
    block = entry.cidr_block or entry.ipv6_cidr_block
    if not block or not _holds(block, address):
        return False
    if str(entry.protocol) == "-1":
        return True
    if str(entry.protocol).lower() not in ("6", "tcp"):
        return False
    if entry.port_range_from is None or entry.port_range_to is None:
        return True
    return int(entry.port_range_from) <= port <= int(entry.port_range_to)
