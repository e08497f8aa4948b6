"""How much of a range of addresses is allowed: all, some or none of it. Arithmetic of CIDRs, of both families."""

from __future__ import annotations

from enum import Enum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Range = IPv4Network | IPv6Network


class Extent(Enum):
    """Of a range that is asked about."""

    NONE = 0
    SOME = 1
    ALL = 2


@cache
def network(cidr: str) -> Range | None:
    """The range of a CIDR or an address; None for a text that is neither."""
    try:
        return ip_network(cidr, strict=False)
    except ValueError:
        return None


def inside(inner: Range, outer: Range) -> bool:
    """Whether all of the one is in the other; ranges of two families never are."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def without(whole: Range, part: Range) -> list[Range]:
    """What is left of a range without a part of it that is inside."""
    if isinstance(whole, IPv4Network):
        assert isinstance(part, IPv4Network)  # noqa: S101 - `inside` has said so
        return list(whole.address_exclude(part))
    assert isinstance(part, IPv6Network)  # noqa: S101
    return list(whole.address_exclude(part))


def extent(asked: Range, allowed: Iterable[str]) -> Extent:
    """How much of the range some CIDRs cover together."""
    left = [asked]
    for cidr in allowed:
        rule = network(cidr)
        if rule is None:
            continue
        left = [rest for each in left for rest in _left_of(each, rule)]
        if not left:
            return Extent.ALL
    return Extent.NONE if left == [asked] else Extent.SOME


def _left_of(each: Range, rule: Range) -> list[Range]:
    if inside(each, rule):
        return []
    return without(each, rule) if inside(rule, each) else [each]


def together(extents: Iterable[Extent]) -> Extent:
    """Of a whole, by those of its parts."""
    found = set(extents)
    return found.pop() if len(found) == 1 else Extent.SOME
