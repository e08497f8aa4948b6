"""A network's facts by what they are looked up with. Made once a read; answers many questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.networks import Attachment, Network, NetworkAcl, RouteTable, SecurityGroup, Source, Subnet
from ssm_tui.domain.reachability.coverage import network

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from ssm_tui.domain.networks import Peering
    from ssm_tui.domain.reachability.coverage import Range


class Terrain:
    """`answers` keeps what was found out already: many nodes stand in one subnet behind the same groups."""

    def __init__(self, facts: Network | None = None) -> None:
        self.facts = facts = Network() if facts is None else facts
        self.answers: dict[Hashable, object] = {}
        self._groups = {group.id: group for group in facts.groups}
        self._subnets = {subnet.id: subnet for subnet in facts.subnets}
        self._acls = {subnet: acl for acl in facts.acls for subnet in acl.subnets}
        self._tables = {subnet: table for table in facts.tables for subnet in table.subnets}
        self._main = {table.vpc: table for table in facts.tables if table.main}
        self._prefixes = {each.id: each.cidrs for each in facts.prefix_lists}
        self._peerings = {each.id: each for each in facts.peerings}
        self._transit = {table.id: table for table in facts.transit_tables}

    def read(self, source: Source) -> bool:
        """Whether the call came to its end."""
        return source in self.facts.read

    def group(self, id_: str) -> SecurityGroup | None:
        """The security group, where it could be read."""
        return self._groups.get(id_)

    def subnet(self, id_: str | None) -> Subnet | None:
        """The subnet, where it could be read."""
        return self._subnets.get(id_ or "")

    def subnets(self, vpc: str) -> tuple[Subnet, ...]:
        """All subnets of a VPC that could be read."""
        return tuple(each for each in self.facts.subnets if each.vpc == vpc)

    def acl(self, subnet: str | None) -> NetworkAcl | None:
        """The subnet's network ACL, where it could be read."""
        return self._acls.get(subnet or "")

    def table(self, subnet: str | None, vpc: str) -> RouteTable | None:
        """The subnet's route table, its own or the VPC's main one, where it could be read."""
        return self._tables.get(subnet or "") or self._main.get(vpc)

    def prefix_list(self, id_: str) -> tuple[str, ...] | None:
        """Its CIDRs; None where they could not be read."""
        return self._prefixes.get(id_)

    def peering(self, id_: str) -> Peering | None:
        """The peering, where it could be read."""
        return self._peerings.get(id_)

    def attachment(self, gateway: str, vpc: str) -> Attachment | None:
        """The VPC's attachment to the transit gateway, where there is one that could be read."""
        return next((each for each in self.facts.attachments if (each.gateway, each.vpc) == (gateway, vpc)), None)

    def transit_routes(self, table: str | None) -> RouteTable | None:
        """A transit gateway's route table, in the shape of a VPC's; None where it could not be read."""
        found = self._transit.get(table or "")
        return RouteTable(found.id, "", found.routes) if found else None

    def destinations(self, target: str) -> Iterator[Range]:
        """The ranges that a route's destination stands for; none of a prefix list that could not be read."""
        for cidr in self._prefixes.get(target, ()) if target.startswith("pl-") else (target,):
            if (found := network(cidr)) is not None:
                yield found

    def joined(self, vpc: str) -> frozenset[str]:
        """The VPC, and those that a peering or a transit gateway joins it to, whatever routes lead there."""
        if (known := self.answers.get(("joined", vpc))) is not None:
            return known  # type: ignore[return-value] # what was put there under this key
        found = {vpc}
        for peering in self.facts.peerings:
            if vpc in peering.vpcs and peering.same_region:
                found.update(peering.vpcs)
        gateways = {each.gateway for each in self.facts.attachments if each.vpc == vpc}
        found.update(each.vpc for each in self.facts.attachments if each.gateway in gateways)
        self.answers["joined", vpc] = frozenset(found)
        return frozenset(found)
