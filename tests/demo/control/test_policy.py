"""The evaluator by itself, a case a line: what IAM's documentation says must come out."""

from __future__ import annotations

from typing import Any

import pytest

from ssm_tui.demo.policy import Decision, Limit, Policy, PolicyError, Request, evaluate, parse_policy, referenced_keys

NODE = "arn:aws:ec2:ap-northeast-2:123456789012:instance/i-0a"
SHELL = "ssm:StartSession"
TEAM: dict[str, Any] = {"ssm:resourceTag/team": ("pay",)}


def allow(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*", **parts}


def deny(**parts: Any) -> dict[str, Any]:
    return allow(**parts) | {"Effect": "Deny"}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {operator: {key: list(values)}}


ALLOWED, DENIED, NOTHING = Decision.ALLOWED, Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY

CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], Decision]] = {
    "nothing says so": ([], {}, NOTHING),
    "plain": ([allow()], {}, ALLOWED),
    "deny wins": ([allow(), deny()], {}, DENIED),
    "deny wins in any order": ([deny(), allow()], {}, DENIED),
    "action by wildcard": ([allow(Action="ssm:Start*")], {}, ALLOWED),
    "action in any case": ([allow(Action="SSM:startsession")], {}, ALLOWED),
    "another action": ([allow(Action="ssm:SendCommand")], {}, NOTHING),
    "not-action of this": ([allow(Action=None, NotAction="ssm:StartSession")], {}, NOTHING),
    "not-action of another": ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], {}, ALLOWED),
    "resource by wildcard": ([allow(Resource="arn:aws:ec2:*:*:instance/*")], {}, ALLOWED),
    "resource in another case": ([allow(Resource="arn:aws:ec2:*:*:INSTANCE/*")], {}, NOTHING),
    "question mark": ([allow(Resource="arn:aws:ec2:*:*:instance/i-0?")], {}, ALLOWED),
    "not-resource": ([{"Effect": "Allow", "Action": "*", "NotResource": "*:instance/*"}], {}, NOTHING),
    "tag equal": ([allow(Condition=when("StringEquals", "ssm:resourceTag/team", "web", "pay"))], TEAM, ALLOWED),
    "key in another case": ([allow(Condition=when("StringEquals", "SSM:ResourceTag/team", "pay"))], TEAM, ALLOWED),
    "value in another case": ([allow(Condition=when("StringEquals", "ssm:resourceTag/team", "Pay"))], TEAM, NOTHING),
    "ignoring case": ([allow(Condition=when("StringEqualsIgnoreCase", "ssm:resourceTag/team", "PAY"))], TEAM, ALLOWED),
    "like": ([allow(Condition=when("StringLike", "ssm:resourceTag/team", "p*"))], TEAM, ALLOWED),
    "equals takes no wildcard": ([allow(Condition=when("StringEquals", "ssm:resourceTag/team", "p*"))], TEAM, NOTHING),
    "missing key": ([allow(Condition=when("StringEquals", "ssm:resourceTag/team", "pay"))], {}, NOTHING),
    "missing key, if exists": (
        [allow(Condition=when("StringEqualsIfExists", "ssm:resourceTag/team", "x"))],
        {},
        ALLOWED,
    ),
    "missing key, negated": ([allow(Condition=when("StringNotEquals", "ssm:resourceTag/team", "x"))], {}, ALLOWED),
    "negated against all": (
        [allow(Condition=when("StringNotEquals", "ssm:resourceTag/team", "x", "pay"))],
        TEAM,
        NOTHING,
    ),
    "all conditions": (
        [allow(Condition={"StringEquals": {"ssm:resourceTag/team": "pay", "ssm:resourceTag/env": "prod"}})],
        TEAM,
        NOTHING,
    ),
    "bool": ([allow(Condition=when("Bool", "aws:MultiFactorAuthPresent", "true"))], {}, NOTHING),
    "bool if exists, other value": (
        [allow(Condition=when("BoolIfExists", "ssm:SessionDocumentAccessCheck", "true"))],
        {"ssm:SessionDocumentAccessCheck": ("false",)},
        NOTHING,
    ),
    "null true": ([allow(Condition=when("Null", "ssm:resourceTag/team", "true"))], {}, ALLOWED),
    "null false": ([allow(Condition=when("Null", "ssm:resourceTag/team", "false"))], {}, NOTHING),
    "number": ([allow(Condition=when("NumericLessThan", "x:n", "10"))], {"x:n": ("9",)}, ALLOWED),
    "no number": ([allow(Condition=when("NumericLessThan", "x:n", "10"))], {"x:n": ("few",)}, NOTHING),
    "date": (
        [allow(Condition=when("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"))],
        {"aws:CurrentTime": ("2026-05-01T00:00:00Z",)},
        ALLOWED,
    ),
    "address": (
        [allow(Condition=when("IpAddress", "aws:SourceIp", "10.0.0.0/8"))],
        {"aws:SourceIp": ("10.1.2.3",)},
        ALLOWED,
    ),
    "arn part by part": (
        [allow(Condition=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"))],
        {"aws:PrincipalArn": ("arn:aws:iam::1:user/ann",)},
        ALLOWED,
    ),
    "arn wildcard stays in its part": (
        [allow(Condition=when("ArnLike", "aws:PrincipalArn", "arn:*:user/*"))],
        {"aws:PrincipalArn": ("arn:aws:iam::1:user/ann",)},
        NOTHING,
    ),
    "for all values": (
        [allow(Condition=when("ForAllValues:StringEquals", "aws:TagKeys", "a", "b"))],
        {"aws:TagKeys": ("a", "c")},
        NOTHING,
    ),
    "for all values of none": ([allow(Condition=when("ForAllValues:StringEquals", "aws:TagKeys", "a"))], {}, ALLOWED),
    "for any value": (
        [allow(Condition=when("ForAnyValue:StringEquals", "aws:TagKeys", "a"))],
        {"aws:TagKeys": ("c", "a")},
        ALLOWED,
    ),
    "variable in a value": (
        [allow(Condition=when("StringEquals", "ssm:resourceTag/team", "${aws:PrincipalTag/team}"))],
        TEAM | {"aws:PrincipalTag/team": ("pay",)},
        ALLOWED,
    ),
    "variable without a value": (
        [allow(Condition=when("StringEquals", "ssm:resourceTag/team", "${aws:PrincipalTag/team}"))],
        TEAM,
        NOTHING,
    ),
    "variable with a default": (
        [allow(Condition=when("StringEquals", "ssm:resourceTag/team", "${aws:PrincipalTag/team, 'pay'}"))],
        TEAM,
        ALLOWED,
    ),
    "variable's value is no pattern": (
        [allow(Condition=when("StringLike", "ssm:resourceTag/team", "${aws:PrincipalTag/team}"))],
        TEAM | {"aws:PrincipalTag/team": ("*",)},
        NOTHING,
    ),
    "unknown operator": ([allow(Condition=when("StringSounds", "ssm:resourceTag/team", "pay"))], TEAM, NOTHING),
}


@pytest.mark.parametrize("name", CASES)
def test_evaluates_as_iam_does(name: str) -> None:
    statements, context, expected = CASES[name]
    cleaned = [{key: value for key, value in each.items() if value is not None} for each in statements]
    policy = parse_policy("p", "user", {"Version": "2012-10-17", "Statement": cleaned})
    assert evaluate([policy], Request(SHELL, NODE, context)).decision is expected


def test_variable_in_a_resource_is_filled_in_literally() -> None:
    policy = parse_policy(
        "p",
        "user",
        {"Version": "2012-10-17", "Statement": allow(Resource="arn:aws:ssm:*:*:session/${aws:username}-*")},
    )
    own = "arn:aws:ssm:ap-northeast-2:1:session/ann-0123"
    assert evaluate([policy], Request(SHELL, own, {"aws:username": ("ann",)})).allowed
    assert not evaluate([policy], Request(SHELL, own, {"aws:username": ("*",)})).allowed
    assert not evaluate([policy], Request(SHELL, own, {})).allowed


def test_variables_are_plain_text_before_2012() -> None:
    policy = parse_policy("p", "user", {"Version": "2008-10-17", "Statement": allow(Resource="${aws:username}")})
    assert evaluate([policy], Request(SHELL, "${aws:username}", {"aws:username": ("ann",)})).allowed


def test_boundary_caps_what_is_allowed_and_grants_nothing() -> None:
    everything = parse_policy("p", "user", {"Version": "2012-10-17", "Statement": allow(Action="*")})
    boundary = parse_policy("b", "user-managed", {"Version": "2012-10-17", "Statement": allow(Action="ssm:*")})
    limits = {Limit.BOUNDARY: (boundary,)}
    assert evaluate([everything], Request(SHELL, NODE), limits).allowed
    capped = evaluate([everything], Request("iam:ListUsers", "*"), limits)
    assert (capped.decision, capped.limit) == (Decision.IMPLICIT_DENY, Limit.BOUNDARY)
    granted = evaluate([], Request(SHELL, NODE), limits)
    assert (granted.decision, granted.limit) == (Decision.IMPLICIT_DENY, None)
    assert granted.limits == {Limit.BOUNDARY: True}


def _of(*statements: dict[str, Any]) -> Policy:
    return parse_policy("p", "user", {"Version": "2012-10-17", "Statement": list(statements)})


ALL, NONE, NO = _of(allow()), _of(), _of(allow(), deny())


@pytest.mark.parametrize(
    ("own", "limits", "expected", "by"),
    [
        (ALL, {Limit.ORGANIZATION: ALL, Limit.BOUNDARY: ALL, Limit.SESSION: ALL}, ALLOWED, None),
        (ALL, {Limit.SESSION: NONE}, NOTHING, Limit.SESSION),
        (ALL, {Limit.BOUNDARY: NONE, Limit.SESSION: NO}, DENIED, Limit.SESSION),
        (ALL, {Limit.ORGANIZATION: NONE, Limit.BOUNDARY: NONE}, NOTHING, Limit.ORGANIZATION),
        (NONE, {Limit.ORGANIZATION: NONE}, NOTHING, Limit.ORGANIZATION),
        (NONE, {Limit.BOUNDARY: NONE}, NOTHING, None),
        (NONE, {Limit.BOUNDARY: NO}, DENIED, Limit.BOUNDARY),
        (NO, {Limit.ORGANIZATION: NONE}, DENIED, None),
        (NO, {Limit.ORGANIZATION: NO}, DENIED, Limit.ORGANIZATION),
    ],
)
def test_every_limit_must_allow_and_none_may_deny(
    own: Policy, limits: dict[Limit, Policy], expected: Decision, by: Limit | None
) -> None:
    verdict = evaluate([own], Request(SHELL, NODE), {limit: (policy,) for limit, policy in limits.items()})
    assert (verdict.decision, verdict.limit) == (expected, by)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"Statement": {"Effect": "Allow"}}', [((1, 15), (1, 34))]),
        ('{"Statement": []}', []),
        (
            '{"Id": "{[,", "Statement": [{"Effect": "Allow"},\n {"Effect": "Deny"}]}',
            [((1, 29), (1, 48)), ((2, 2), (2, 20))],
        ),
        ('{\n  "Statement": [\n    {\n      "Effect": "Allow"\n    }\n  ]\n}', [((3, 5), (5, 6))]),
    ],
)
def test_statements_know_where_they_stand(text: str, places: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    statements = parse_policy("p", "user", text).statements
    assert [each.span for each in statements] == places


def test_verdict_names_the_statements_and_the_missing_keys() -> None:
    policy = parse_policy(
        "p",
        "user",
        {
            "Version": "2012-10-17",
            "Statement": [
                allow(Condition=when("StringEquals", "ssm:resourceTag/team", "pay")),
                deny(Condition=when("StringEquals", "ssm:resourceTag/frozen", "yes")),
            ],
        },
    )
    verdict = evaluate([policy], Request(SHELL, NODE, TEAM))
    assert [each.allow for each in verdict.matched] == [True]
    assert verdict.missing == {"ssm:resourceTag/frozen"}
    assert referenced_keys([policy]) == ("ssm:resourceTag/team", "ssm:resourceTag/frozen")


@pytest.mark.parametrize("document", ["", "[]", '{"Statement": [{"Effect": "Maybe"}]}', '{"Statement": ["x"]}'])
def test_a_document_that_is_none_is_refused(document: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy("p", "user", document)
