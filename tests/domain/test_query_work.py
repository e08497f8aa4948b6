"""How much a query does, counted: rows looked at, nodes read, orders compared. Times are the benchmark's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain import ordering
from ssm_tui.domain.filters import parse
from ssm_tui.domain.inventory import AS_THEY_ARE, Inventory
from ssm_tui.domain.listing import Arrangement, Sort
from ssm_tui.domain.matching import Kind
from ssm_tui.domain.nodes import NODE_FIELDS, Ping
from ssm_tui.domain.querying import EARLIER, asked, implies
from ssm_tui.domain.rows import Row, Rows, rows_of
from tests.builders import ALL, NO, SEOUL, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.listing import Listing
    from ssm_tui.domain.nodes import Node

MANY = 1000
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def machine(number: int) -> Node:
    name = f"{('web', 'api')[number % 2]}-{number}"
    return node(
        f"i-{number:04}",
        name=name,
        az="abc"[number % 3],
        last_ping=NOON + timedelta(seconds=number),
        tags={"env": ("prod", "dev")[number % 2], "Name": name},
    )


NODES = [machine(number) for number in range(MANY)]


class Ordered(str):
    """An order that counts how often it is compared."""

    compared = 0
    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        Ordered.compared += 1
        return str.__lt__(self, other)


@pytest.fixture
def inventory() -> Inventory:
    filled = Inventory()
    filled.add(NODES)
    return filled


@pytest.fixture
def query(inventory: Inventory) -> Callable[..., Listing]:
    def ask(text: str, arrangement: Arrangement = AS_THEY_ARE) -> Listing:
        return inventory.query(parse(text, NODE_FIELDS), arrangement)

    return ask


def looked(inventory: Inventory) -> int:
    return inventory._querying.looked


def test_a_filter_that_is_typed_on_looks_only_at_what_the_shorter_one_found(
    inventory: Inventory, query: Callable[..., Listing]
) -> None:
    at, found = 0, MANY
    for text in ("w", "we", "web", "web-9", "web-99", "web-99 env=prod", "web-99 env=prod -api"):
        at += found
        found = len(query(text).rows)
        assert looked(inventory) == at
    assert found == 5


def test_a_filter_that_is_taken_back_looks_at_nothing_again(
    inventory: Inventory, query: Callable[..., Listing]
) -> None:
    typed = ["web-99 env=prod"[:end] for end in (5, 6, 15)]
    found = [query(text).rows for text in typed]
    at = looked(inventory)
    assert [query(text).rows for text in reversed(typed)] == found[::-1]
    assert looked(inventory) == at
    assert query(typed[0]) is query(typed[0])


def test_what_is_kept_of_earlier_filters_is_bounded(inventory: Inventory, query: Callable[..., Listing]) -> None:
    for number in range(3 * EARLIER):
        query(f"api-{number}|zzz")
    assert len(inventory._querying._results) <= EARLIER


def test_nodes_are_read_once_for_a_column_and_then_only_those_that_change(
    inventory: Inventory, query: Callable[..., Listing]
) -> None:
    for text in ("az:a", "az:a|b", "-az:c", "az:?", "az:c web"):
        query(text)
    query("", Arrangement(Sort("az")))
    column = inventory.vocabulary().of(Kind.FIELD, "az")
    assert column.reads == MANY
    inventory.add([replace(NODES[3], az="d"), NODES[4]])
    assert len(query("az:d").rows) == 1
    assert column.reads == MANY + 1
    inventory.learn({NODES[5].key: replace(ALL, shell=NO)})
    query("az:d access:denied")
    assert column.reads == MANY + 1
    inventory.vocabulary().field_values("az")
    assert column.reads == MANY + 1


def test_a_column_of_times_does_not_grow_with_every_read(inventory: Inventory, query: Callable[..., Listing]) -> None:
    by_time = Arrangement(Sort("last_ping"))
    for hours in range(1, 8):
        inventory.add(
            [replace(each, last_ping=NOON + timedelta(hours=hours, seconds=at)) for at, each in enumerate(NODES)]
        )
        query("", by_time)
    assert len(inventory.vocabulary().by("last_ping").values) <= 4 * MANY


def test_a_page_is_merged_into_the_order_and_not_sorted_with_it() -> None:
    rows = Rows()
    for at, each in enumerate(rows_of(NODES)):
        if at % 10:
            rows.put(Row(each.node, Ordered(each.order), each.words), 0)
    rows.by_name()
    for at, each in enumerate(rows_of(NODES)):
        if at % 100 == 0:
            rows.put(Row(each.node, Ordered(each.order), each.words), 0)
    Ordered.compared = 0
    assert len(rows.by_name()) == 910
    merged = Ordered.compared
    assert merged < 2 * MANY  # sorting them all takes some ten times as many
    assert rows.by_name() is rows.by_name()
    assert Ordered.compared == merged


def test_verdicts_and_equal_rows_leave_order_and_texts_alone(
    inventory: Inventory, query: Callable[..., Listing], monkeypatch: pytest.MonkeyPatch
) -> None:
    query("web")
    rows = rows_of([*NODES[:10], replace(NODES[10], ping=Ping.LOST)])
    monkeypatch.setattr("ssm_tui.domain.rows.row_of", lambda _node: pytest.fail("texts were made anew"))
    monkeypatch.setattr(ordering, "natural", lambda _text: pytest.fail("an order was made anew"))
    inventory.add_rows(rows)
    inventory.learn({NODES[0].key: ALL})
    inventory.begin(SEOUL)
    bare = [replace(each, tags={}, name="", az=None) for each in NODES[:3]]
    inventory.add_rows([row._replace(node=each) for row, each in zip(rows, bare, strict=False)])
    assert len(query("web").rows) == MANY // 2


def test_what_the_vocabulary_counts() -> None:
    inventory = Inventory()
    inventory.add([
        node("i-1", az="a", tags={"env": "prod", "Env": "prod"}, security_groups=("sg-1", "sg-2")),
        node("i-2", az="a", tags={"env": "dev", "empty": ""}, security_groups=("sg-1",)),
    ])  # fmt: skip
    vocabulary = inventory.vocabulary()
    assert dict(vocabulary.tag_keys()) == {"env": 2, "Env": 1, "empty": 1}
    assert dict(vocabulary.tag_values("ENV")) == {"prod": 1, "dev": 1}
    assert dict(vocabulary.tag_values("empty")) == {"": 1}
    assert dict(vocabulary.field_values("sg")) == {"sg-1": 2, "sg-2": 1}
    assert vocabulary.field_values("az") is vocabulary.field_values("az")
    inventory.add([node("i-3", az="b", tags={"ENV": "test"})])
    assert dict(vocabulary.tag_values("env")) == {"prod": 1, "dev": 1, "test": 1}
    assert dict(vocabulary.field_values("az")) == {"a": 2, "b": 1}
    inventory.drop(SEOUL)
    assert not vocabulary.tag_keys()


@pytest.mark.parametrize(
    ("longer", "shorter", "sure"),
    [
        ("web-1", "web", True),
        ("web", "web-1", False),
        ("WEB-1", "web", True),
        ("web-1|web-2", "web", True),
        ("web-1|api", "web", False),
        ("web", "web|api", True),
        ("-web", "-web-1", True),
        ("-web-1", "-web", False),
        ("-web", "web", False),
        ("web*", "web", False),
        ("web-1", "we*", False),
        ('"web*"', "web", True),
        ("ip:10.1", "ip:10", True),
        ("ip:10.1", "10", False),
        ("env=prod", "env=pro", False),
        ("env=prod", "env=prod|dev", True),
        ("ping:online", "ping:on", False),
    ],
)
def test_when_one_term_is_sure_to_find_less_than_another(longer: str, shorter: str, sure: bool) -> None:
    one, other = (asked(parse(text, NODE_FIELDS).terms[0]) for text in (longer, shorter))
    assert implies(one, other) is sure
