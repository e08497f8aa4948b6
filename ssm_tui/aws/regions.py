"""Which regions there are: by botocore's own data without a call, and those that an account has enabled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.accounts import Region
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.aws.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of AWS with accounts of its own. `first` is a region that no account can disable."""

    first: str
    pattern: str
    regions: tuple[Region, ...]


@cache
def _partitions() -> tuple[Partition, ...]:
    """botocore's, that of most people first."""
    from botocore.loaders import Loader

    told: Any = Loader(include_default_search_paths=True).load_data("partitions")
    return tuple(_partition(each) for each in told["partitions"])


def _partition(told: Any) -> Partition:
    pattern = told["regionRegex"]
    regions = (
        Region(name, str(facts.get("description", "")))
        for name, facts in told["regions"].items()
        if re.match(pattern, name)  # `aws-global` stands among them
    )
    return Partition(told["outputs"]["implicitGlobalRegion"], pattern, tuple(regions))


def partition_of(region: str) -> Partition:
    """The partition that a region belongs to, by the form of its name; the first for what has none of theirs."""
    partitions = _partitions()
    return next((each for each in partitions if re.match(each.pattern, region)), partitions[0])


def enabled(gateway: Gateway) -> frozenset[str] | None:
    """Names of the regions that the account has enabled (EC2 DescribeRegions); None where AWS does not say."""
    try:
        answer = gateway.call("ec2", "describe_regions", AllRegions=True)
    except AwsError:
        return None
    from ssm_tui.aws import decode

    found = decode.entries(answer.get("Regions"))
    names = (decode.text(each.get("RegionName")) for each in found if each.get("OptInStatus") != "not-opted-in")
    return frozenset(filter(None, names)) or None


@cache
def _services() -> tuple[frozenset[str], Mapping[str, set[str]]]:
    """All regions that botocore's endpoints tell of, and those of them that have each service; 0.03 s."""
    from botocore.loaders import Loader

    told: Any = Loader(include_default_search_paths=True).load_data("endpoints")
    there: dict[str, set[str]] = {}
    for partition in told["partitions"]:
        for service, facts in partition["services"].items():
            there.setdefault(service, set()).update(facts.get("endpoints", ()))
    return frozenset(region for each in told["partitions"] for region in each["regions"]), there


def has_service(region: str, service: str) -> bool:
    """Whether the region has a service, by the prefix of its endpoints; an empty one is in all. What botocore does not
    know may be: AWS adds regions every year, and one that is not there costs a note."""
    if not service:
        return True
    known, services = _services()
    return region not in known or service not in services or region in services[service]
