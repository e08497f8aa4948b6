"""The smallest policy: what it allows is what was missing, to the letter, and what no statement mends is said."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.demo.policy import Decision, Request, evaluate, parse_policy
from ssm_tui.domain.access import Answer, Cause, Decider, SessionKind, Verdict
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.domain.grants import Explanation, Place, Point, Quote, Target, Undertaking, joint, smallest

START, EXECUTE = "ssm:StartSession", "ecs:ExecuteCommand"
PLACE = "ap-northeast-2:123456789012"
NODE = f"arn:aws:ec2:{PLACE}:instance/i-0a1b2c3d4e5f60718"
SHELL = f"arn:aws:ssm:{PLACE}:document/SSM-SessionManagerRunShell"
FORWARD = "arn:aws:ssm:ap-northeast-2::document/AWS-StartPortForwardingSession"
TASK, CLUSTER = f"arn:aws:ecs:{PLACE}:task/shop/1a2b", f"arn:aws:ecs:{PLACE}:cluster/shop"
ASKED = [(START, NODE), (START, SHELL), (START, FORWARD), (EXECUTE, TASK), (EXECUTE, CLUSTER), (START, TASK)]

YES = Answer(Verdict.ALLOWED)
NO = Answer(Verdict.DENIED, "no policy of yours allows it", Cause.IMPLICIT)
MAYBE = Answer(Verdict.UNKNOWN, "iam:SimulatePrincipalPolicy is denied")
FORBIDDEN = Answer(
    Verdict.DENIED,
    "forbidden",
    Cause.EXPLICIT,
    deciders=(Decider("Own", "user", (3, 9)),),
    tags=(("frozen", "yes"),),
)


def statements(document: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Of a policy document, or of none."""
    return list(document["Statement"]) if document else []


def decisions(points: list[Point], document: dict[str, Any] | None) -> dict[Point, Decision]:
    """What IAM makes of each point by that policy alone."""
    policies = [parse_policy("asked-for", "user", document)] if document else []
    return {point: evaluate(policies, Request(point.action, point.resource)).decision for point in points}


@given(st.lists(st.sampled_from([YES, NO, MAYBE]), min_size=len(ASKED), max_size=len(ASKED)))
def test_it_allows_what_is_not_allowed_and_nothing_else(answers: list[Answer]) -> None:
    points = [Point(*asked, answer) for asked, answer in zip(ASKED, answers, strict=True)]
    everything = [Point(*each, YES) for each in product((START, EXECUTE), {resource for _, resource in ASKED})]
    request = smallest(points)
    document = request.document()
    missing = {(point.action, point.resource) for point in points if point.answer is not YES}
    allowed = {
        (point.action, point.resource)
        for point, decision in decisions(everything, document).items()
        if decision is Decision.ALLOWED
    }
    assert allowed == missing
    assert request.doubtful == (MAYBE in answers)
    for statement in statements(document):
        assert "*" not in str(statement["Resource"])


def test_what_is_forbidden_is_not_asked_for_but_said() -> None:
    request = smallest([Point(START, NODE, FORBIDDEN), Point(START, SHELL, NO)])
    assert request.document() == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": START, "Resource": SHELL}],
    }
    (sentence,) = request.obstacles
    assert "policy Own (user), lines 3-9 forbids ssm:StartSession" in sentence
    assert NODE in sentence
    assert "frozen=yes" in sentence


def test_of_a_statement_that_can_be_read_only_its_own_tags_are_told() -> None:
    looked_at = Answer(
        Verdict.DENIED, "", Cause.EXPLICIT, deciders=FORBIDDEN.deciders, tags=(*FORBIDDEN.tags, ("a", "b"))
    )
    text = '{"StringEquals": {"aws:ResourceTag/Frozen": "yes"}}'
    for quotes, tags in (((), "(frozen=yes, a=b)"), ((Quote(FORBIDDEN.deciders[0], text),), "(frozen=yes)")):
        (sentence,) = smallest([Point(START, NODE, looked_at)], quotes).obstacles
        assert tags in sentence


