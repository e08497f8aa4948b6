"""What StartSession taught stands where IAM will not tell, or told wrongly, until IAM changes its mind or it is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ssm_tui.domain.access import NO_ANSWERS, Access, Answer, Cause, SessionKind, Verdict, everywhere
from ssm_tui.domain.lessons import LASTS, MOST, Attempt, Lesson, applied, is_good, with_lesson
from ssm_tui.domain.refusals import Refusal
from tests.builders import NO, YES

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
MAYBE = everywhere(Answer(Verdict.UNKNOWN, "iam:SimulatePrincipalPolicy is denied"))
NODE = "arn:aws:ec2:us-east-1:1:instance/i-1"
DOCUMENT = "arn:aws:ssm:us-east-1::document/AWS-StartPortForwardingSession"


def attempt(kind: SessionKind = SessionKind.SHELL, node: str = "i-1", held: Verdict = Verdict.UNKNOWN) -> Attempt:
    return Attempt("arn:aws:iam::1:role/dev", "us-east-1", kind, node, held, NOW)


def refused(attempt: Attempt, resource: str = NODE, reason: str = "because no session policy allows it") -> Lesson:
    lesson = attempt.refused(Refusal("ssm:StartSession", resource, reason))
    assert lesson is not None
    return lesson


def verdicts(access: Access) -> dict[str, str]:
    return {kind.value: access.of(kind).verdict.value for kind in SessionKind}


def test_a_session_that_was_started_is_allowed_there_and_nowhere_else() -> None:
    lesson = attempt().succeeded()
    assert verdicts(applied("i-1", MAYBE, [lesson])) == {
        "shell": "allowed",
        "forward": "unknown",
        "remote": "unknown",
        "ssh": "unknown",
    }
    assert applied("i-2", MAYBE, [lesson]) == MAYBE


def test_a_node_that_was_refused_is_refused_for_every_kind() -> None:
    lesson = refused(attempt(), reason="with an explicit deny in an identity-based policy")
    access = applied("i-1", MAYBE, [lesson])
    assert set(verdicts(access).values()) == {"denied"}
    assert {access.of(kind).cause for kind in SessionKind} == {Cause.EXPLICIT}
    assert applied("i-2", MAYBE, [lesson]) == MAYBE


def test_a_containers_shell_and_its_ports_are_refused_apart() -> None:
    task = "ecs:shop_t1_r1"
    access = applied(task, MAYBE, [refused(attempt(node=task), "arn:aws:ecs:us-east-1:1:task/shop/t1")])
    assert verdicts(access) == {"shell": "denied", "forward": "unknown", "remote": "unknown", "ssh": "unknown"}


def test_a_document_that_was_refused_is_refused_on_every_node() -> None:
    lesson = refused(attempt(SessionKind.FORWARD), DOCUMENT)
    for node in ("i-1", "i-2"):
        assert verdicts(applied(node, MAYBE, [lesson])) == {
            "shell": "unknown",
            "forward": "denied",
            "remote": "unknown",
            "ssh": "unknown",
        }
    # Until one is started.
    started = replace(attempt(SessionKind.FORWARD, "i-2").succeeded(), learned=NOW + timedelta(minutes=1))
    assert with_lesson([lesson], started) == (started,)


@pytest.mark.parametrize(("held", "says"), [(Verdict.ALLOWED, YES), (Verdict.DENIED, NO)])
def test_what_contradicts_iam_stands_until_iam_says_something_else(held: Verdict, says: Answer) -> None:
    tried = attempt(held=held)
    lesson = refused(tried) if held is Verdict.ALLOWED else tried.succeeded()
    assert lesson.contradicts
    assert applied("i-1", everywhere(says), [lesson]).shell == lesson.answer
    # IAM's own word against the lesson, where it was not against that that the lesson was.
    quiet = replace(lesson, against=Verdict.UNKNOWN)
    assert applied("i-1", everywhere(says), [quiet]).shell == says


def test_what_was_held_already_is_nothing_new() -> None:
    assert not attempt(held=Verdict.ALLOWED).succeeded().new
    assert not refused(attempt(held=Verdict.DENIED)).new
    assert attempt().succeeded().new
    assert applied("i-1", everywhere(NO), [refused(attempt())]) == everywhere(NO)  # whose reason is the better one


def test_the_want_of_another_right_says_nothing_of_sessions() -> None:
    assert attempt().refused(Refusal("kms:GenerateDataKey", "arn:aws:kms:us-east-1:1:key/k")) is None


def test_lessons_age_and_are_not_kept_without_end() -> None:
    lesson = attempt().succeeded()
    assert is_good(lesson, NOW + LASTS - timedelta(seconds=1))
    assert not is_good(lesson, NOW + LASTS)
    assert not is_good(lesson, NOW - timedelta(seconds=1))  # a clock that was set back
    kept: tuple[Lesson, ...] = ()
    for number in range(MOST + 10):
        kept = with_lesson(kept, attempt(node=f"i-{number}").succeeded())
    assert len(kept) == MOST
    later = replace(lesson, learned=NOW + LASTS)
    assert with_lesson(kept, later) == (later,)


def test_no_answers_are_no_obstacle() -> None:
    assert applied("i-1", NO_ANSWERS, [attempt().succeeded()]).shell.verdict is Verdict.ALLOWED
