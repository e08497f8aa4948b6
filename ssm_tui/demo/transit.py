"""The routes of a transit gateway's table as AWS has them: those that were made, and those that attachments propagate.

Moto keeps the first without a list of attachments, as SearchTransitGatewayRoutes has them, and knows no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class TransitRoute:
    """One route: to an attachment, or into a black hole."""

    block: str
    attachment: str
    vpc: str
    static: bool

    @property
    def state(self) -> str:
        """AWS's word."""
        return "active" if self.attachment else "blackhole"

    def as_answer(self) -> dict[str, Any]:
        """The route in the keys of EC2's wire."""
        over = {"resourceId": self.vpc, "resourceType": "vpc", "transitGatewayAttachmentId": self.attachment}
        return {
            "destinationCidrBlock": self.block,
            "transitGatewayAttachments": [over] if self.attachment else [],
            "type": "static" if self.static else "propagated",
            "state": self.state,
        }


def routes(backend: Any, table: Any) -> Iterator[TransitRoute]:
    """The table's routes now; a static one stands before a propagated one to the same block."""
    for block, made in table.routes.items():
        over = made.get("transitGatewayAttachments") or {}
        yield TransitRoute(block, over.get("transitGatewayAttachmentId", ""), over.get("resourceId", ""), static=True)
    for attachment in _propagating(backend, table):
        block = backend.vpcs[attachment.vpc_id].cidr_block
        if block not in table.routes:
            yield TransitRoute(block, attachment.id, attachment.vpc_id, static=False)


def _propagating(backend: Any, table: Any) -> list[Any]:
    """Attachments do where that was asked for, and all of a gateway to its default table unless it was made without."""
    asked = {each.transitGatewayAttachmentId for each in table.route_table_propagation}
    gateway = backend.transit_gateways.get(table.transit_gateway_id)
    default = gateway is not None and gateway.options["DefaultRouteTablePropagation"] == "enable"
    every = default and table.default_propagation_route_table
    own = (
        each
        for each in backend.transit_gateway_attachments.values()
        if each.resource_type == "vpc" and each.transit_gateway_id == table.transit_gateway_id
    )
    return [each for each in own if each.state == "available" and (every or each.id in asked)]


def search(
    backend: Any,
    transit_gateway_route_table_id: str,
    filters: Mapping[str, Sequence[str]],
    max_results: int | None = None,
) -> list[dict[str, Any]]:
    """Stands for moto's search: EC2's filters by state, type and whole destination."""
    table = backend.transit_gateways_route_tables.get(transit_gateway_route_table_id)
    keys = {"state": "state", "type": "type", "route-search.exact-match": "destinationCidrBlock"}
    wanted = [(keys[name], values) for name, values in (filters or {}).items() if name in keys]
    found = (each.as_answer() for each in routes(backend, table)) if table is not None else ()
    return [each for each in found if all(each[key] in values for key, values in wanted)][:max_results]
