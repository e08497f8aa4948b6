"""The tagging API's GetResources for what moto does not know: hybrid nodes, over the register, and databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.demo.answers import Answer, json_answer
from ssm_tui.demo.ssm_nodes import paged
from ssm_tui.demo.tagged_databases import tagged
from ssm_tui.demo.validation import validate

if TYPE_CHECKING:
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.registry import Registry
    from ssm_tui.demo.wire import WireRequest

GET_RESOURCES = "tag:GetResources"
_TYPES = {"ssm", "ssm:managed-instance"}
_MOST = 100


@dataclass(frozen=True, slots=True)
class TaggingCalls:
    """The calls over one register."""

    registry: Registry

    def get_resources(self, request: WireRequest, caller: Principal) -> Answer | None:
        """Hybrid nodes or our databases that have tags; None where other types are wanted, which are moto's."""
        parameters = request.json()
        validate("resourcegroupstaggingapi", request.operation, parameters)
        types = parameters.get("ResourceTypeFilters", [])
        databases = tagged(caller.account, request.region, set(types))
        if databases is None and (not types or not _TYPES.issuperset(types)):
            return None
        told = self._hybrid(request, caller) if databases is None else databases
        size = min(parameters.get("ResourcesPerPage", _MOST), _MOST)
        page, token = paged(told, size, parameters.get("PaginationToken") or None, sorted(types))
        return json_answer({"ResourceTagMappingList": page, "PaginationToken": token or ""})

    def _hybrid(self, request: WireRequest, caller: Principal) -> list[dict[str, Any]]:
        place = f"arn:{caller.partition}:ssm:{request.region}:{caller.account}:managed-instance"
        return [
            {
                "ResourceARN": f"{place}/{node.id}",
                "Tags": [{"Key": key, "Value": value} for key, value in node.own_tags.items()],
            }
            for node in self.registry.nodes(caller.account, request.region)
            if node.hybrid is not None and node.own_tags
        ]
