"""Reading nodes from the demo cloud over the wire: all of them, in pages of any size, each call denied in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.aws.live import AwsCloud
from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.nodes import Node, Ping
from ssm_tui.errors import AccessDeniedError
from tests.aws.conftest import CONTAINERS, LISTING, REGION, Administrator, allow, cloud_of, deny


class Recorder(LiveGateway):
    """The real gateway, which also remembers what was asked; `page_size` stands in for AWS's own bounds."""

    def __init__(self, profile: str, page_size: int | None = None) -> None:
        super().__init__(Context(profile, REGION))
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self._bound = page_size

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        self.asked.append((operation, parameters))
        return super().call(service, operation, **parameters)

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        for page in super().pages(service, operation, page_size=self._bound or page_size, **parameters):
            self.asked.append((operation, parameters))
            yield page


def read(cloud: AwsCloud) -> tuple[dict[str, Node], list[Note]]:
    """The machines that a consumer holds when the last page has come; containers have tests of their own."""
    inventory = Inventory()
    notes: list[Note] = []
    for page in cloud.node_pages():
        inventory.add(page.nodes)
        notes += page.notes
    return {node.id: node for node in inventory if not node.container}, notes


def known_to_ec2(admin: Administrator) -> set[str]:
    pages = admin.client("ec2").get_paginator("describe_instances").paginate()
    return {i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]}


def known_to_ssm(admin: Administrator) -> set[str]:
    pages = admin.client("ssm").get_paginator("describe_instance_information").paginate()
    return {each["InstanceId"] for page in pages for each in page["InstanceInformationList"]}


def test_every_node_is_listed_with_what_both_sides_know(admin: Administrator) -> None:
    nodes, notes = read(cloud_of(admin.profile(allow(*LISTING))))
    ec2, ssm = known_to_ec2(admin), known_to_ssm(admin)
    assert not notes
    assert set(nodes) == ec2 | ssm
    assert len(nodes) > 40
    assert {node.id for node in nodes.values() if node.ping is Ping.UNMANAGED} == ec2 - ssm
    by_name = {node.name: node for node in nodes.values()}
    api = by_name["결제-api-1"]
    assert (api.ping, api.state, api.tags["team"], api.account) == (Ping.ONLINE, "running", "pay", "123456789012")
    assert None not in (api.vpc, api.subnet, api.az, api.ip, api.agent_version, api.platform, api.role, api.last_ping)
    assert api.security_groups
    assert by_name["web-lost"].ping is Ping.LOST


def test_hybrid_nodes_have_their_tags_and_are_not_asked_of_ec2(admin: Administrator) -> None:
    gateway = Recorder(admin.profile(allow(*LISTING)))
    nodes, _ = read(AwsCloud(Context(None, REGION), gateway))
    hybrid = [node for node in nodes.values() if node.hybrid]
    assert len(hybrid) == 2
    assert {node.tags["team"] for node in hybrid} == {"pay", "web"}
    assert not any("mi-" in str(asked) for operation, asked in gateway.asked if operation == "describe_instances")


def test_hybrid_tags_by_the_tagging_api_where_that_is_allowed(admin: Administrator) -> None:
    gateway = Recorder(admin.profile(allow(*LISTING, "tag:GetResources"), deny("ssm:ListTagsForResource")))
    nodes, notes = read(AwsCloud(Context(None, REGION), gateway))
    assert {node.tags["team"] for node in nodes.values() if node.hybrid} == {"pay", "web"}
    assert not notes
    assert [operation for operation, _ in gateway.asked].count("get_resources") == 1


def test_small_pages_give_the_same(admin: Administrator) -> None:
    profile = admin.profile(allow(*LISTING))
    gateway = Recorder(profile, page_size=7)
    context = Context(profile, REGION)
    small, large = read(AwsCloud(context, gateway))[0], read(AwsCloud(context))[0]
    # The agents go on answering between the two reads.
    assert [replace(n, last_ping=None) for n in small.values()] == [replace(large[i], last_ping=None) for i in small]
    assert len(small) == len(large)
    assert len([operation for operation, _ in gateway.asked if operation == "describe_instance_properties"]) > 5


def test_information_stands_in_for_properties_that_are_denied(admin: Administrator) -> None:
    nodes, notes = read(cloud_of(admin.profile(allow(*LISTING), deny("ssm:DescribeInstanceProperties"))))
    assert not notes
    assert {node.id for node in nodes.values() if node.ping is not Ping.UNMANAGED} == known_to_ssm(admin)


def test_without_ssm_the_pings_are_unknown_and_a_note_says_why(admin: Administrator) -> None:
    nodes, notes = read(cloud_of(admin.profile(allow("ec2:DescribeInstances", *CONTAINERS))))
    assert set(nodes) == known_to_ec2(admin)
    assert {node.ping for node in nodes.values()} == {Ping.UNKNOWN}
    assert len(notes) == 1
    assert "ssm:DescribeInstanceProperties" in notes[0].message + notes[0].hint


def test_without_ec2_the_managed_nodes_are_there_and_a_note_says_why(admin: Administrator) -> None:
    nodes, notes = read(cloud_of(admin.profile(allow("ssm:Describe*", "ssm:ListTagsForResource", *CONTAINERS))))
    assert set(nodes) == known_to_ssm(admin)
    assert Ping.UNMANAGED not in {node.ping for node in nodes.values()}
    assert len(notes) == 1
    assert "ec2:DescribeInstances" in notes[0].message + notes[0].hint


def test_without_hybrid_tags_a_note_says_why(admin: Administrator) -> None:
    nodes, notes = read(cloud_of(admin.profile(allow("ssm:Describe*", "ec2:DescribeInstances", *CONTAINERS))))
    assert [node.tags for node in nodes.values() if node.hybrid] == [{}, {}]
    assert len(notes) == 1
    assert "ssm:ListTagsForResource" in notes[0].message + notes[0].hint


def test_without_both_it_is_an_error(admin: Administrator) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        read(cloud_of(admin.profile(allow("s3:ListBuckets"))))
    assert caught.value.action == "ssm:DescribeInstanceProperties"


def test_another_region_has_other_nodes(admin: Administrator) -> None:
    nodes, _ = read(cloud_of(admin.profile(allow(*LISTING)), "us-east-1"))
    names = {node.name for node in nodes.values()}
    assert "edge-1" in names
    assert "web-1" not in names
