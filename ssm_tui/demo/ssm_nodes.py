"""The SSM calls that list managed nodes, DescribeInstanceInformation and its like, over the register."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.registry import LATEST_AGENT, ManagedNode, Registry, node_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.wire import WireRequest

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class NodeCalls:
    """The listing calls over one register. Parameters come checked against the service's model."""

    registry: Registry

    def describe_instance_information(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        old, new = parameters.get("InstanceInformationFilterList") or [], parameters.get("Filters") or []
        if old and new:
            raise AwsFault("ValidationException", "Filters and InstanceInformationFilterList cannot be used together.")
        filters = [(each["key"], "Equal", each["valueSet"]) for each in old]
        filters += [(each["Key"], "Equal", each["Values"]) for each in new]
        nodes = self._selected(request, caller, filters, "InvalidInstanceInformationFilterValue")
        page, token = paged(nodes, parameters.get("MaxResults", 10), parameters.get("NextToken"), filters)
        return json_answer({"InstanceInformationList": [_information(each) for each in page], "NextToken": token})

    def describe_instance_properties(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        filters = [
            (each["key"], "Equal", each["valueSet"]) for each in parameters.get("InstancePropertyFilterList", [])
        ]
        filters += [
            (each["Key"], each.get("Operator", "Equal"), each["Values"])
            for each in parameters.get("FiltersWithOperator", [])
        ]
        nodes = self._selected(request, caller, filters, "InvalidInstancePropertyFilterValue")
        page, token = paged(nodes, parameters.get("MaxResults", 1000), parameters.get("NextToken"), filters)
        return json_answer({"InstanceProperties": [_properties(each) for each in page], "NextToken": token})

    def get_connection_status(self, request: WireRequest, caller: Principal) -> Answer:
        target = request.json()["Target"]
        node = self.registry.find(caller.account, request.region, target)
        connected = node is not None and node.lost_since is None
        return json_answer({"Target": target, "Status": "connected" if connected else "notconnected"})

    def add_tags_to_resource(self, request: WireRequest, caller: Principal) -> Answer | None:
        node = self._hybrid(request, caller)
        if node is None:
            return None
        node.own_tags.update({each["Key"]: each["Value"] for each in request.json()["Tags"]})
        return json_answer({})

    def remove_tags_from_resource(self, request: WireRequest, caller: Principal) -> Answer | None:
        node = self._hybrid(request, caller)
        if node is None:
            return None
        for key in request.json()["TagKeys"]:
            node.own_tags.pop(key, None)
        return json_answer({})

    def list_tags_for_resource(self, request: WireRequest, caller: Principal) -> Answer | None:
        node = self._hybrid(request, caller)
        if node is None:
            return None
        return json_answer({"TagList": [{"Key": key, "Value": value} for key, value in node.own_tags.items()]})

    def _hybrid(self, request: WireRequest, caller: Principal) -> ManagedNode | None:
        """The hybrid node the tags are of; None for other resources, whose tags moto keeps."""
        parameters = request.json()
        if parameters["ResourceType"] != "ManagedInstance":
            return None
        node = self.registry.find(caller.account, request.region, parameters["ResourceId"])
        if node is None or node.hybrid is None:
            message = "The resource ID is not valid. Verify that you entered the correct ID and try again."
            raise AwsFault("InvalidResourceId", message)
        return node

    def _selected(
        self, request: WireRequest, caller: Principal, filters: Sequence[tuple[str, str, list[str]]], fault: str
    ) -> list[ManagedNode]:
        nodes = self.registry.nodes(caller.account, request.region)
        for key, operator, values in filters:
            test = _filter(key, operator, values, fault)
            nodes = [each for each in nodes if test(each)]
        return nodes


def _resource_type(node: ManagedNode) -> str:
    return "ManagedInstance" if node.hybrid is not None else "EC2Instance"


def _source_type(node: ManagedNode) -> str:
    return "AWS::SSM::ManagedInstance" if node.hybrid is not None else "AWS::EC2::Instance"


_FIELDS: dict[str, Callable[[ManagedNode], str]] = {
    "InstanceIds": lambda node: node.id,
    "AgentVersion": lambda node: node.agent.version,
    "PingStatus": lambda node: node.ping,
    "PlatformTypes": lambda node: node.agent.platform_type,
    "ResourceType": _resource_type,
    "IamRole": lambda node: node.role,
    "ActivationIds": lambda node: node.hybrid.activation if node.hybrid else "",
    "SourceIds": lambda node: node.id,
    "SourceTypes": _source_type,
}
_CHOICES = {
    "PingStatus": ("Online", "ConnectionLost", "Inactive"),
    "PlatformTypes": ("Windows", "Linux", "MacOS"),
    "ResourceType": ("EC2Instance", "ManagedInstance"),
}


def _filter(key: str, operator: str, values: list[str], fault: str) -> Callable[[ManagedNode], bool]:
    if key.startswith("tag:"):
        tag = key.removeprefix("tag:")
        return lambda node: any(fnmatch.fnmatchcase(node_tags(node).get(tag, "\0"), each) for each in values)
    if key == "tag-key":
        return lambda node: any(each in node_tags(node) for each in values)
    read = _FIELDS.get(key)
    if read is None:
        raise AwsFault("InvalidFilterKey", f"The filter key {key} is not valid.")
    choices = _CHOICES.get(key)
    if choices and (wrong := [each for each in values if each not in choices]):
        raise AwsFault(fault, f"The value {wrong[0]} is not valid for the filter {key}. Valid values: {list(choices)}")
    compare = _OPERATORS[operator]
    return lambda node: compare(read(node), values)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(each) if each.isdigit() else 0 for each in text.split("."))


_OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "Equal": lambda actual, values: actual in values,
    "NotEqual": lambda actual, values: actual not in values,
    "BeginWith": lambda actual, values: actual.startswith(tuple(values)),
    "LessThan": lambda actual, values: any(_version(actual) < _version(each) for each in values),
    "GreaterThan": lambda actual, values: any(_version(actual) > _version(each) for each in values),
}


