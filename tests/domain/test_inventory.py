"""Rows that arrive, stay and leave."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.access import NO_ANSWERS
from ssm_tui.domain.filters import parse
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.lacks import EVERYTHING, NOTHING, Lack
from ssm_tui.domain.nodes import NODE_FIELDS, Node, NodeKey, Ping
from tests.builders import ALL, SEOUL, VIRGINIA, node

if TYPE_CHECKING:
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.lacks import Lacks

NONE = parse("", NODE_FIELDS)


def found(inventory: Inventory, wanted: Filter = NONE) -> list[Node]:
    return [row for row in inventory.query(wanted).rows if isinstance(row, Node)]


def names(inventory: Inventory) -> list[str]:
    return [n.name for n in found(inventory)]


def test_rows_stay_until_a_read_has_ended() -> None:
    inventory = Inventory()
    inventory.begin(SEOUL)
    inventory.add([node("i-1", name="a"), node("i-2", name="b")])
    inventory.finish(SEOUL)
    inventory.begin(SEOUL)
    inventory.add([node("i-2", name="b")])
    assert names(inventory) == ["a", "b"]
    inventory.finish(SEOUL)
    assert names(inventory) == ["b"]


def test_a_failed_read_removes_nothing() -> None:
    inventory = Inventory()
    inventory.add([node("i-1", name="a")])
    inventory.begin(SEOUL)
    inventory.begin(SEOUL)
    assert names(inventory) == ["a"]


def test_contexts_do_not_touch_each_other() -> None:
    inventory = Inventory()
    inventory.add([node("i-1", name="a"), node("i-1", name="b", context=VIRGINIA)])
    inventory.begin(SEOUL)
    inventory.finish(SEOUL)
    assert names(inventory) == ["b"]


def test_a_replaced_row_keeps_the_access_asked_for() -> None:
    inventory = Inventory()
    plain = replace(node("i-1"), access=node("i-1").access.__class__())
    inventory.add([plain])
    inventory.learn({plain.key: ALL})
    inventory.add([replace(plain, ping=Ping.LOST)])
    kept = inventory.get(plain.key)
    assert kept is not None
    assert (kept.ping, kept.access) == (Ping.LOST, ALL)


def test_order_does_not_depend_on_arrival() -> None:
    rows = [node("i-3", name=""), node("i-2", name="B"), node("i-1", name="a"), node("i-0", name="")]
    one, other = Inventory(), Inventory()
    one.add(rows)
    other.add(reversed(rows))
    assert [n.id for n in found(one)] == [n.id for n in found(other)] == ["i-1", "i-2", "i-0", "i-3"]


def test_verdicts_change_what_is_found_and_not_the_order() -> None:
    inventory = Inventory()
    inventory.add([node("i-2", name="web-10", access=NO_ANSWERS), node("i-1", name="web-2", access=NO_ANSWERS)])
    wanted = parse("access:shell", NODE_FIELDS)
    assert found(inventory, wanted) == []
    inventory.learn({NodeKey(SEOUL, "i-2"): ALL})
    assert [n.name for n in found(inventory, wanted)] == ["web-10"]
    assert names(inventory) == ["web-2", "web-10"]


FULL = node("i-1", name="web", vpc="vpc-1", tags={"Name": "web", "env": "prod"}, access=ALL)
BARE = node("i-1", name="ip-10-0-0-1", ping=Ping.LOST, access=NO_ANSWERS)  # as SSM alone tells of it


def test_a_page_that_says_less_takes_nothing_away_until_the_read_has_ended() -> None:
    inventory = Inventory()
    inventory.add([FULL])
    inventory.begin(SEOUL)
    inventory.add([BARE])
    assert inventory.get(FULL.key) == replace(FULL, ping=Ping.LOST)
    without = replace(FULL, ping=Ping.UNKNOWN, tags={"Name": "web-2"}, name="web-2", access=NO_ANSWERS)
    inventory.add([without])
    assert inventory.get(FULL.key) == replace(without, ping=Ping.LOST, access=ALL)
    inventory.add([replace(without, ping=Ping.LOST)])
    inventory.finish(SEOUL)
    assert inventory.get(FULL.key) == replace(without, ping=Ping.LOST, access=ALL)


def test_what_a_full_read_does_not_tell_is_gone() -> None:
    inventory = Inventory()
    inventory.add([FULL])
    inventory.begin(SEOUL)
    inventory.add([BARE])
    inventory.finish(SEOUL)
    assert inventory.get(FULL.key) == replace(BARE, access=ALL)


def test_a_read_that_was_partly_refused_takes_nothing_but_old_pings_away() -> None:
    inventory = Inventory()
    other = node("i-2", name="other")
    inventory.add([FULL, other])
    inventory.begin(SEOUL)
    inventory.add([replace(FULL, ping=Ping.UNKNOWN, access=NO_ANSWERS)])
    assert inventory.get(FULL.key) == FULL
    inventory.finish(SEOUL, EVERYTHING)
    assert inventory.get(FULL.key) == replace(FULL, ping=Ping.UNKNOWN)
    assert inventory.get(other.key) == other


@pytest.mark.parametrize(
    ("lack", "left"),
    [
        (Lack.TAGS, {}),  # tags of hybrid nodes hide no node that is there
        (Lack.MANAGED, {"mi-2": Ping.ONLINE}),
        (Lack.INSTANCES, {"i-2": Ping.UNMANAGED}),  # if it is there, SSM does not know it
        (Lack.CONTAINERS, {"ecs:c_2_r": Ping.ONLINE}),
    ],
)
def test_what_was_not_told_stays_where_those_would_have_told_of_it_who_failed(
    lack: Lack, left: dict[str, Ping]
) -> None:
    inventory = Inventory()
    inventory.add([FULL, *(node(each, name=each) for each in ("i-2", "mi-2", "ecs:c_2_r"))])
    inventory.begin(SEOUL)
    inventory.add([FULL])
    inventory.finish(SEOUL, frozenset({lack}))
    assert {each.id: each.ping for each in inventory if each.id != FULL.id} == left


@pytest.mark.parametrize(
    ("lack", "role"), [(Lack.TAGS, None), (Lack.MANAGED, "app-node"), (Lack.INSTANCES, "app-node")]
)
def test_facts_that_were_not_told_stay_where_those_failed_who_know_them(lack: Lack, role: str | None) -> None:
    inventory = Inventory()
    inventory.add([replace(FULL, role="app-node")])
    inventory.begin(SEOUL)
    inventory.add([replace(FULL, role=None)])
    inventory.finish(SEOUL, frozenset({lack}))
    kept = inventory.get(FULL.key)
    assert kept is not None
    assert kept.role == role


def test_rows_of_an_earlier_run_stand_behind_those_of_this_one_and_leave_at_the_end_of_a_read() -> None:
    inventory = Inventory()
    inventory.begin(SEOUL)
    inventory.add([replace(FULL, ping=Ping.LOST)])
    inventory.recall([FULL, node("i-2", name="gone")])
    assert names(inventory) == ["gone", "web"]
    assert inventory.get(FULL.key) == replace(FULL, ping=Ping.LOST)
    inventory.finish(SEOUL)
    assert names(inventory) == ["web"]


def test_what_is_dropped_does_not_come_back_with_the_read_that_is_under_way() -> None:
    inventory = Inventory()
    inventory.recall([FULL, node("i-9", name="far", context=VIRGINIA)])
    inventory.begin(SEOUL)
    inventory.add([BARE])
    inventory.drop(SEOUL)
    assert names(inventory) == ["far"]
    inventory.add([node("i-5", name="new")])
    inventory.finish(SEOUL)
    assert names(inventory) == ["far", "new"]


@pytest.mark.parametrize("lacks", [NOTHING, EVERYTHING, frozenset({Lack.INSTANCES})])
def test_a_read_that_is_settled_in_portions_ends_as_one_that_ends_at_once(lacks: Lacks) -> None:
    one, other = Inventory(), Inventory()
    for inventory in (one, other):
        inventory.add([FULL, *(node(f"i-{at}", name=f"old-{at}", vpc="vpc-1") for at in range(2, 8))])
        inventory.begin(SEOUL)
        inventory.add([replace(BARE, ping=Ping.UNKNOWN), node("i-3", name="new"), node("i-9", name="newer")])
    one.finish(SEOUL, lacks)
    before = len(other)
    assert other.settle(SEOUL, 2, lacks)
    assert len(other) == (before - 2 if not lacks else before)
    while other.settle(SEOUL, 2, lacks):
        pass
    assert found(one) == found(other)
    other.finish(SEOUL, lacks)
    assert found(one) == found(other)
    assert not other.seen(FULL.key)
