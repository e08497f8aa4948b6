"""Rows that arrive, stay and leave."""

from __future__ import annotations

from dataclasses import replace

from ssm_tui.domain.filters import parse
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.nodes import NODE_FIELDS, Ping
from tests.builders import ALL, SEOUL, VIRGINIA, node

NONE = parse("", NODE_FIELDS)


def names(inventory: Inventory) -> list[str]:
    return [n.name for n in inventory.query(NONE)]


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
    assert [n.id for n in one.query(NONE)] == [n.id for n in other.query(NONE)] == ["i-1", "i-2", "i-0", "i-3"]
