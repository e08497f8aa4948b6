"""Network ACLs both ways. They are stateless: the answer needs rules of its own, for the relay's ephemeral port.

Within one subnet they do not apply. Rules count in the order of their numbers, the first that matches decides, and what
none matches is dropped (VPC User Guide, "Network ACLs", also for the ranges of ephemeral ports).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.networks import ALL_PROTOCOLS, TCP, Source
from ssm_tui.domain.reachability.coverage import Extent, inside, network, together, without
from ssm_tui.domain.reachability.finding import blocked, missing, passes, unclear, worst

if TYPE_CHECKING:
    from ssm_tui.domain.networks import AclRule, NetworkAcl
    from ssm_tui.domain.reachability.coverage import Range
    from ssm_tui.domain.reachability.finding import Finding
    from ssm_tui.domain.reachability.terrain import Terrain

Ports = tuple[int, int]

LINUX_PORTS: Ports = (32768, 60999)
"""What Linux dials from, unless told otherwise (net.ipv4.ip_local_port_range)."""
WINDOWS_PORTS: Ports = (49152, 65535)
ANY_EPHEMERAL: Ports = (32768, 65535)
"""Of a system that is not known."""

_LAST = 32767  # the number of the last rule, which drops everything and cannot be changed


@dataclass(frozen=True, slots=True)
class Stand:
    """Where an end of a connection stands: its subnet and its range of addresses."""

    subnet: str | None
    place: Range


def lets_through(terrain: Terrain, relay: Stand, database: Stand, port: int, ephemeral: Ports) -> Finding:
    """Whether the ACLs of both subnets let a connection through, from the relay's ephemeral ports to the database's."""
    if relay.subnet is not None and relay.subnet == database.subnet:
        return passes()
    there: Ports = (port, port)
    return worst(
        (
            _passes(terrain, relay.subnet, database.place, there, egress=True),
            _passes(terrain, database.subnet, relay.place, there, egress=False),
            _passes(terrain, database.subnet, relay.place, ephemeral, egress=True, answer=True),
            _passes(terrain, relay.subnet, database.place, ephemeral, egress=False, answer=True),
        )
    )


def _passes(
    terrain: Terrain, subnet: str | None, other: Range, ports: Ports, *, egress: bool, answer: bool = False
) -> Finding:
    acl = terrain.acl(subnet)
    if acl is None:
        return missing(terrain, Source.ACLS, f"the network ACL of {subnet or 'its subnet'}")
    direction = f"{'out to' if egress else 'in from'} {other}"
    what = (
        f"{'answers' if answer else 'connections'} {direction} on port{'s' * (ports[0] != ports[1])} {_spelled(ports)}"
    )
    match allowed(acl.egress if egress else acl.ingress, other, ports):
        case Extent.ALL:
            return passes()
        case Extent.SOME:
            return unclear(f"{acl.id} lets a part alone through of {what}")
        case Extent.NONE:
            return blocked(f"{acl.id} of {subnet} does not let {what}", _entry(acl, other, ports, egress=egress))


def lets_all_through(terrain: Terrain, subnet: str) -> bool:
    """Whether the subnet's ACL is known to drop nothing of TCP, in either direction."""
    acl, everywhere = terrain.acl(subnet), network("0.0.0.0/0")
    if acl is None or everywhere is None:
        return False
    return all(allowed(rules, everywhere, (0, 65535)) is Extent.ALL for rules in (acl.ingress, acl.egress))


def allowed(rules: tuple[AclRule, ...], other: Range, ports: Ports) -> Extent:
    """How much of the traffic with a range of addresses, on a range of ports of the receiving end, the rules allow."""
    return _decided(sorted(rules, key=lambda rule: rule.number), 0, other, ports)


def _decided(rules: list[AclRule], at: int, other: Range, ports: Ports) -> Extent:
    while at < len(rules):
        rule = rules[at]
        at += 1
        place, span = network(rule.cidr), _span(rule)
        if place is None or span is None or not _matches(rule, other, ports):
            continue
        if not inside(other, place):  # the rule decides for a part of the addresses
            pieces = [_decided(rules, at, rest, ports) for rest in without(other, place)]
            return together([_decided(rules, at - 1, place, ports), *pieces])
        below = [(ports[0], span[0] - 1)] if ports[0] < span[0] else []
        above = [(span[1] + 1, ports[1])] if span[1] < ports[1] else []
        verdict = Extent.ALL if rule.allow else Extent.NONE
        return together([verdict, *(_decided(rules, at, other, rest) for rest in (*below, *above))])
    return Extent.NONE


def _span(rule: AclRule) -> Ports | None:
    """The TCP ports that the rule is for; None where it is for another protocol."""
    if rule.protocol == ALL_PROTOCOLS:
        return 0, 65535
    if rule.protocol not in TCP:
        return None
    return (
        0 if rule.first_port is None else rule.first_port,
        65535 if rule.last_port is None else rule.last_port,
    )


def _spelled(ports: Ports) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


def _entry(acl: NetworkAcl, other: Range, ports: Ports, *, egress: bool) -> str:
    """The command that adds a rule before all that might match; empty where no number is left before them."""
    rules = acl.egress if egress else acl.ingress
    taken = {rule.number for rule in rules}
    before = min((rule.number for rule in rules if not rule.allow and _matches(rule, other, ports)), default=_LAST)
    numbers = (*range(100, 1000, 100), *range(min(before, _LAST) - 1, 0, -1))
    number = next((each for each in numbers if each < before and each not in taken), None)
    if number is None:
        return ""
    block = f"{'--cidr-block' if other.version == 4 else '--ipv6-cidr-block'} {other}"
    return (
        f"aws ec2 create-network-acl-entry --network-acl-id {acl.id} --{'egress' if egress else 'ingress'} "
        f"--rule-number {number} --protocol tcp --port-range From={ports[0]},To={ports[1]} {block} --rule-action allow"
    )


def _matches(rule: AclRule, other: Range, ports: Ports) -> bool:
    """Whether the rule is for any of the traffic."""
    place, span = network(rule.cidr), _span(rule)
    if place is None or span is None or span[1] < ports[0] or ports[1] < span[0]:
        return False
    return inside(other, place) or inside(place, other)
