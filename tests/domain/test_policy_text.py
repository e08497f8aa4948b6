"""The statement that decided is found in a policy's text: by its lines, else by effect and action."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.policy_text import quoted

START = "ssm:StartSession"
WEB = {"Sid": "Web", "Effect": "Allow", "Action": START, "Resource": "*"}
PAY = {
    "Effect": "Allow",
    "Action": ["ec2:Describe*", "ssm:start*"],
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:ResourceTag/team": 'p"a}y'}},
}
OTHER = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
FROZEN = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}
INDENTED = json.dumps({"Version": "2012-10-17", "Statement": [OTHER, WEB, PAY, FROZEN]}, indent=2)
COMPACT = json.dumps({"Statement": [OTHER, WEB, PAY, FROZEN]})


def statements(text: str) -> list[object]:
    """What was quoted, read again: objects one after another."""
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def place(statement: dict[str, object]) -> tuple[int, int]:
    """The lines by which IAM names the statement of INDENTED: from the end of what stands before it."""
    text = json.dumps(statement, indent=2).replace("\n", "\n    ")
    before = INDENTED[: INDENTED.index(text)]
    first = before.rstrip().count("\n") + 1
    return first, before.count("\n") + text.count("\n") + 1


@pytest.mark.parametrize(("statement", "allow"), [(WEB, True), (PAY, True), (FROZEN, False)])
def test_the_lines_name_the_statement(statement: dict[str, object], allow: bool) -> None:
    assert statements(quoted(INDENTED, START, allow=allow, lines=place(statement))) == [statement]


def test_without_lines_effect_and_action_name_the_statements() -> None:
    for text in (INDENTED, COMPACT):
        assert statements(quoted(text, START, allow=True)) == [WEB, PAY]
        assert statements(quoted(text, START, allow=False)) == [FROZEN]
        assert statements(quoted(text, "s3:GetObject", allow=True)) == [OTHER]


def test_of_a_policy_in_one_line_the_lines_name_nothing() -> None:
    assert statements(quoted(COMPACT, START, allow=False, lines=(1, 1))) == [FROZEN]


def test_a_statement_may_stand_alone() -> None:
    assert statements(quoted(json.dumps({"Statement": PAY}), START, allow=True)) == [PAY]


@given(st.text() | st.text(alphabet='{}[]":,\\ \nStatement'))
def test_a_text_that_is_no_policy_is_shown_as_it_is(text: str) -> None:
    assert quoted(text, START, allow=True) == text.strip() or "{" in text
