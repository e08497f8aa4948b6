"""The stub itself, as botocore sees it: complete, within AWS's bounds, and faulty when told to be."""

from __future__ import annotations

import http.client
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.wire import Fleet, Trouble, Wire
from tests.wire.process import WireProcess
from tests.wire.server import KEY

FLEET = 230


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(Fleet(FLEET, hybrid=0.1, unmanaged=0.2)) as running:
        yield running


def client(url: str, service: str) -> Any:
    session = botocore.session.Session(
        session_vars=dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    )
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": "wire"}
    config = Config(retries={"total_max_attempts": 1})
    return session.create_client(service, "ap-northeast-2", endpoint_url=url, config=config, **keys)


def raw_request(url: str) -> urllib.request.Request:
    scope = f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/ap-northeast-2/ssm/aws4_request"
    headers = {"Authorization": scope, "X-Amz-Target": "AmazonSSM.DescribeInstanceInformation"}
    return urllib.request.Request(url, b"{}", headers)


def instances(url: str, **parameters: Any) -> list[dict[str, Any]]:
    pages = client(url, "ec2").get_paginator("describe_instances").paginate(**parameters)
    return [each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]]


def managed(url: str, operation: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
    return [each for page in client(url, "ssm").get_paginator(operation).paginate(**parameters) for each in page[key]]


@pytest.mark.parametrize("hollow", [False, True])
def test_every_list_is_whole_in_pages_of_any_size(wire: Wire, hollow: bool) -> None:
    wire.plan.hollow = hollow
    wire.plan.page_bounds = {"ec2:DescribeInstances": 7, "ssm:DescribeInstanceProperties": 50}
    machines = [wire.fleet.machine(number) for number in range(FLEET)]
    assert [each["InstanceId"] for each in instances(wire.url)] == [m.id for m in machines if not m.hybrid]
    for operation, key in (
        ("describe_instance_properties", "InstanceProperties"),
        ("describe_instance_information", "InstanceInformationList"),
    ):
        found = managed(wire.url, operation, key)
        assert {each["InstanceId"]: each["PingStatus"] for each in found} == {m.id: m.ping for m in machines if m.ping}
    found = client(wire.url, "resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["ssm:managed-instance"])
    assert len(wire.fleet.hybrids) == 23
    assert hollow or len(found["ResourceTagMappingList"]) == 23


def test_an_order_of_its_own_for_each_list_leaves_out_nobody() -> None:
    straight, mixed = Fleet(FLEET), Fleet(FLEET, order=1)
    assert mixed.instances != straight.instances
    assert sorted(mixed.instances) == straight.instances
    assert sorted(mixed.managed) == straight.managed


def test_filters_are_applied_as_aws_documents_them(wire: Wire) -> None:
    machines = [wire.fleet.machine(number) for number in range(FLEET)]
    wanted = {m.id for m in machines if not m.hybrid and m.tags["env"] == "prod" and m.az.endswith("a")}
    filters = [{"Name": "tag:env", "Values": ["p?od"]}, {"Name": "availability-zone", "Values": ["*2a"]}]
    assert {each["InstanceId"] for each in instances(wire.url, Filters=filters)} == wanted
    lost = [{"key": "PingStatus", "valueSet": ["ConnectionLost"]}]
    found = managed(wire.url, "describe_instance_properties", "InstanceProperties", InstancePropertyFilterList=lost)
    assert {each["InstanceId"] for each in found} == {m.id for m in machines if m.ping == "ConnectionLost"}
    with pytest.raises(ClientError, match="invalid"):
        instances(wire.url, Filters=[{"Name": "colour", "Values": ["red"]}])


def test_faults_strike_when_they_are_ordered(wire: Wire) -> None:
    wire.plan.add(Trouble.THROTTLED, "ssm:DescribeInstanceProperties", first=2, times=1)
    wire.plan.add(Trouble.DENIED, "ec2:*")
    wire.plan.add(Trouble.CUT, "ssm:DescribeInstanceInformation")
    ssm = client(wire.url, "ssm")
    assert ssm.describe_instance_properties()["NextToken"]
    with pytest.raises(ClientError, match="ThrottlingException"):
        ssm.describe_instance_properties()
    assert ssm.describe_instance_properties()["InstanceProperties"]
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        instances(wire.url)
    # Not by botocore, which does not compare what came with what was announced.
    with pytest.raises(http.client.IncompleteRead), urllib.request.urlopen(raw_request(wire.url)) as answer:
        answer.read()
    assert wire.plan.counted()["ssm:DescribeInstanceProperties"] == 3


def test_pages_larger_than_aws_allows_are_refused(wire: Wire) -> None:
    with pytest.raises(ClientError, match="MaxResults"):
        client(wire.url, "ssm").describe_instance_information(MaxResults=51)


def test_a_process_of_its_own_counts_the_same() -> None:
    with WireProcess(30) as wire:
        assert len(instances(wire.url)) == 30
        assert wire.counted() == {"ec2:DescribeInstances": 1}
        wire.reset()
        assert not wire.counted()
