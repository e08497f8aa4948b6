"""The verdict on a node and a database: the checks put together, over every subnet that the database may stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.networks import Source
from ssm_tui.domain.nodes import Platform
from ssm_tui.domain.reachability import acls, groups, routes
from ssm_tui.domain.reachability.coverage import network
from ssm_tui.domain.reachability.finding import Finding, blocked, partly, passes, unclear, untold, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.reachability.coverage import Range
    from ssm_tui.domain.reachability.terrain import Terrain

_EVERYWHERE = {4: network("0.0.0.0/0"), 6: network("::/0")}
_EPHEMERAL = {Platform.LINUX: acls.LINUX_PORTS, Platform.WINDOWS: acls.WINDOWS_PORTS}


@dataclass(frozen=True, slots=True)
class _Place:
    """A subnet that the database may stand in. `range` is None where its addresses are not known."""

    subnet: str | None
    az: str | None
    range: Range | None


def reaches(terrain: Terrain, node: Node, database: Database) -> Finding:
    """Whether a connection from the node gets to the database, by what is known of the networks.

    AWS does not tell the database's own address: where its subnets differ, yes means from each of them, no from none.
    """
    finding, whole = of_subnet(terrain, node, database)
    own = network(node.ip or "")
    return finding if whole or own is None else _known(terrain, node, database, own)


def of_subnet(terrain: Terrain, node: Node, database: Database) -> tuple[Finding, bool]:
    """The same of every node that stands like this one: in its subnet, behind its groups, on its platform. Most rules
    are for whole subnets; False where this one is for a part of it, so that each node's own address decides."""
    if database.vpc is None:
        return unclear("the database's VPC is not known"), True
    if node.vpc is None:
        return unclear("where it stands in the network is not known"), True
    if node.vpc not in terrain.joined(database.vpc):
        return _strangers(terrain, node.vpc, database.vpc), True
    subnet = terrain.subnet(node.subnet)
    own = network(node.ip or "")
    version = own.version if own else 4
    ranges = [found for cidr in (subnet.cidrs if subnet else ()) if (found := network(cidr)) is not None]
    whole = next((each for each in ranges if each.version == version), None)
    if whole is None and own is None:
        return untold(Source.SUBNETS, f"the addresses of {node.subnet or 'its subnet'}"), True
    if whole is None:
        return unclear("the range of its subnet is not known"), False
    finding = _known(terrain, node, database, whole)
    return finding, own is None or not finding.unknown or bool(finding.permission)


def _strangers(terrain: Terrain, one: str, other: str) -> Finding:
    for source in (Source.TABLES, Source.PEERINGS, Source.ATTACHMENTS):
        if not terrain.read(source):
            return untold(source, f"what joins {one} and {other}")
    return blocked(f"nothing joins {one} to {other}")


def _known(terrain: Terrain, node: Node, database: Database, place: Range) -> Finding:
    where = (database.vpc, database.subnets, database.az, database.security_groups, database.port)
    key = ("verdict", node.vpc, node.subnet, node.security_groups, node.platform, place, where)
    finding = terrain.answers.get(key)
    if not isinstance(finding, Finding):
        finding = terrain.answers[key] = _judged(terrain, node, database, place)
    return finding


def _judged(terrain: Terrain, node: Node, database: Database, place: Range) -> Finding:
    places = _places(terrain, database, place.version)
    if not places:
        return unclear(f"the database's subnets have no IPv{place.version} addresses")
    found = [_from(terrain, node, database, place, each) for each in places]
    return partly(found, (f"in {each.subnet}" for each in places))


def _places(terrain: Terrain, database: Database, version: int) -> list[_Place]:
    """The subnets of the zone that it is in now, where that is known; else all that it may be in."""
    named: Sequence[str] = database.subnets or [each.id for each in terrain.subnets(database.vpc or "")]
    if not named:
        return [_Place(None, None, None)]
    known = [(id_, terrain.subnet(id_)) for id_ in named]
    here = [(id_, subnet) for id_, subnet in known if subnet is None or database.az in (None, subnet.az)]
    found: list[_Place] = []
    for id_, subnet in here or known:
        if subnet is None:
            found.append(_Place(id_, None, None))
            continue
        ranges = [each for cidr in subnet.cidrs if (each := network(cidr)) is not None and each.version == version]
        found += [_Place(id_, subnet.az, each) for each in ranges]
    return found


def _from(terrain: Terrain, node: Node, database: Database, place: Range, at: _Place) -> Finding:
    assert node.vpc is not None and database.vpc is not None  # noqa: S101, PT018 - `reaches` has looked
    goal = at.range or _EVERYWHERE[place.version]
    assert goal is not None  # noqa: S101
    references = routes.references(terrain, node.vpc, database.vpc)
    relay, target = groups.Party(place, node.security_groups), groups.Party(goal, database.security_groups)
    route, acl = _way(terrain, node, database, place, at, goal)
    enters = groups.enters(terrain, relay, target, database.port, references)
    leaves = groups.leaves(terrain, relay, target, database.port, references)
    # A rule is of no use where no route leads.
    found = worst((route, enters, leaves, acl) if node.vpc != database.vpc else (enters, leaves, route, acl))
    if found.passes:
        return passes(" and ".join(filter(None, (enters.why, route.why))))
    if found.unknown and not found.permission and at.range is None:
        return untold(Source.SUBNETS, f"the addresses of {at.subnet or database.vpc}")
    return found


def _way(
    terrain: Terrain, node: Node, database: Database, place: Range, at: _Place, goal: Range
) -> tuple[Finding, Finding]:
    """Routes and ACLs, which do not depend on who stands there."""
    key = ("way", node.vpc, node.subnet, node.platform, place, database.vpc, at, database.port)
    if (known := terrain.answers.get(key)) is not None:
        return known  # type: ignore[return-value] # what was put there under this key
    route = routes.leads(
        terrain,
        routes.End(node.vpc or "", node.subnet, node.az, place),
        routes.End(database.vpc or "", at.subnet, at.az, goal),
    )
    ephemeral = acls.ANY_EPHEMERAL if node.platform is None else _EPHEMERAL.get(node.platform, acls.ANY_EPHEMERAL)
    stands = acls.Stand(node.subnet, place), acls.Stand(at.subnet, goal)
    terrain.answers[key] = found = (route, acls.lets_through(terrain, *stands, database.port, ephemeral))
    return found
