"""Answers of the listing calls, read for the fields that `decode` looks at and no others; botocore reads the rest.

botocore makes a tree of an answer and walks the service's description for every element of it. A page of 1,000
instances, indented as EC2 does it, takes 1 s that way and 0.14 s here; SSM's page of as many 0.06 s, and 0.01 s here.
What comes out is a part of what botocore would give, equal to it field by field; the tests compare the two.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from xml.parsers.expat import ExpatError, ParserCreate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What is fed at once. Between the chunks, if not within them, the screen may have its turn.
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
    """The `Reservations` and `NextToken` of a DescribeInstances answer; None for what is none."""
    reader = _Reader(_response())
    try:
        for start in range(0, len(body), CHUNK):
            reader.parser.Parse(body[start : start + CHUNK])
        reader.parser.Parse(b"", True)
    except (ExpatError, ValueError):
        return None
    finally:
        reader.close()
    return reader.parsed.get("answer")


class _Fields(dict[str, "_Member | None"]):
    """The elements of a structure that are wanted. One may carry a namespace; its name without it is looked up once."""

    def __missing__(self, tag: str) -> _Member | None:
        found = self[tag] = self.get(tag.rpartition("}")[2])
        return found


class _Items(_Fields):
    """The elements of a list: all of them, whatever they are called."""

    def __init__(self, item: _Member) -> None:
        super().__init__()
        self._item = item

    def __missing__(self, tag: str) -> _Member:
        return self._item


@dataclass(frozen=True, slots=True)
class _Member:
    """A structure's member, or with no name a list's item: `make` makes a value of an element's text, or an empty
    one for what `inside` reads in it."""

    name: str
    make: Callable[..., Any] = str
    inside: _Fields | None = None


class _Reader:
    """Expat's events into dictionaries and lists, of the elements that are wanted. A tree of all of them takes three
    times as long (EC2's answers are indented: most of their texts are blanks) and 30 MB a page."""

    def __init__(self, root: _Fields) -> None:
        self.parsed: dict[str, Any] = {}
        self.parser = ParserCreate("utf-8", "}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._nothing = _Fields()
        self._fields: _Fields = root
        self._into: Any = self.parsed
        self._outside: list[tuple[_Fields, Any]] = []
        self._unwanted = 0  # how deep it is in what is not read
        self._scalar: _Member | None = None
        self._texts: list[str] = []

    def close(self) -> None:
        """Parser and handlers hold each other, and with them the page, until Python looks for garbage."""
        self.parser.StartElementHandler = self.parser.EndElementHandler = self.parser.CharacterDataHandler = None

    def _start(self, tag: str, _attributes: object) -> None:
        if self._unwanted:
            self._unwanted += 1
            return
        member = self._fields[tag]
        if member is None:
            self._unwanted = 1
            return
        self._outside.append((self._fields, self._into))
        if member.inside is None:
            self._scalar, self._fields, self._texts = member, self._nothing, []
            self.parser.CharacterDataHandler = self._texts.append
            return
        made = member.make()
        if member.name:
            self._into[member.name] = made
        else:
            self._into.append(made)
        self._fields, self._into = member.inside, made

    def _end(self, _tag: str) -> None:
        if self._unwanted:
            self._unwanted -= 1
            return
        if (member := self._scalar) is not None:
            self.parser.CharacterDataHandler = None
            self._into[member.name] = member.make("".join(self._texts))
            self._scalar = None
        self._fields, self._into = self._outside.pop()


def _time(text: str) -> datetime:
    """EC2 gives all times alike: `2026-01-02T03:04:05.000Z`. Others raise ValueError: they are botocore's to read."""
    if len(text) not in (20, 24) or text[10] != "T" or text[-1] != "Z":
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _structure(name: str = "", /, **members: _Member) -> _Member:
    return _Member(name, dict, _Fields(members))


def _list(name: str, item: _Member) -> _Member:
    return _Member(name, list, _Items(item))


def _response() -> _Fields:
    """What is wanted of DescribeInstances' answer; made for each, since it remembers the names that it meets."""
    instance = _structure(
        instanceId=_Member("InstanceId"),
        instanceState=_structure("State", name=_Member("Name")),
        platform=_Member("Platform"),
        privateIpAddress=_Member("PrivateIpAddress"),
        vpcId=_Member("VpcId"),
        subnetId=_Member("SubnetId"),
        placement=_structure("Placement", availabilityZone=_Member("AvailabilityZone")),
        iamInstanceProfile=_structure("IamInstanceProfile", arn=_Member("Arn")),
        instanceType=_Member("InstanceType"),
        launchTime=_Member("LaunchTime", _time),
        groupSet=_list("SecurityGroups", _structure(groupId=_Member("GroupId"))),
        tagSet=_list("Tags", _structure(key=_Member("Key"), value=_Member("Value"))),
    )
    reservation = _structure(ownerId=_Member("OwnerId"), instancesSet=_list("Instances", instance))
    answer = _structure("answer", reservationSet=_list("Reservations", reservation), nextToken=_Member("NextToken"))
    return _Fields(DescribeInstancesResponse=answer)


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
