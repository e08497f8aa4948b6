"""Orders that people expect."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.ordering import database_order, natural, node_order
from tests.builders import SEOUL, VIRGINIA, database, node


def test_numbers_stand_in_the_order_of_their_values() -> None:
    names = ["web-10", "web-2", "Web-1", "web-2b", "web", "10", "9", "결제-10", "결제-9"]
    assert sorted(names, key=natural) == ["9", "10", "web", "Web-1", "web-2", "web-2b", "web-10", "결제-9", "결제-10"]


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert (natural(one) < natural(other)) or (natural(other) <= natural(one))


def test_a_name_of_digits_alone_is_no_trouble() -> None:
    assert natural("9" * 5000) < natural("9" * 5001)


def test_the_same_name_is_ordered_by_id_and_context() -> None:
    nodes = [
        node("i-2", name="a", context=VIRGINIA),
        node("i-2", name="a"),
        node("i-1", name="a"),
        node("i-0", name=""),
    ]
    assert sorted(nodes, key=node_order) == [nodes[2], nodes[1], nodes[0], nodes[3]]
    assert nodes[1].context == SEOUL


def test_databases_are_ordered_by_their_ids() -> None:
    found = sorted([database("shard-10"), database("shard-9")], key=database_order)
    assert [each.id for each in found] == ["shard-9", "shard-10"]
