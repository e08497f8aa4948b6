"""Verdicts as values: what filters find by them, and that unknown is never taken for allowed."""

from __future__ import annotations

import pytest

from ssm_tui.domain.access import NO_ANSWERS, Access, SessionKind, everywhere
from ssm_tui.domain.filters import parse
from ssm_tui.domain.nodes import NODE_FIELDS
from tests.builders import NO, YES, node
from tests.ui.fakes import MAYBE

FLEET = [
    node("i-yes", access=everywhere(YES)),
    node("i-no", access=everywhere(NO)),
    node("i-maybe", access=everywhere(MAYBE)),
    node("i-mixed", access=Access(YES, NO, MAYBE, YES)),
    node("i-new", access=NO_ANSWERS),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("access:shell", {"i-yes", "i-mixed"}),
        ("access:shell|unknown-shell", {"i-yes", "i-mixed", "i-maybe", "i-new"}),
        ("-access:denied-shell", {"i-yes", "i-mixed", "i-maybe", "i-new"}),
        ("access:denied-forward", {"i-no", "i-mixed"}),
        ("access:remote|unknown-remote", {"i-yes", "i-mixed", "i-maybe", "i-new"}),
        ("access:unknown", {"i-mixed", "i-maybe", "i-new"}),
        ("access:denied", {"i-no", "i-mixed"}),
        ("access:ssh -access:forward", {"i-mixed"}),
    ],
)
def test_whether_unknown_counts_is_said_in_the_filter(text: str, found: set[str]) -> None:
    wanted = parse(text, NODE_FIELDS)
    assert {each.id for each in FLEET if wanted.matches(each)} == found


def test_one_answer_is_put_in_the_place_of_another() -> None:
    for kind in SessionKind:
        access = NO_ANSWERS.having(kind, YES)
        assert [access.of(each) is YES for each in SessionKind] == [each is kind for each in SessionKind]