def test_nothing_is_asked_for_where_nothing_is_missing() -> None:
    request = smallest([Point(START, NODE, YES)])
    assert (request.document(), request.text(), request.obstacles) == (None, "", ())


def test_the_place_that_lacks_a_statement_is_told() -> None:
    boundary = Answer(Verdict.DENIED, "", Cause.BOUNDARY)
    organization = Answer(Verdict.DENIED, "", Cause.ORGANIZATION)
    request = smallest(
        [
            Point(START, NODE, boundary, own=Verdict.ALLOWED),
            Point(START, SHELL, NO),
            Point(START, FORWARD, organization, own=Verdict.ALLOWED),
        ]
    )
    assert list(request.grants) == [Place.IDENTITY, Place.BOUNDARY, Place.ORGANIZATION]
    for place, resource in zip(Place, (SHELL, NODE, FORWARD), strict=True):
        assert statements(request.document(place)) == [{"Effect": "Allow", "Action": START, "Resource": resource}]
    assert request.document(Place.IDENTITY) != request.document()


def test_under_a_limit_ones_own_statement_may_be_missing_too() -> None:
    for own, doubtful in ((Verdict.DENIED, False), (None, True)):
        request = smallest([Point(START, NODE, Answer(Verdict.DENIED, "", Cause.BOUNDARY), own=own)])
        assert list(request.grants) == [Place.IDENTITY, Place.BOUNDARY]
        assert request.doubtful is doubtful


def test_sessions_are_named_by_a_pattern() -> None:
    pattern = f"arn:aws:ssm:{PLACE}:session/${{aws:username}}-*"
    sample = f"arn:aws:ssm:{PLACE}:session/kim-0123"
    request = smallest(
        Point(action, sample, NO, (pattern,)) for action in ("ssm:ResumeSession", "ssm:TerminateSession")
    )
    assert statements(request.document()) == [
        {"Effect": "Allow", "Action": ["ssm:ResumeSession", "ssm:TerminateSession"], "Resource": pattern}
    ]


def explanation(**answers: Answer) -> Explanation:
    documents = {"shell": SHELL, "forward": FORWARD}
    undertakings = []
    for name, answer in answers.items():
        points = (Point(START, NODE, YES), Point(START, documents[name], answer))
        undertakings.append(Undertaking(name, joint(points), points))
    ending = Point("ssm:TerminateSession", f"arn:aws:ssm:{PLACE}:session/kim-0123", NO)
    target = Target(Context("dev", "ap-northeast-2"), None)
    caller = Caller("123456789012", "arn:aws:iam::123456789012:user/kim")
    return Explanation(target, caller, undertakings=tuple(undertakings), sessions=(ending,))


def resources(explained: Explanation, name: str = "") -> list[Any]:
    return [each["Resource"] for each in statements(explained.request(name).document())]


def test_a_refusal_stands_before_what_iam_allows_and_no_statement_is_asked_for() -> None:
    allowed = explanation(shell=YES, forward=YES)
    refusal = Answer(
        Verdict.DENIED, "AWS refused it when it was tried: no session policy allows it", Cause.IMPLICIT, NODE
    )
    found = allowed.corrected(allowed.access.having(SessionKind.SHELL, refusal))
    assert found.undertakings[0].answer == refusal
    assert found.undertakings[1] == allowed.undertakings[1]
    request = found.request("shell")
    (obstacle,) = request.obstacles
    assert f"{START} on {NODE}" in obstacle
    assert "a policy of your session" in obstacle
    assert NODE not in request.text()


def test_a_session_that_was_started_stands_before_what_iam_denies() -> None:
    denied = explanation(shell=NO)
    found = denied.corrected(denied.access.having(SessionKind.SHELL, YES))
    assert found.undertakings[0].answer == YES
    assert SHELL not in found.request().text()


def test_one_undertaking_is_asked_for_by_itself() -> None:
    denied = explanation(shell=NO, forward=NO)
    assert resources(denied)[0] == [SHELL, FORWARD]
    assert resources(denied, "forward")[0] == FORWARD
    assert resources(denied, "shell")[1].endswith("session/kim-0123")
