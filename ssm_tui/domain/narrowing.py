"""What of a filter AWS can be asked to apply, as filters of its APIs: never less than matches, often not much more.

Whoever reads with a narrowing applies the filter itself afterwards, so the result is the same as without one. Asked for
is only what one source alone knows: of instances that this source leaves out it is then known that they do not match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.matching import Kind, Wild, matches_text, pieces, scope_of
from ssm_tui.domain.nodes import Ping, Platform
from ssm_tui.domain.spellings import as_it_is, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssm_tui.domain.filters import Filter, Term

ApiFilter = tuple[str, tuple[str, ...]]
"""A filter's name and its values, of which one must be the instance's."""

# EC2 allows 200 values a call and 255 characters a value (FilterLimitExceeded); some have seen less allowed.
MOST_VALUES = 160
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Filters for EC2's DescribeInstances (values with `*` for any characters and `?` for one) and for SSM's
    DescribeInstanceProperties and DescribeInstanceInformation (equal values; both calls know the names). Each of them
    must hold. Nodes that a source cannot know (hybrid ones of EC2, containers of both) are not meant by its filters."""

    ec2: tuple[ApiFilter, ...] = ()
    ssm: tuple[ApiFilter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ec2 or self.ssm)


NOTHING_NARROWED = Narrowing()

# Fields that EC2 alone tells, whose values are ids and names of AWS: ASCII in lower case.
_EC2_FIELDS = {
    "vpc": "vpc-id",
    "subnet": "subnet-id",
    "az": "availability-zone",
    "sg": "instance.group-id",
}
# Fields with few values: what AWS calls each (None: what it cannot be asked for).
_STATES: Mapping[str, str | None] = {
    **{state: state for state in ("pending", "running", "shutting-down", "stopping", "stopped")},
    "terminated": None,  # EC2 forgets them before SSM does
}
_PINGS: Mapping[str, str | None] = {
    ping.value: ping.value if ping in (Ping.ONLINE, Ping.LOST, Ping.INACTIVE) else None for ping in Ping
}
_PLATFORMS: Mapping[str, str | None] = {
    Platform.LINUX.value: "Linux",
    Platform.MACOS.value: "MacOS",
    Platform.WINDOWS.value: None,  # EC2 tells it too, of instances that SSM does not know
}

_Pieces = tuple["str | Wild", ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A filter before its values are spelled: folded patterns, of which each must get at least one value."""

    name: str
    patterns: tuple[_Pieces, ...]
    cased: bool = False  # whether what it is compared with may be in other cases

    @property
    def sharp(self) -> int:
        """How much the least of its patterns says."""
        return min(sum(len(part) for part in each if isinstance(part, str)) for each in self.patterns)


def narrowing(wanted: Filter) -> Narrowing:
    """What AWS can apply of the filter. What is negated, bare words, names, addresses, access are not sent."""
    asked: dict[str, _Asked] = {}
    ec2: dict[str, tuple[str, ...]] = {}
    ssm: dict[str, tuple[str, ...]] = {}
    for term in wanted.terms:
        if term.negated:
            continue
        match term.kind, term.key:
            case Kind.TAG, _:
                # A tag that is not there reads as empty.
                if not any(_matches(term, ("",))):
                    _ask(asked, "tag-key", [(term.key.casefold(),)], cased=True)
                    _ask(asked, "tag-value", map(_folded, term.alternatives), cased=True)
            case Kind.TAG_KEY, _:
                _ask(asked, "tag-key", map(_folded, term.alternatives), cased=True)
            case Kind.FIELD, field if field in _EC2_FIELDS and all(each.isascii() for each in term.alternatives):
                _ask(asked, _EC2_FIELDS[field], map(_within, term.alternatives))
            case Kind.FIELD, "state":
                _enumerate(ec2, "instance-state-name", term, _STATES)
            case Kind.FIELD, "ping":
                _enumerate(ssm, "PingStatus", term, _PINGS)
            case Kind.FIELD, "platform":
                _enumerate(ssm, "PlatformTypes", term, _PLATFORMS)
    spelled = _spelled(asked.values(), MOST_VALUES - sum(map(len, ec2.values())))
    return Narrowing((*ec2.items(), *spelled), tuple(ssm.items()))


def _folded(pattern: str) -> _Pieces:
    return pieces(pattern.casefold())


def _within(pattern: str) -> _Pieces:
    """The same for a field of which a part is enough, unless there is a glob."""
    parts = _folded(pattern)
    return parts if any(isinstance(part, Wild) for part in parts) else (Wild.ANY, *parts, Wild.ANY)


def _matches(term: Term, texts: Iterable[str]) -> list[bool]:
    scope = scope_of(term.kind, term.key)
    return [any(matches_text(pattern, scope, text) for pattern in term.alternatives) for text in texts]


def _ask(asked: dict[str, _Asked], name: str, patterns: Iterable[_Pieces], *, cased: bool = False) -> None:
    """Once a name, by the sharpest: what AWS makes of two filters with the same name is not documented."""
    new = _Asked(name, tuple(patterns), cased)
    if new.sharp and (name not in asked or asked[name].sharp < new.sharp):
        asked[name] = new


def _enumerate(into: dict[str, tuple[str, ...]], name: str, term: Term, known: Mapping[str, str | None]) -> None:
    values = [known[each] for each, found in zip(known, _matches(term, known), strict=True) if found]
    sent = tuple(value for value in values if value is not None)
    if sent and len(sent) == len(values) and name not in into:
        into[name] = sent


def _spelled(asked: Iterable[_Asked], most: int) -> list[ApiFilter]:
    """The filters with their values, all together no more than `most`; what has too many alternatives is left out."""
    kept: list[_Asked] = []
    count = 0
    for each in sorted(asked, key=lambda each: len(each.patterns)):
        if count + len(each.patterns) <= most:
            kept.append(each)
            count += len(each.patterns)
    share = most // count if count else 0
    found: list[ApiFilter] = []
    for each in kept:
        values = (v for p in each.patterns for v in (spellings(p, share) if each.cased else (as_it_is(p),)))
        short = tuple(dict.fromkeys(v if len(v) <= LONGEST_VALUE else v[:LONGEST_VALUE] + "*" for v in values))
        if "*" not in short:
            found.append((each.name, short))
    return found
