"""Reads the networks around a context's databases: what EC2 tells of their VPCs, and of those joined to them.

Four calls at once where the VPCs stand alone; peerings, transit gateways and prefix lists are asked for where a route
or a rule names one. A call that is refused is told in one note, and what it would have told is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import network_decode as decode
from ssm_tui.aws.streams import merged
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.networks import Attachment, Network, PrefixList, Source, TransitTable
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.networks import Peering, RouteTable, SecurityGroup

    Decode = Callable[[Mapping[str, Any]], list[Any]]

VALUES_AT_ONCE = 200
"""EC2 takes as many values a filter."""

_OF_VPCS: tuple[tuple[Source, str, Decode], ...] = (
    (Source.GROUPS, "describe_security_groups", decode.security_groups),
    (Source.ACLS, "describe_network_acls", decode.network_acls),
    (Source.TABLES, "describe_route_tables", decode.route_tables),
    (Source.SUBNETS, "describe_subnets", decode.subnets),
)


def read_network(gateway: Gateway, vpcs: Iterable[str], account: str | None) -> tuple[Network, Note | None]:
    """The networks of these VPCs and of those that they are joined to. `account` is whose nodes may be relays: VPCs of
    others are of no interest. Raises nothing: what could not be read is in the note."""
    reading = _Reading(gateway)
    wanted = sorted(set(vpcs))
    if not wanted:
        return Network(frozenset(Source)), None
    reading.of_vpcs(wanted)
    joined = sorted({*reading.peered(wanted), *reading.attached(account)} - {*wanted})
    if joined:
        reading.of_vpcs(joined)
    reading.prefix_lists()
    return reading.network([*wanted, *joined]), reading.note()


class _Reading:
    """One read: what was found, and what failed, by source."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._found: dict[Source, list[Any]] = defaultdict(list)
        self._errors: dict[Source, AwsError] = {}

    def of_vpcs(self, vpcs: Sequence[str]) -> None:
        """What a VPC has of its own."""
        chunks = [vpcs[start : start + VALUES_AT_ONCE] for start in range(0, len(vpcs), VALUES_AT_ONCE)]
        self._ask(
            partial(self._pages, source, operation, decoded, Filters=_filters({"vpc-id": chunk}))
            for source, operation, decoded in _OF_VPCS
            for chunk in chunks
        )

    def peered(self, vpcs: Sequence[str]) -> set[str]:
        """The VPCs at the other ends of the peerings that routes name."""
        wanted = sorted(self._targets("pcx-"))
        if not wanted:
            return set()
        filters = _filters({"vpc-peering-connection-id": wanted})
        self._ask(
            [
                partial(
                    self._pages, Source.PEERINGS, "describe_vpc_peering_connections", decode.peerings, Filters=filters
                )
            ]
        )
        found: list[Peering] = [each for each in self._found[Source.PEERINGS] if each.id in wanted]
        self._found[Source.PEERINGS] = found
        return {vpc for each in found if each.same_region and {*each.vpcs} & {*vpcs} for vpc in each.vpcs}

    def attached(self, account: str | None) -> set[str]:
        """The VPCs at the transit gateways that routes name, with the gateways' own routes."""
        gateways = sorted(self._targets("tgw-"))
        if not gateways:
            return set()
        of_vpcs = {"transit-gateway-id": gateways} | ({"resource-owner-id": [account]} if account else {})
        self._ask(
            [
                partial(
                    self._pages,
                    Source.ATTACHMENTS,
                    "describe_transit_gateway_attachments",
                    decode.attachments,
                    Filters=_filters(of_vpcs | {"resource-type": ["vpc"]}),
                ),
                partial(
                    self._pages,
                    Source.TRANSIT_SUBNETS,
                    "describe_transit_gateway_vpc_attachments",
                    decode.attachment_subnets,
                    Filters=_filters({"transit-gateway-id": gateways}),
                ),
                partial(
                    self._pages,
                    Source.TRANSIT,
                    "describe_transit_gateways",
                    decode.referencing_gateways,
                    Filters=_filters({"transit-gateway-id": gateways}),
                ),
            ]
        )
        found: list[Attachment] = [each for each in self._found[Source.ATTACHMENTS] if each.gateway in gateways]
        self._found[Source.ATTACHMENTS] = found
        self._ask(partial(self._transit_table, table) for table in sorted({each.table for each in found if each.table}))
        return {each.vpc for each in found}

    def prefix_lists(self) -> None:
        """The entries of those that a rule or a route names."""
        groups: list[SecurityGroup] = self._found[Source.GROUPS]
        rules = (rule for group in groups for rule in (*group.ingress, *group.egress))
        transit: list[TransitTable] = self._found[Source.TRANSIT_ROUTES]
        routes = [*(r for table in self._tables for r in table.routes), *(r for table in transit for r in table.routes)]
        named = {each for rule in rules for each in rule.prefix_lists}
        named |= {route.destination for route in routes if route.destination.startswith("pl-")}
        self._ask(partial(self._prefix_list, each) for each in sorted(named))

    def network(self, vpcs: Sequence[str]) -> Network:
        """All of it."""
        found = self._found
        return Network(
            frozenset(Source) - frozenset(self._errors) - self._untried(),
            tuple(vpcs),
            tuple(found[Source.GROUPS]),
            tuple(found[Source.ACLS]),
            tuple(found[Source.TABLES]),
            tuple(found[Source.SUBNETS]),
            tuple(found[Source.PREFIXES]),
            tuple(found[Source.PEERINGS]),
            tuple(self._attachments()),
            tuple(found[Source.TRANSIT_ROUTES]),
        )

    def note(self) -> Note | None:
        """What was refused, in one; no row is missing for it."""
        if not self._errors:
            return None
        first = next(iter(self._errors.values()))
        actions = ", ".join(sorted(source.value for source in self._errors))
        return Note(
            f"the networks around databases could not be read: {first.message}",
            f"which relay reaches them is not known without {actions}",
            partial=False,
        )

    @property
    def _tables(self) -> list[RouteTable]:
        return self._found[Source.TABLES]

    def _targets(self, prefix: str) -> set[str]:
        return {route.target for table in self._tables for route in table.routes if route.target.startswith(prefix)}

    def _untried(self) -> frozenset[Source]:
        """Without routes nobody knows what to ask for."""
        return frozenset({Source.PEERINGS, Source.ATTACHMENTS} if Source.TABLES in self._errors else ())

    def _attachments(self) -> Iterator[Attachment]:
        subnets = {id_: (of, lets) for id_, of, lets in self._found[Source.TRANSIT_SUBNETS]}
        gateways: dict[str, bool] = dict(self._found[Source.TRANSIT])
        for each in self._found[Source.ATTACHMENTS]:
            of, lets = subnets.get(each.id, (None, None))
            both = (gateways.get(each.gateway), lets)
            yield replace(each, subnets=of, references=False if False in both else None if None in both else True)

    def _ask(self, readers: Iterable[Callable[[], Iterator[tuple[Source, list[Any] | AwsError]]]]) -> None:
        for source, answer in merged(list(readers)):
            if isinstance(answer, AwsError):
                self._errors.setdefault(source, answer)
            else:
                self._found[source] += answer

    def _pages(
        self, source: Source, operation: str, decoded: Decode, **parameters: Any
    ) -> Iterator[tuple[Source, list[Any] | AwsError]]:
        try:
            for page in self._gateway.pages("ec2", operation, **parameters):
                yield source, decoded(page)
        except AwsError as error:
            yield source, error

    def _transit_table(self, table: str) -> Iterator[tuple[Source, list[Any] | AwsError]]:
        routes = self._pages(
            Source.TRANSIT_ROUTES,
            "search_transit_gateway_routes",
            decode.transit_routes,
            TransitGatewayRouteTableId=table,
            Filters=_filters({"state": ["active", "blackhole"]}),
        )
        yield from self._whole(routes, lambda found: TransitTable(table, tuple(found)))

    def _prefix_list(self, prefix_list: str) -> Iterator[tuple[Source, list[Any] | AwsError]]:
        cidrs = self._pages(
            Source.PREFIXES, "get_managed_prefix_list_entries", decode.prefix_entries, PrefixListId=prefix_list
        )
        yield from self._whole(cidrs, lambda found: PrefixList(prefix_list, tuple(found)))

    @staticmethod
    def _whole(
        pages: Iterator[tuple[Source, list[Any] | AwsError]], made: Callable[[list[Any]], Any]
    ) -> Iterator[tuple[Source, list[Any] | AwsError]]:
        """One value of all pages; none where they did not come to their end: a part of a list would mislead."""
        every: list[Any] = []
        for source, answer in pages:
            if isinstance(answer, AwsError):
                yield source, answer
                return
            every += answer
        yield source, [made(every)]


def _filters(wanted: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)} for name, values in wanted.items()]