def paged(items: Sequence[Item], size: int, token: str | None, query: object) -> tuple[Sequence[Item], str | None]:
    """One page and the token of the next; a token is good for the query it was made for alone."""
    mark = binascii.crc32(json.dumps(query, default=str).encode())
    first = 0
    if token is not None:
        try:
            kind, first = json.loads(base64.urlsafe_b64decode(token.encode()))
        except (ValueError, TypeError):
            kind = None
        if kind != mark:
            raise AwsFault("InvalidNextToken", "The specified token is not valid.")
    following = first + size
    if following >= len(items):
        return items[first:], None
    return items[first:following], base64.urlsafe_b64encode(json.dumps([mark, following]).encode()).decode()


def _information(node: ManagedNode) -> dict[str, Any]:
    """An entry of DescribeInstanceInformation; AWS gives names, roles and activations of hybrid nodes alone."""
    agent, hybrid = node.agent, node.hybrid
    return {
        "InstanceId": node.id,
        "PingStatus": node.ping,
        "LastPingDateTime": node.last_ping,
        "AgentVersion": agent.version,
        "IsLatestVersion": agent.version == LATEST_AGENT,
        "PlatformType": agent.platform_type,
        "PlatformName": agent.platform_name,
        "PlatformVersion": agent.platform_version,
        "ResourceType": _resource_type(node),
        "IPAddress": node.address,
        "ComputerName": node.computer_name,
        "SourceId": node.id,
        "SourceType": _source_type(node),
        "ActivationId": hybrid.activation if hybrid else None,
        "IamRole": hybrid.role if hybrid else None,
        "RegistrationDate": node.registered if hybrid else None,
        "Name": hybrid.name if hybrid else None,
    }


def _properties(node: ManagedNode) -> dict[str, Any]:
    """An entry of DescribeInstanceProperties: the same joined with what EC2 knows."""
    machine = node.machine
    entry = _information(node) | {
        "IsLatestVersion": None,
        "Name": node.hybrid.name if node.hybrid else node_tags(node).get("Name", ""),
        "RegistrationDate": node.registered,
        "IamRole": node.role or None,
    }
    if machine is not None:
        entry |= {
            "InstanceType": machine.instance_type,
            "InstanceRole": machine.profile or None,
            "KeyName": machine.key_name,
            "InstanceState": machine.state,
            "Architecture": machine.architecture,
            "LaunchTime": machine.launched,
            "AvailabilityZone": machine.zone,
        }
    return entry
