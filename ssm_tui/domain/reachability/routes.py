"""Routes both ways between a node's subnet and a database's: within the VPC, over a peering, over a transit gateway.

The most specific route takes a packet (VPC User Guide, "Route priority"); the answer goes by the other subnet's table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.networks import LOCAL, Source
from ssm_tui.domain.reachability.acls import lets_all_through
from ssm_tui.domain.reachability.coverage import inside, without
from ssm_tui.domain.reachability.finding import blocked, missing, partly, passes, unclear, untold, worst

if TYPE_CHECKING:
    from ssm_tui.domain.networks import Attachment, Route, RouteTable
    from ssm_tui.domain.reachability.coverage import Range
    from ssm_tui.domain.reachability.finding import Finding
    from ssm_tui.domain.reachability.terrain import Terrain


@dataclass(frozen=True, slots=True)
class End:
    """One end of a way: its VPC, its subnet, its zone and its range of addresses."""

    vpc: str
    subnet: str | None
    az: str | None
    place: Range


def leads(terrain: Terrain, relay: End, database: End) -> Finding:
    """Whether routes lead from the relay to the database and back."""
    if relay.vpc == database.vpc and relay.subnet is not None and relay.subnet == database.subnet:
        return passes()  # traffic within a subnet is not routed
    there = _goes(terrain, relay, database)
    return worst((there, _goes(terrain, database, relay)))


def references(terrain: Terrain, relay: str, database: str) -> Finding:
    """Whether rules of the one VPC that name a security group of the other count. Over a peering they do within a
    region (VPC Peering Guide, "Reference peer security groups"); over a transit gateway where it and both attachments
    support it (Transit Gateway guide, "Security group referencing")."""
    if relay == database:
        return passes()
    if any(each.active and each.same_region and {*each.vpcs} == {relay, database} for each in terrain.facts.peerings):
        return passes()
    pairs = [
        (one.references, other.references)
        for one in terrain.facts.attachments
        for other in terrain.facts.attachments
        if (one.vpc, other.vpc) == (relay, database) and one.gateway == other.gateway
    ]
    if any(pair == (True, True) for pair in pairs):
        return passes()
    if any(None in pair and False not in pair for pair in pairs):
        return untold(Source.TRANSIT, "whether its transit gateway lets rules name groups of other VPCs")
    return blocked("rules cannot name security groups of the other VPC")


def _goes(terrain: Terrain, start: End, goal: End) -> Finding:
    """One way: every packet from anywhere in the one range to anywhere in the other."""
    table = terrain.table(start.subnet, start.vpc)
    if table is None:
        return missing(terrain, Source.TABLES, f"the route table of {start.subnet or start.vpc}")
    pieces = taken(terrain, table, goal.place)
    found = [_over(terrain, table, route, part, start, goal) for route, part in pieces]
    return partly(found, (f"in {part}" for _, part in pieces))


def taken(terrain: Terrain, table: RouteTable, goal: Range) -> list[tuple[Route | None, Range]]:
    """The routes that packets for a range take, each with its part of the range; None where there is no route."""
    found: list[tuple[Route | None, Range]] = []
    left = [goal]
    for route, destination in _most_specific_first(terrain, table):
        rest: list[Range] = []
        for part in left:
            if inside(part, destination):
                found.append((route, part))
            elif inside(destination, part):
                found.append((route, destination))
                rest += without(part, destination)
            else:
                rest.append(part)
        left = rest
    return [*found, *((None, part) for part in left)]


def _most_specific_first(terrain: Terrain, table: RouteTable) -> list[tuple[Route, Range]]:
    """Among equals the VPC's own come first, and a CIDR's before a prefix list's."""
    every = [(route, each) for route in table.routes for each in terrain.destinations(route.destination)]
    return sorted(every, key=lambda each: (-each[1].prefixlen, each[0].target != LOCAL, "pl-" in each[0].destination))


def _over(terrain: Terrain, table: RouteTable, route: Route | None, part: Range, start: End, goal: End) -> Finding:
    if route is None or not route.active:
        if unread := next((r.destination for r in table.routes if _unread(terrain, r)), None):
            return untold(Source.PREFIXES, f"{unread}, by which {table.id} has a route,")
        return _no_route(terrain, table, route, part, start, goal)
    kind = route.target.split("-")[0]
    if route.target == LOCAL:
        return passes() if start.vpc == goal.vpc else blocked(f"{table.id} keeps {part} within {start.vpc}")
    if start.vpc == goal.vpc:
        return unclear(f"{table.id} sends {part} through {route.target}, which may let it pass or not")
    if kind == "pcx":
        return _peering(terrain, table, route, start, goal)
    if kind == "tgw":
        return _transit(terrain, route.target, part, start, goal)
    if kind in ("igw", "nat", "eigw", "vgw"):
        return _no_route(terrain, table, None, part, start, goal)
    return unclear(f"{table.id} sends {part} through {route.target}, which may let it pass or not")


