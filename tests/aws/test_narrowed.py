"""Nodes read with a narrowing: AWS is asked for fewer, and what matches is the same, whichever source is denied."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.aws.live import AwsClouds
from ssm_tui.aws.nodes import read_nodes
from ssm_tui.aws.signature import NO_SIGNATURE, Signature
from ssm_tui.commands import reading
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.filters import Filter, parse
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing, narrowing
from ssm_tui.domain.nodes import NODE_FIELDS, Node
from ssm_tui.errors import AccessDeniedError, AwsError, FilterError

HERE = Context("dev", "eu-west-1")


@dataclass(frozen=True)
class Machine:
    """What there is, and who knows of it."""

    id: str
    ping: str
    platform: str
    state: str
    vpc: str
    az: str
    tags: Mapping[str, str]
    in_ec2: bool
    in_ssm: bool

    def instance(self) -> dict[str, Any]:
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        windows = {"Platform": "windows"} if self.platform == "Windows" else {}
        where = {"VpcId": self.vpc, "SubnetId": "subnet-1", "Placement": {"AvailabilityZone": self.az}}
        groups = [{"GroupId": "sg-1"}]
        return {
            "InstanceId": self.id, "State": {"Name": self.state}, "Tags": tags, "SecurityGroups": groups, **where,
            **windows,
        }  # fmt: skip

    def properties(self) -> dict[str, Any]:
        # Of instances that EC2 has forgotten SSM knows that they are terminated.
        state = self.state if self.in_ec2 else "terminated"
        return {
            "InstanceId": self.id, "PingStatus": self.ping, "PlatformType": self.platform, "InstanceState": state,
            "AgentVersion": "3.3.987.0", "PlatformName": "OS", "LastPingDateTime": None,
        }  # fmt: skip


def finds(pattern: str, text: str) -> bool:
    """EC2's filters: exact but for `*` and `?`."""
    signs = {"*": ".*", "?": "."}
    return re.fullmatch("".join(signs.get(c) or re.escape(c) for c in pattern), text, re.DOTALL) is not None


def ec2_values(each: Machine, name: str) -> list[str]:
    known = {
        "tag-key": list(each.tags), "tag-value": list(each.tags.values()), "instance-state-name": [each.state],
        "vpc-id": [each.vpc], "availability-zone": [each.az], "subnet-id": ["subnet-1"], "instance.group-id": ["sg-1"],
    }  # fmt: skip
    return known[name]


class Fleet:
    """AWS with these machines, as far as it may be asked."""

    def __init__(self, machines: list[Machine], denied: str = "") -> None:
        self.machines, self.denied = machines, denied
        self.told = 0

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        assert (service, operation) == ("ssm", "list_tags_for_resource")
        tags = next(each.tags for each in self.machines if each.id == parameters["ResourceId"])
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def endpoint(self, service: str) -> str:
        return f"https://{service}"

    def presigned(self, service: str, url: str, *, seconds: int) -> str:
        raise AssertionError("nodes are read without a signature of our own")

    def signature(self) -> Signature:
        return NO_SIGNATURE

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        if service == self.denied or service not in ("ec2", "ssm"):
            raise AccessDeniedError(f"{service}:{operation}", "", action=f"{service}:{operation}")
        if service == "ec2":
            found = [each for each in self.machines if each.in_ec2]
            for wanted in parameters.get("Filters", ()):
                found = [
                    each
                    for each in found
                    if any(finds(v, text) for v in wanted["Values"] for text in ec2_values(each, wanted["Name"]))
                ]
            self.told += len(found)
            yield {"Reservations": [{"OwnerId": "123456789012", "Instances": [each.instance()]} for each in found]}
            return
        assert operation == "describe_instance_properties"
        found = [each for each in self.machines if each.in_ssm]
        for wanted in parameters.get("InstancePropertyFilterList", ()):
            key = {"PingStatus": "ping", "PlatformTypes": "platform"}[wanted["key"]]
            found = [each for each in found if getattr(each, key) in wanted["valueSet"]]
        self.told += len(found)
        for each in found:
            yield {"InstanceProperties": [each.properties()]}


