"""What is listed for a filter and an arrangement: always what a plain look at every node would list."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.domain.access import NO_ANSWERS, Access, SessionKind, everywhere
from ssm_tui.domain.filters import parse
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.listing import Arrangement, Counts, Group, Sort
from ssm_tui.domain.nodes import NODE_FIELDS, Node, Ping, Platform
from ssm_tui.errors import FilterError
from tests.builders import ALL, NO, SEOUL, VIRGINIA, YES, node

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LETTERS = st.text("abAB-_01é결 =\n", max_size=4)
TAGS = st.dictionaries(st.sampled_from(["env", "Env", "team", "Cost Center"]), LETTERS, max_size=3)
TIMES = st.none() | st.integers(0, 3).map(lambda hours: NOON - timedelta(hours=hours))
NODES = st.builds(
    node,
    st.integers(0, 9).map(lambda number: f"i-{number:03}"),
    context=st.sampled_from([SEOUL, VIRGINIA]),
    name=LETTERS,
    ping=st.sampled_from(Ping),
    last_ping=TIMES,
    launched=TIMES,
    platform=st.none() | st.sampled_from(Platform),
    os=st.sampled_from([None, "Ubuntu 9", "Ubuntu 22"]),
    ip=st.sampled_from([None, "10.0.0.9", "10.0.0.10", "9.1.1.1", "fd00::a", "fd00::9", "?"]),
    az=st.sampled_from([None, "a", "b"]),
    security_groups=st.sampled_from([(), ("sg-1",), ("sg-2", "sg-1")]),
    tags=TAGS,
    access=st.sampled_from([ALL, NO_ANSWERS, Access(NO, YES, YES, YES)]),
)
FILTERS = st.lists(
    st.sampled_from([
        "a", "ab", "b|a", "ab|ba", "-a", "-ab", "a*", "-?b", "10.0", "i-00", '"*"', '"="',
        "env=", "env=a", "env=a|b", "-env=a", "ENV=?", "team=*", "tag:env", "-tag:TEAM", "tag:c*",
        "ping:online", "ping:unmanaged", "-ping:unmanaged", "ping:on*", "os:ubuntu", "os:ubuntu*9", "az:a", "-az:a|b",
        "sg:sg-2", "access:shell", "-access:denied", "region:us", "name:a", "name:ab",
    ]),
    max_size=3,
).map(" ".join)  # fmt: skip
ARRANGEMENTS = st.builds(
    Arrangement,
    st.builds(Sort, st.sampled_from([*NODE_FIELDS, "last_ping", "launched", "env", "TEAM", "none"]), st.booleans()),
    group=st.sampled_from([None, "env", "team", "none"]),
    folded=st.frozensets(st.sampled_from(["", "a", "b"])),
    pins=st.frozensets(st.integers(0, 9).map(lambda number: f"i-{number:03}"), max_size=3),
    unmanaged=st.booleans(),
)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["add", "recall"]), st.lists(NODES, max_size=6)),
    st.tuples(st.sampled_from(["begin", "finish", "drop"]), st.sampled_from([SEOUL, VIRGINIA])),
    st.tuples(st.just("settle"), st.sampled_from([SEOUL, VIRGINIA]), st.integers(1, 3)),
    st.tuples(
        st.just("learn"),
        st.dictionaries(NODES.map(lambda n: n.key), st.sampled_from([ALL, NO_ANSWERS, everywhere(NO)]), max_size=3),
    ),
    st.tuples(st.just("query"), FILTERS, ARRANGEMENTS),
)


def natural(text: str) -> tuple[Any, ...]:
    return tuple(int(part) if at % 2 else part for at, part in enumerate(re.split(r"([0-9]+)", text.casefold())))


def by_name(each: Node) -> tuple[Any, ...]:
    return not each.name, natural(each.name), each.id, each.context.profile or "", each.context.region


def tag(each: Node, key: str) -> str | None:
    """The value by any spelling of the key, the first in their order."""
    return next((each.tags[k] for k in each.tags if k.casefold() == key.casefold()), None)


def worth(each: Node, by: str) -> Any:
    """What a node is sorted by; None where there is nothing."""
    match by:
        case "last_ping":
            return each.last_ping
        case "launched":
            return each.launched
        case "ping":
            return list(Ping).index(each.ping) if each.ping is not Ping.UNKNOWN else None
        case "access":
            answers = map(each.access.of, SessionKind)
            return None if each.access == NO_ANSWERS else tuple(answer.verdict != "allowed" for answer in answers)
        case "ip":
            places = ["9.1.1.1", "10.0.0.9", "10.0.0.10", "fd00::9", "fd00::a", "?"]
            return places.index(each.ip) if each.ip else None
        case "os":
            return natural(shown) if (shown := each.os or each.platform or "") else None
        case _ if by in NODE_FIELDS:
            return natural(text) if (text := " ".join(each.values(by))) else None
    values = " ".join(value for key, value in each.tags.items() if key.casefold() == by.casefold())
    return natural(values) if values else None


def arranged(nodes: list[Node], sort: Sort) -> list[Node]:
    named = sorted(nodes, key=by_name)
    known = [each for each in named if worth(each, sort.by) is not None]
    known.sort(key=lambda each: worth(each, sort.by), reverse=sort.descending)
    return known + [each for each in named if worth(each, sort.by) is None]


def plainly(nodes: list[Node], text: str, arrangement: Arrangement) -> list[Node | Group]:
    wanted = parse(text, NODE_FIELDS)
    every = arrangement.unmanaged or "ping:unmanaged" in text.split()
    matching = [each for each in nodes if wanted.matches(each) and (every or each.managed)]
    ordered = arranged(matching, arrangement.sort)
    lines: list[Node | Group] = [each for each in ordered if each.id in arrangement.pins]
    rest = [each for each in ordered if each.id not in arrangement.pins]
    if arrangement.group is None:
        return lines + rest
    values = {tag(each, arrangement.group) or "" for each in rest}
    for value in sorted(values, key=lambda value: (not value, natural(value), value)):
        members = [each for each in rest if (tag(each, arrangement.group) or "") == value]
        folded = value in arrangement.folded
        lines.append(Group(arrangement.group, value, len(members), folded))
        lines += [] if folded else members
    return lines


def check(inventory: Inventory, text: str, arrangement: Arrangement) -> None:
    listing = inventory.query(parse(text, NODE_FIELDS), arrangement)
    nodes = list(inventory)
    assert list(listing.rows) == plainly(nodes, text, arrangement)
    unfolded = replace(arrangement, folded=frozenset())
    shown = [each for each in plainly(nodes, text, unfolded) if isinstance(each, Node)]
    for context in {each.context for each in nodes}:
        mine = [each for each in nodes if each.context == context]
        unmanaged = sum(not each.managed for each in mine)
        assert listing.counts[context] == Counts(sum(n.context == context for n in shown), len(mine), unmanaged)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=14), FILTERS, ARRANGEMENTS)
def test_a_query_lists_what_a_plain_look_at_every_node_lists(
    steps: list[tuple[Any, ...]], text: str, arrangement: Arrangement
) -> None:
    inventory = Inventory()
    for name, *given_ in steps:
        if name == "query":
            check(inventory, *given_)
        else:
            getattr(inventory, name)(*given_)
    check(inventory, text, arrangement)
    check(inventory, text, arrangement)


@settings(max_examples=100, deadline=None)
@given(st.lists(NODES, max_size=12), st.lists(FILTERS, min_size=2, max_size=4), ARRANGEMENTS)
def test_what_was_found_before_never_changes_what_is_found_now(
    nodes: list[Node], texts: list[str], arrangement: Arrangement
) -> None:
    inventory = Inventory()
    inventory.add(nodes)
    typed = [text[:end] for text in texts for end in range(1, len(text) + 1)]
    for text in typed + typed[::-1]:
        with suppress(FilterError):  # of a text typed half
            check(inventory, text, arrangement)
