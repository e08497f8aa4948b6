"""SSM's and the tagging API's answers as AWS writes them: JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.wire.fleet import ACCOUNT, NOW, REGION, Machine


def properties(machines: Iterable[Machine], token: str) -> bytes:
    """A page of DescribeInstanceProperties."""
    return _page("InstanceProperties", [_property(each) for each in machines], "NextToken", token)


def information(machines: Iterable[Machine], token: str) -> bytes:
    """A page of DescribeInstanceInformation, which knows less of the instance."""
    only = {"Architecture", "InstanceRole", "InstanceState", "InstanceType", "KeyName", "LaunchTime"}
    entries = [{key: value for key, value in _property(each).items() if key not in only} for each in machines]
    return _page("InstanceInformationList", entries, "NextToken", token)


def tag_list(machine: Machine | None) -> bytes:
    """ListTagsForResource of a hybrid node."""
    return json.dumps({"TagList": _tags(machine) if machine else []}).encode()


def resources(machines: Iterable[Machine], token: str) -> bytes:
    """A page of the tagging API's GetResources."""
    mapped = [
        {"ResourceARN": f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{each.id}", "Tags": _tags(each)}
        for each in machines
    ]
    return json.dumps({"ResourceTagMappingList": mapped, "PaginationToken": token}).encode()


def _tags(machine: Machine) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in machine.tags.items()]


def _page(name: str, entries: list[dict[str, Any]], token_name: str, token: str) -> bytes:
    return json.dumps({name: entries, **({token_name: token} if token else {})}).encode()


def _property(machine: Machine) -> dict[str, Any]:
    told: dict[str, Any] = {
        "InstanceId": machine.id,
        "PingStatus": machine.ping,
        "LastPingDateTime": NOW + machine.number % 300 + 0.125,
        "AgentVersion": "3.3.987.0",
        "PlatformType": machine.platform,
        "PlatformName": machine.os,
        "PlatformVersion": machine.version,
        "ResourceType": "ManagedInstance" if machine.hybrid else "EC2Instance",
        "IPAddress": machine.ip,
        "ComputerName": machine.name,
        "AssociationStatus": "Success",
        "LastAssociationExecutionDate": NOW - 3600.5,
        "LastSuccessfulAssociationExecutionDate": NOW - 3600.5,
        "AssociationOverview": {
            "DetailedStatus": "Success",
            "InstanceAssociationStatusAggregatedCount": {"Success": 2},
        },
        "SourceId": machine.id,
        "SourceType": "AWS::SSM::ManagedInstance" if machine.hybrid else "AWS::EC2::Instance",
        "IamRole": machine.role,
        "RegistrationDate": float(machine.launched),
    }
    if machine.hybrid:
        return told | {"ActivationId": "6e0a8f3c-1a2b-4c3d-9e8f-000000000001"}
    return told | {
        "Architecture": "x86_64",
        "InstanceRole": f"arn:aws:iam::{ACCOUNT}:instance-profile/{machine.role}",
        "InstanceState": machine.state,
        "InstanceType": machine.type,
        "KeyName": "fleet-2024",
        "LaunchTime": float(machine.launched),
    }