def matching(machines: list[Machine], wanted: Filter, asked: Narrowing, denied: str) -> list[Node] | None:
    """What a read that is narrowed so finds of the filter; None where nothing can be read."""
    inventory = Inventory()
    try:
        for page in read_nodes(Fleet(machines, denied), HERE, lambda: "123456789012", lambda _node: None, asked):
            inventory.add(page.nodes)
    except AwsError:
        return None
    return sorted((node for node in inventory if wanted.matches(node)), key=lambda node: node.id)


TEXTS = st.text(st.sampled_from("aAkKsSßtf1-* 한"), max_size=4)
KEYS = st.sampled_from(["env", "ENV", "Team", "straße"])
MACHINES = st.builds(
    lambda number, hybrid, **facts: Machine(
        id=f"{'mi' if hybrid else 'i'}-{number:017x}",
        in_ec2=not hybrid and facts.pop("in_ec2"),
        in_ssm=hybrid or facts.pop("in_ssm"),
        **{key: value for key, value in facts.items() if key not in ("in_ec2", "in_ssm")},
    ),
    number=st.integers(0, 30),
    hybrid=st.booleans(),
    ping=st.sampled_from(["Online", "ConnectionLost", "Inactive"]),
    platform=st.sampled_from(["Linux", "Windows", "MacOS"]),
    state=st.sampled_from(["running", "stopped", "terminated"]),
    vpc=st.sampled_from(["vpc-0e1", "vpc-0e2"]),
    az=st.sampled_from(["eu-west-1a", "eu-west-1b"]),
    tags=st.dictionaries(KEYS, TEXTS, max_size=3),
    in_ec2=st.booleans(),
    in_ssm=st.booleans(),
)
TERMS = st.one_of(
    st.builds('{}{}="{}"'.format, st.sampled_from(["", "-"]), KEYS, TEXTS),
    st.builds("{}={}*".format, KEYS, TEXTS.map(lambda text: text.replace(" ", ""))),
    st.builds("tag:{}".format, KEYS),
    st.sampled_from(["ping:online", "ping:*o*", "ping:unmanaged", "platform:linux|macos", "platform:windows"]),
    st.sampled_from(["state:running", "state:run*|stopped", "-state:running", "vpc:0E1", "vpc:vpc-*1", "az:1a"]),
    st.sampled_from(["sg:sg-1", "subnet:2", "i-0", "id:mi", "os:os"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(MACHINES, max_size=6, unique_by=lambda each: each.id), st.lists(TERMS, min_size=1, max_size=3))
def test_what_matches_is_the_same(machines: list[Machine], terms: list[str]) -> None:
    try:
        wanted = parse(" ".join(terms), NODE_FIELDS)
    except FilterError:
        return
    asked = narrowing(wanted)
    for denied in ("", "ec2", "ssm"):
        assert matching(machines, wanted, asked, denied) == matching(machines, wanted, NOTHING_NARROWED, denied)


def test_a_narrowed_read_is_told_less() -> None:
    each = Machine("i-1", "Online", "Linux", "running", "vpc-1", "a", {"env": "prod"}, in_ec2=True, in_ssm=True)
    others = [replace(each, id=f"i-{n}", ping="Inactive", tags={"env": "dev"}) for n in range(2, 50)]
    fleet = Fleet([each, *others])
    asked = narrowing(parse("ENV=Prod ping:online", NODE_FIELDS))
    pages = list(read_nodes(fleet, HERE, lambda: "123456789012", lambda _node: None, asked))
    assert {node.id for page in pages for node in page.nodes} == {"i-1"}
    assert fleet.told == 2


FILTERS = (
    *("ENV=Prod ping:online", "team=p*|WEB", "tag:env state:running", "az:2a platform:linux", "env=prod -team=pay"),
    *("vpc:vpc-", "sg:sg-", "subnet:subnet-*", "name:web", "ping:connectionlost", "owner=", "Name=🚀*"),
)


def test_the_demo_clouds_nodes(demo_cloud: DemoProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in demo_cloud.environment.items():
        monkeypatch.setenv(name, value)
    clouds = AwsClouds((), ())
    cloud = clouds.open(clouds.contexts()[0])
    everything = reading.read_nodes(cloud, access=False).nodes
    for text in FILTERS:
        wanted = parse(text, NODE_FIELDS)
        whole = {node.id: node.tags for node in everything if wanted.matches(node)}
        assert whole, text
        found = reading.read_nodes(cloud, access=False, wanted=wanted).nodes
        assert {node.id: node.tags for node in found} == whole, text