def _unread(terrain: Terrain, route: Route) -> bool:
    return route.destination.startswith("pl-") and terrain.prefix_list(route.destination) is None


def _no_route(terrain: Terrain, table: RouteTable, hole: Route | None, part: Range, start: End, goal: End) -> Finding:
    verb = "replace" if hole is not None else "create"
    target = ""
    peering = next((p for p in terrain.facts.peerings if p.active and {*p.vpcs} == {start.vpc, goal.vpc}), None)
    if peering is not None:
        target = f"--vpc-peering-connection-id {peering.id}"
    elif gateway := _gateway(terrain, start.vpc, goal.vpc):
        target = f"--transit-gateway-id {gateway}"
    cidr = hole.destination if hole is not None else str(part)
    option = f"--destination-{'ipv6-' if ':' in cidr else ''}cidr-block"
    change = f"aws ec2 {verb}-route --route-table-id {table.id} {option} {cidr} {target}" if target else ""
    if hole is not None:
        return blocked(f"{table.id} has a black hole for {hole.destination}", change)
    return blocked(f"{table.id} of {start.subnet or start.vpc} has no route to {part} in {goal.vpc}", change)


def _gateway(terrain: Terrain, one: str, other: str) -> str | None:
    """A transit gateway that both VPCs are attached to."""
    gateways = {each.gateway for each in terrain.facts.attachments if each.vpc == other}
    return next(
        (each.gateway for each in terrain.facts.attachments if each.vpc == one and each.gateway in gateways), None
    )


def _peering(terrain: Terrain, table: RouteTable, route: Route, start: End, goal: End) -> Finding:
    peering = terrain.peering(route.target)
    if peering is None:
        return missing(terrain, Source.PEERINGS, f"peering {route.target}")
    if {*peering.vpcs} != {start.vpc, goal.vpc}:
        return blocked(f"{table.id} sends it through {peering.id}, which does not lead to {goal.vpc}")
    if peering.active:
        return passes(f"{peering.id} joins the two VPCs")
    accept = f"aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id {peering.id}"
    return blocked(
        f"peering {peering.id} is {peering.status}", accept if peering.status == "pending-acceptance" else ""
    )


def _transit(terrain: Terrain, gateway: str, part: Range, start: End, goal: End) -> Finding:
    ends = [terrain.attachment(gateway, each.vpc) for each in (start, goal)]
    here, there = ends
    if here is None or there is None:
        if not terrain.read(Source.ATTACHMENTS):
            return untold(Source.ATTACHMENTS, f"the attachments of {gateway}")
        return blocked(f"{(goal if here else start).vpc} is not attached to {gateway}")
    off = next((each for each in (here, there) if each.state != "available"), None)
    if off is not None:
        return blocked(f"attachment {off.id} of {off.vpc} is {off.state}")
    return worst(
        (
            *(_zone(terrain, each, end) for each, end in ((here, start), (there, goal))),
            _transit_routes(terrain, here, there, part),
        )
    )


def _zone(terrain: Terrain, attachment: Attachment, end: End) -> Finding:
    """A zone's traffic passes only where the attachment has a subnet in it, and that subnet's own ACL may drop it."""
    if attachment.subnets is None:
        return untold(Source.TRANSIT_SUBNETS, f"the subnets of attachment {attachment.id}")
    subnets = [terrain.subnet(each) for each in attachment.subnets]
    zones = {each.az for each in subnets if each is not None}
    if end.az is not None and None not in subnets and end.az not in zones:
        return blocked(f"attachment {attachment.id} of {end.vpc} has no subnet in {end.az}")
    if not all(lets_all_through(terrain, each) for each in attachment.subnets):
        return unclear(f"a network ACL at attachment {attachment.id} may drop it")
    return passes()


def _transit_routes(terrain: Terrain, here: Attachment, there: Attachment, part: Range) -> Finding:
    if here.table is None:
        return blocked(f"attachment {here.id} is associated with no route table of {here.gateway}")
    table = terrain.transit_routes(here.table)
    if table is None:
        return missing(terrain, Source.TRANSIT_ROUTES, f"route table {here.table}")
    pieces = taken(terrain, table, part)
    found = [_transit_route(terrain, table, route, piece, there) for route, piece in pieces]
    return partly(found, (f"in {piece}" for _, piece in pieces))


def _transit_route(
    terrain: Terrain, table: RouteTable, route: Route | None, piece: Range, there: Attachment
) -> Finding:
    if route is not None and route.active and route.target == there.id:
        return passes(f"{there.gateway} joins the two VPCs")
    if any(_unread(terrain, each) for each in table.routes):
        return untold(Source.PREFIXES, f"a prefix list in {table.id}")
    return blocked(
        f"{table.id} of {there.gateway} has no route for {piece} to {there.vpc}",
        f"aws ec2 create-transit-gateway-route --transit-gateway-route-table-id {table.id} "
        f"--destination-cidr-block {piece} --transit-gateway-attachment-id {there.id}",
    )
