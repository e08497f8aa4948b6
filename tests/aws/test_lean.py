"""The lean parser gives what botocore's own gives, of the fields that are read; and leaves everything else to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import pytest
from botocore.parsers import ResponseParserError, create_parser
from botocore.session import Session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssm_tui.aws import decode
from ssm_tui.aws.lean import LeanParserFactory

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


@cache
def shape(service: str, name: str) -> Any:
    return Session().get_service_model(service).shape_for(name)


def answer(body: bytes, status: int = 200) -> Mapping[str, Any]:
    return {"status_code": status, "headers": {}, "body": body, "context": {}}


def both(protocol: str, body: bytes, wanted: Any, status: int = 200) -> tuple[dict[str, Any], dict[str, Any]]:
    """What our parser and what botocore's makes of an answer."""
    ours = LeanParserFactory().create_parser(protocol).parse(answer(body, status), wanted)
    theirs = create_parser(protocol).parse(answer(body, status), wanted)
    return ours, theirs


def part_of(lean: Any, whole: Any) -> bool:
    """Whether `lean` says nothing else than `whole`; lists must be of the same length."""
    if isinstance(lean, dict):
        return all(key in whole and part_of(value, whole[key]) for key, value in lean.items())
    if isinstance(lean, list):
        return len(lean) == len(whole) and all(map(part_of, lean, whole))
    return bool(lean == whole)


