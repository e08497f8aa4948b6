"""Which node a target means."""

from __future__ import annotations

import pytest

from ssm_tui.domain.targets import resolve
from ssm_tui.errors import TargetError
from tests.builders import node

NODES = [
    node("i-0aaa1", name="web-1"),
    node("i-0aaa2", name="web-10"),
    node("i-0bbb1", name="twin"),
    node("i-0bbb2", name="twin"),
    node("mi-0ccc", name=""),
]


@pytest.mark.parametrize(
    ("target", "id_"),
    [("i-0aaa1", "i-0aaa1"), ("web-1", "i-0aaa1"), ("web-10", "i-0aaa2"), ("mi-", "mi-0ccc"), ("i-0bbb2", "i-0bbb2")],
)
def test_resolves(target: str, id_: str) -> None:
    assert resolve(target, NODES).id == id_


@pytest.mark.parametrize("target", ["twin", "web", "i-0", "i-0aaa"])
def test_an_ambiguous_target_lists_the_candidates(target: str) -> None:
    with pytest.raises(TargetError) as raised:
        resolve(target, NODES)
    assert "i-0" in raised.value.hint
    assert target in raised.value.message


@pytest.mark.parametrize("target", ["nobody", ""])
def test_an_unknown_target_says_how_to_list(target: str) -> None:
    with pytest.raises(TargetError) as raised:
        resolve(target, NODES)
    assert raised.value.hint


def test_many_candidates_are_cut() -> None:
    crowd = [node(f"i-0{i:02}", name=f"same-{i}") for i in range(30)]
    with pytest.raises(TargetError, match="30") as raised:
        resolve("same", crowd)
    assert "22 more" in raised.value.hint
