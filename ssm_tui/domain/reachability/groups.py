"""Security groups both ways: what the relay's let out to the database, what the database's let in from the relay.

They are stateful: answers pass without a rule. Where an interface has several groups, a permission of any is enough
(VPC User Guide, "Security group rules").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.networks import Source
from ssm_tui.domain.reachability.coverage import Extent, extent
from ssm_tui.domain.reachability.finding import blocked, missing, passes, unclear, untold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ssm_tui.domain.networks import Permission, SecurityGroup
    from ssm_tui.domain.reachability.coverage import Range
    from ssm_tui.domain.reachability.finding import Finding
    from ssm_tui.domain.reachability.terrain import Terrain


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a connection: where it may stand, and the groups of its interface."""

    place: Range
    groups: tuple[str, ...]


def leaves(terrain: Terrain, relay: Party, database: Party, port: int, references: Finding) -> Finding:
    """Whether the relay's groups let it out to the database. `references`: whether a rule that names a group of the
    other end counts between the two."""
    if not relay.groups:
        return untold(Source.INSTANCES, "its security groups")
    check = _Check(terrain, "lets out to", database, port, references)
    if (found := check.of(relay.groups, lambda group: group.egress)) is not None:
        return found
    target = _pair(database) if references.passes and database.groups else _place(database)
    return blocked(
        f"{_subject(relay.groups, 'does', 'do')} not let it out to {_who(database)} on port {port}",
        f"aws ec2 authorize-security-group-egress --group-id {relay.groups[0]} "
        f"--ip-permissions 'IpProtocol=tcp,FromPort={port},ToPort={port},{target}'",
    )


def enters(terrain: Terrain, relay: Party, database: Party, port: int, references: Finding) -> Finding:
    """Whether the database's groups admit the relay on its port."""
    if not database.groups:
        return unclear("the database's security groups are not known")
    check = _Check(terrain, "admits", relay, port, references)
    if (found := check.of(database.groups, lambda group: group.ingress)) is not None:
        return found
    by_group = references.passes and relay.groups
    if by_group:
        source = f"--protocol tcp --port {port} --source-group {relay.groups[0]}"
    else:
        source = f"--ip-permissions 'IpProtocol=tcp,FromPort={port},ToPort={port},{_place(relay)}'"
    return blocked(
        f"{_subject(database.groups, 'does', 'do')} not admit {_who(relay)} on port {port}",
        f"aws ec2 authorize-security-group-ingress --group-id {database.groups[0]} {source}",
    )


def _subject(groups: tuple[str, ...], one: str, many: str) -> str:
    return f"{', '.join(groups)} {one if len(groups) == 1 else many}"


def _who(party: Party) -> str:
    return ", ".join(party.groups) or str(party.place)


def _pair(party: Party) -> str:
    return f"UserIdGroupPairs=[{{GroupId={party.groups[0]}}}]"


def _place(party: Party) -> str:
    ranges = "IpRanges=[{CidrIp=" if party.place.version == 4 else "Ipv6Ranges=[{CidrIpv6="
    return f"{ranges}{party.place}}}]"


@dataclass(frozen=True, slots=True)
class _Check:
    """Looks for the permission that lets traffic pass between some groups and the `other` end."""

    terrain: Terrain
    does: str
    other: Party
    port: int
    references: Finding

    def of(self, ids: tuple[str, ...], side: Callable[[SecurityGroup], tuple[Permission, ...]]) -> Finding | None:
        """The permission that is enough, or why it is not known whether there is one; None where there is none."""
        groups = [group for id_ in ids if (group := self.terrain.group(id_)) is not None]
        unread = [id_ for id_ in ids if self.terrain.group(id_) is None]
        permissions = [(each, group.id) for group in groups for each in side(group) if each.covers(self.port)]
        doubts: list[Finding] = []
        for permission, whose in permissions:
            for found in (*self._by_group(permission, whose), *self._by_cidr(permission, whose)):
                if found.passes:
                    return found
                doubts.append(found)
        if unread:
            return missing(self.terrain, Source.GROUPS, ", ".join(unread))
        if doubts:
            return doubts[0]
        return self._by_all(cidr for permission, _ in permissions for cidr in self._cidrs(permission))

    def _by_group(self, permission: Permission, group: str) -> Iterator[Finding]:
        for named in permission.groups:
            if named in self.other.groups:
                if self.references.passes:
                    yield passes(f"{group} {self.does} {named} on port {self.port}")
                elif self.references.unknown:
                    yield self.references

    def _by_cidr(self, permission: Permission, group: str) -> Iterator[Finding]:
        for cidr in permission.cidrs:
            if extent(self.other.place, (cidr,)) is Extent.ALL:
                yield passes(f"{group} {self.does} {cidr} on port {self.port}")
        for prefix_list in permission.prefix_lists:
            cidrs = self.terrain.prefix_list(prefix_list)
            if cidrs is None:
                yield missing(self.terrain, Source.PREFIXES, f"prefix list {prefix_list}, which {group} {self.does},")
            elif extent(self.other.place, cidrs) is Extent.ALL:
                yield passes(f"{group} {self.does} {prefix_list} on port {self.port}")

    def _cidrs(self, permission: Permission) -> Iterable[str]:
        yield from permission.cidrs
        for prefix_list in permission.prefix_lists:
            yield from self.terrain.prefix_list(prefix_list) or ()

    def _by_all(self, cidrs: Iterable[str]) -> Finding | None:
        """No permission is enough by itself: several may be together, or for a part of where the other end stands."""
        allowed = tuple(cidrs)
        match extent(self.other.place, allowed):
            case Extent.ALL:
                return passes(f"the rules together {self.does.removesuffix('s')} {self.other.place}")
            case Extent.SOME:
                return unclear(f"the rules are for a part of {self.other.place} alone")
            case Extent.NONE:
                return None