def agree(protocol: str, body: bytes, wanted: Any, decoded: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Checks that both parsers say the same, and returns what it decodes to."""
    ours, theirs = both(protocol, body, wanted)
    assert part_of({**ours, "ResponseMetadata": {"HTTPStatusCode": 200}}, theirs)
    assert ours.get("NextToken") == theirs.get("NextToken")
    assert decoded(ours) == decoded(theirs)
    return decoded(ours)


# Texts as they may stand in XML: what a parser must not stumble over, and lengths that cross a chunk's end.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20) | st.sampled_from(
    ["", "  ", '<tag> & "quotes"', "결제-api", "]]>", "x" * 70_000, "👩‍👩‍👧", "\t\n"]
)
SCALARS = [
    "instanceId", "imageId", "platform", "privateIpAddress", "vpcId", "subnetId", "instanceType", "keyName", "dnsName",
]  # fmt: skip
TIMES = st.sampled_from(
    ["2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05+09:00"]
)


def element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>" if content else f"<{name}/>"


def structure(**members: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A structure with any of the members, in any order."""
    given_members = st.fixed_dictionaries({}, optional=members)
    return given_members.flatmap(lambda m: st.permutations([element(k, v) for k, v in m.items()])).map("".join)


def items(content: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(content.map(lambda each: element("item", each)), max_size=most).map("".join)


ESCAPED = TEXT.map(escape)
INSTANCE = structure(
    **dict.fromkeys(SCALARS, ESCAPED),
    instanceState=structure(code=st.integers(0, 80).map(str), name=ESCAPED),
    placement=structure(availabilityZone=ESCAPED, tenancy=ESCAPED),
    iamInstanceProfile=structure(arn=ESCAPED, id=ESCAPED),
    launchTime=TIMES,
    groupSet=items(structure(groupId=ESCAPED, groupName=ESCAPED)),
    tagSet=items(structure(key=ESCAPED, value=ESCAPED)),
    networkInterfaceSet=items(structure(groupSet=items(structure(groupId=ESCAPED)), subnetId=ESCAPED)),
    somethingNew=items(structure(tagSet=ESCAPED, instanceId=ESCAPED)),
)
RESERVATION = structure(
    ownerId=ESCAPED, reservationId=ESCAPED, groupSet=items(structure(groupId=ESCAPED)), instancesSet=items(INSTANCE)
)
ANSWER = structure(requestId=ESCAPED, reservationSet=items(RESERVATION, 6), nextToken=ESCAPED)


@UNHURRIED
@given(ANSWER, st.sampled_from([f' xmlns="{NAMESPACE}"', ""]))
def test_described_instances(content: str, namespace: str) -> None:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<DescribeInstancesResponse{namespace}>{content}'
    agree(
        "ec2",
        f"{body}</DescribeInstancesResponse>".encode(),
        shape("ec2", "DescribeInstancesResult"),
        decode.instances,
    )


def test_a_page_over_many_chunks() -> None:
    instance = (
        "<instanceId>i-{0}</instanceId><placement><availabilityZone>a</availabilityZone></placement>"
        "<launchTime>2026-01-02T03:04:05.000Z</launchTime><tagSet><item><key>Name</key><value>web-{0} é</value></item>"
        "</tagSet><networkInterfaceSet><item><privateIpAddress>10.0.0.1</privateIpAddress></item></networkInterfaceSet>"
    )
    reservations = "".join(
        f"<item><ownerId>1</ownerId><instancesSet><item>{instance.format(n)}</item></instancesSet></item>"
        for n in range(2_000)
    )
    body = f'<DescribeInstancesResponse xmlns="{NAMESPACE}"><reservationSet>{reservations}</reservationSet>'
    body += "<nextToken>more</nextToken></DescribeInstancesResponse>"
    found = agree("ec2", body.encode(), shape("ec2", "DescribeInstancesResult"), decode.instances)
    assert [each.id for each in found] == [f"i-{n}" for n in range(2_000)]
    assert found[7].tags == {"Name": "web-7 é"}


JSON_TEXT = st.none() | TEXT
ENTRY = st.fixed_dictionaries(
    {"InstanceId": TEXT},
    optional={
        **dict.fromkeys(
            ("Name", "ComputerName", "PingStatus", "PlatformType", "AgentVersion", "IPAddress", "IamRole", "KeyName"),
            JSON_TEXT,
        ),
        "LastPingDateTime": st.none() | st.integers(0, 2**33) | st.floats(0, 2**33),
        "LaunchTime": st.sampled_from([1_790_000_000.123, "2026-01-02T03:04:05Z", "1790000000"]),
        "AssociationOverview": st.fixed_dictionaries({"DetailedStatus": TEXT}),
    },
)


@UNHURRIED
@given(
    st.sampled_from(["Properties", "Information"]),
    st.fixed_dictionaries({"list": st.lists(ENTRY, max_size=4)}, optional={"NextToken": JSON_TEXT}),
)
def test_described_managed_nodes(kind: str, content: dict[str, Any]) -> None:
    key = "InstanceProperties" if kind == "Properties" else "InstanceInformationList"
    if kind == "Information":  # whose description knows no such member
        for each in content["list"]:
            each.pop("LaunchTime", None)
    content = {key if name == "list" else name: value for name, value in content.items()}
    wanted = shape("ssm", f"DescribeInstance{kind}Result")
    agree("json", json.dumps(content).encode(), wanted, decode.managed)


@pytest.mark.parametrize(
    ("protocol", "service", "name", "body", "status"),
    [
        ("ec2", "ec2", "DescribeVpcsResult", "<r><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></r>", 200),
        (
            "ec2",
            "ec2",
            "DescribeInstancesResult",
            "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
            503,
        ),
        ("json", "ssm", "DescribeInstancePropertiesResult", '{"__type":"ThrottlingException","message":"no"}', 400),
        ("json", "ssm", "DescribeInstancePropertiesResult", '{"message":"hotel"}', 200),
        ("json", "ssm", "ListTagsForResourceResult", '{"TagList":[{"Key":"a","Value":"b"}]}', 200),
    ],
)
def test_everything_else_is_botocores(protocol: str, service: str, name: str, body: str, status: int) -> None:
    ours, theirs = both(protocol, body.encode(), shape(service, name), status)
    assert ours == theirs


@pytest.mark.parametrize("body", ["", "<html>", "<DescribeInstancesResponse><reservationSet>", "\x00"])
def test_what_is_no_xml_fails_as_with_botocore(body: str) -> None:
    with pytest.raises(ResponseParserError):
        LeanParserFactory().create_parser("ec2").parse(answer(body.encode()), shape("ec2", "DescribeInstancesResult"))
