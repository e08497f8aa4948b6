"""AWS's responses as domain values: pure, and tolerant of what is missing or odd in them.

A key that AWS leaves out, or fills with a type that the API reference does not promise, becomes an unknown value; an
entry without what makes it usable (an id, an endpoint) is left out. Nothing here raises on foreign data.

What many nodes have in common (a network, a role, a tag) is kept once: 10,000 nodes take a third less so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from sys import intern
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.nodes import Ping, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TERMINATED = "terminated"


def text(value: object) -> str | None:
    """A text that says something, or None."""
    return value if isinstance(value, str) and value else None


def common(value: object) -> str | None:
    """The same, kept once for all that have it."""
    return intern(value) if type(value) is str and value else None


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list, without what is none."""
    return tuple(each for each in value if isinstance(each, str) and each) if isinstance(value, list | tuple) else ()


def entries(value: object) -> Iterator[Mapping[str, Any]]:
    """The structures of a list, without what is none."""
    if isinstance(value, list | tuple):
        yield from (each for each in value if isinstance(each, dict))


def entry(value: object) -> Mapping[str, Any]:
    """A structure, or an empty one."""
    return value if isinstance(value, dict) else {}


def moment(value: object) -> datetime | None:
    """An aware time in UTC; botocore gives aware ones, a naive one is taken for UTC."""
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError):  # the first and last days of the calendar, in a zone beyond UTC
        return None


def port(value: object) -> int | None:
    """A TCP port, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535 else None


def flag(value: object) -> bool | None:
    """A truth value, or None where AWS does not say."""
    return value if isinstance(value, bool) else None


def address(value: object) -> str | None:
    """An IP address, or None: the domain compares addresses with networks and trusts them to be some."""
    try:
        return str(ip_address(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def tags(value: object) -> dict[str, str]:
    """A tag list (`Key`, `Value`) as a mapping."""
    found: dict[str, str] = {}
    for each in entries(value):
        key, content = each.get("Key"), each.get("Value")
        if isinstance(key, str):
            # A name is a node's own.
            found[intern(key)] = (
                (content if key == "Name" else common(content) or "") if isinstance(content, str) else ""
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """What SSM knows of a node (DescribeInstanceProperties, or DescribeInstanceInformation)."""

    id: str
    name: str | None = None
    ping: Ping = Ping.UNKNOWN
    last_ping: datetime | None = None
    state: str | None = None
    platform: Platform | None = None
    os: str | None = None
    agent_version: str | None = None
    ip: str | None = None
    role: str | None = None
    instance_type: str | None = None
    launched: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What EC2 knows of a node (DescribeInstances)."""

    id: str
    account: str | None = None
    state: str | None = None
    platform: Platform | None = None
    ip: str | None = None
    vpc: str | None = None
    subnet: str | None = None
    az: str | None = None
    role: str | None = None
    instance_type: str | None = None
    launched: datetime | None = None
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def managed(response: Mapping[str, Any]) -> list[Managed]:
    """A page of DescribeInstanceProperties or DescribeInstanceInformation."""
    return [_managed(node_id, each) for node_id, each in _told_managed(response)]


def hybrid_ids(response: Mapping[str, Any]) -> list[str]:
    """The hybrid nodes of such a page: EC2 must not be asked about them (one `mi-` id fails a whole EC2 call)."""
    return [node_id for node_id, _ in _told_managed(response) if node_id.startswith("mi-")]


def without_ping(response: Mapping[str, Any]) -> list[str]:
    """The nodes of such a page of which it does not say how they answer."""
    return [node_id for node_id, each in _told_managed(response) if not each.get("PingStatus")]


def _told_managed(response: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    key = "InstanceProperties" if "InstanceProperties" in response else "InstanceInformationList"
    return ((node_id, each) for each in entries(response.get(key)) if (node_id := text(each.get("InstanceId"))))


def resource_tags(response: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """A page of the tagging API's GetResources: tags by the last part of the ARN, for a hybrid node its id."""
    return {
        arn.rpartition("/")[2]: tags(each.get("Tags"))
        for each in entries(response.get("ResourceTagMappingList"))
        if (arn := text(each.get("ResourceARN")))
    }


def _managed(node_id: str, each: Mapping[str, Any]) -> Managed:
    system = " ".join(texts([each.get("PlatformName"), each.get("PlatformVersion")]))
    return Managed(
        id=node_id,
        name=text(each.get("Name")) or text(each.get("ComputerName")),
        ping=_ping(each.get("PingStatus")),
        last_ping=moment(each.get("LastPingDateTime")),
        state=common(each.get("InstanceState")),
        platform=_platform(each.get("PlatformType")),
        os=common(system),
        agent_version=common(each.get("AgentVersion")),
        ip=address(each.get("IPAddress")),
        role=_role_name(each.get("IamRole")) or _role_name(each.get("InstanceRole")),
        instance_type=common(each.get("InstanceType")),
        launched=moment(each.get("LaunchTime")),
    )


def _ping(value: object) -> Ping:
    return next((ping for ping in (Ping.ONLINE, Ping.LOST, Ping.INACTIVE) if ping.value == value), Ping.UNKNOWN)


def _platform(value: object) -> Platform | None:
    name = value.lower() if isinstance(value, str) else ""
    return next((platform for platform in Platform if platform.value == name), None)


def _role_name(value: object) -> str | None:
    """A role's or profile's name, from the name itself or from an ARN with a path."""
    name = text(value)
    return common(name.rsplit("/", 1)[-1]) if name else None


def instances(response: Mapping[str, Any]) -> list[Instance]:
    """A page of DescribeInstances."""
    return [
        _instance(instance_id, each, common(reservation.get("OwnerId")))
        for reservation in entries(response.get("Reservations"))
        for each in entries(reservation.get("Instances"))
        if (instance_id := text(each.get("InstanceId")))
    ]


def owner(response: Mapping[str, Any]) -> str | None:
    """Whose the first instance of such a page is."""
    return next((common(each.get("OwnerId")) for each in entries(response.get("Reservations"))), None)


def _instance(instance_id: str, each: Mapping[str, Any], account: str | None) -> Instance:
    return Instance(
        id=instance_id,
        account=account,
        state=common(entry(each.get("State")).get("Name")),
        # EC2 names the platform of Windows alone; the rest is not known to be Linux (mac1.metal is not).
        platform=Platform.WINDOWS if str(each.get("Platform")).lower() == "windows" else None,
        ip=address(each.get("PrivateIpAddress")),
        vpc=common(each.get("VpcId")),
        subnet=common(each.get("SubnetId")),
        az=common(entry(each.get("Placement")).get("AvailabilityZone")),
        role=_role_name(entry(each.get("IamInstanceProfile")).get("Arn")),
        instance_type=common(each.get("InstanceType")),
        launched=moment(each.get("LaunchTime")),
        security_groups=tuple(
            group for e in entries(each.get("SecurityGroups")) if (group := common(e.get("GroupId"))) is not None
        ),
        tags=tags(each.get("Tags")),
    )
