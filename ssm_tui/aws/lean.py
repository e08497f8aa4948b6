"""Answers of the listing calls, read for the fields that `decode` looks at and no others; botocore reads the rest.

botocore walks the service's description for every element of an answer: 0.5 s for a page of 1,000 instances, which take
0.1 s here (SSM's page 0.06 s, here 0.01). What comes out is a part of what botocore would give, equal to it field by
field; the tests compare the two.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree.ElementTree import ParseError, XMLPullParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from xml.etree.ElementTree import Element

# The C parser keeps the GIL while it is fed. A chunk takes it half a millisecond, then the screen may have its turn.
CHUNK = 65_536

_SSM_LISTS = {
    "DescribeInstancePropertiesResult": "InstanceProperties",
    "DescribeInstanceInformationResult": "InstanceInformationList",
}
_SSM_TEXTS = (
    "InstanceId", "Name", "ComputerName", "PingStatus", "InstanceState", "PlatformType", "PlatformName",
    "PlatformVersion", "AgentVersion", "IPAddress", "IamRole", "InstanceRole", "InstanceType",
)  # fmt: skip
_SSM_TIMES = ("LastPingDateTime", "LaunchTime")


class Parser(Protocol):
    """What botocore parses an answer with."""

    def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:
        """The answer (`status_code`, `headers`, `body`) in the shape that the service's description gives it."""


class LeanParserFactory:
    """In the place of botocore's ResponseParserFactory (the session's component `response_parser_factory`)."""

    def create_parser(self, protocol: str) -> Parser:
        """The parser of one protocol's answers."""
        from botocore.parsers import create_parser

        return LeanParser(create_parser(protocol))


class LeanParser:
    """Reads what it knows, and hands everything else to botocore's own: other calls, errors, what is malformed."""

    def __init__(self, botocores: Parser) -> None:
        self._botocores = botocores

    def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:
        """The answer, in the shape wanted. Raises what botocore's parser raises."""
        name = getattr(shape, "name", "")
        parsed: dict[str, Any] | None = None
        if response["status_code"] == 200:
            if name == "DescribeInstancesResult":
                parsed = described_instances(response["body"])
            elif name in _SSM_LISTS:
                parsed = described_managed(response["body"], _SSM_LISTS[name])
        if parsed is None:
            return self._botocores.parse(response, shape)
        parsed["ResponseMetadata"] = {"HTTPStatusCode": 200}
        return parsed


# EC2's XML


def described_instances(body: bytes) -> dict[str, Any] | None:
    """The `Reservations` and `NextToken` of a DescribeInstances answer; None for what is none.

    A reservation that has been read to its end is taken out of the tree while the rest is still being parsed: the tree
    of a whole page takes 30 MB.
    """
    parser: XMLPullParser[Any] = XMLPullParser(events=("start",))
    told = _Told()
    reservations: list[dict[str, Any]] = []
    root: Element | None = None
    listed: Element | None = None
    try:
        for start in range(0, len(body), CHUNK):
            parser.feed(body[start : start + CHUNK])
            if root is None:
                root = next(_elements(parser), None)
            deque(parser.read_events(), maxlen=0)
            if listed is None and root is not None:
                listed = next((each for each in root if _name(each.tag) == "reservationSet"), None)
            if listed is not None:
                whole = listed[:-1]
                reservations += map(told.reservation, whole)
                del listed[: len(whole)]
        parser.close()
        if root is None or _name(root.tag) != "DescribeInstancesResponse":
            return None
        parsed = told.answer(root)
    except (ParseError, ValueError):
        return None
    if reservations:
        parsed["Reservations"] = reservations + parsed["Reservations"]
    return parsed


def _elements(parser: Any) -> Iterator[Element]:
    # Any: typeshed gives an event the types of all kinds of events, and this one asks for the start of elements alone.
    return (element for _, element in parser.read_events())


class _Structure(dict[str, "tuple[str, Callable[[Element], Any]] | None"]):
    """How to read a structure: by the name of an element, the name of the member and how its value is read. An element
    may carry a namespace; its name without it is looked up once."""

    def __missing__(self, tag: str) -> tuple[str, Callable[[Element], Any]] | None:
        found = self.get(_name(tag))
        self[tag] = found
        return found

    def __call__(self, element: Element) -> dict[str, Any]:
        parsed = {}
        for each in element:
            if member := self[each.tag]:
                parsed[member[0]] = member[1](each)
        return parsed


def _list(read: Callable[[Element], Any]) -> Callable[[Element], list[Any]]:
    return lambda element: [read(each) for each in element]


def _text(element: Element) -> str:
    return element.text or ""


def _time(element: Element) -> datetime:
    """EC2 gives all times alike: `2026-01-02T03:04:05.000Z`. Others raise ValueError: they are botocore's to read."""
    text = element.text or ""
    if len(text) not in (20, 24) or text[10] != "T" or text[-1] != "Z":
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _only(tag: str, member: str, read: Callable[[Element], Any] = _text) -> _Structure:
    return _Structure({tag: (member, read)})


class _Told:
    """How DescribeInstances' answer is read; made for each, since it remembers the names that it meets."""

    def __init__(self) -> None:
        instance = _Structure(
            {
                "instanceId": ("InstanceId", _text),
                "instanceState": ("State", _only("name", "Name")),
                "platform": ("Platform", _text),
                "privateIpAddress": ("PrivateIpAddress", _text),
                "vpcId": ("VpcId", _text),
                "subnetId": ("SubnetId", _text),
                "placement": ("Placement", _only("availabilityZone", "AvailabilityZone")),
                "iamInstanceProfile": ("IamInstanceProfile", _only("arn", "Arn")),
                "instanceType": ("InstanceType", _text),
                "launchTime": ("LaunchTime", _time),
                "groupSet": ("SecurityGroups", _list(_only("groupId", "GroupId"))),
                "tagSet": ("Tags", _list(_Structure({"key": ("Key", _text), "value": ("Value", _text)}))),
            }
        )
        self.reservation = _Structure({"ownerId": ("OwnerId", _text), "instancesSet": ("Instances", _list(instance))})
        self.answer = _Structure(
            {"reservationSet": ("Reservations", _list(self.reservation)), "nextToken": ("NextToken", _text)}
        )


# SSM's JSON


def described_managed(body: bytes, key: str) -> dict[str, Any] | None:
    """The list and the `NextToken` of a DescribeInstanceProperties or -Information answer; None for what is none."""
    try:
        raw = json.loads(body)
        entries = raw[key]
        parsed: dict[str, Any] = {key: [_managed(each) for each in entries]}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        return None
    if (token := raw.get("NextToken")) is not None:
        parsed["NextToken"] = token
    return parsed


def _managed(entry: Mapping[str, Any]) -> dict[str, Any]:
    parsed = {name: value for name in _SSM_TEXTS if (value := entry.get(name)) is not None}
    for name in _SSM_TIMES:
        if (seconds := entry.get(name)) is not None:
            if isinstance(seconds, str):
                raise ValueError(name)
            parsed[name] = datetime.fromtimestamp(seconds, UTC)
    return parsed
