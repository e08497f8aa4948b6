"""What is done about each kind of fault, and when it is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.recovery import FIRST_TRIES, Allowance, Backoff, Course, Remedy, remedy
from ssm_tui.domain.tunnels import Way
from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    FarEndError,
    NetworkError,
    PortError,
    PrerequisiteError,
    RegionError,
    SessionClosedError,
    SessionError,
    SsmTuiError,
    ThrottledError,
)

R = Remedy


@pytest.mark.parametrize(
    ("error", "at_first", "later"),
    [
        (CredentialsError("expired"), R.PAUSE, R.PAUSE),
        (AccessDeniedError("denied"), R.FAIL, R.FAIL),
        (PrerequisiteError("no aws"), R.FAIL, R.FAIL),
        (PortError("taken"), R.FAIL, R.FAIL),
        (RegionError("none"), R.FAIL, R.FAIL),
        (FarEndError("refused"), R.FAIL, R.STAND),
        (NetworkError("no network"), R.TRY_AGAIN, R.TRY_AGAIN),
        (ThrottledError("too many"), R.TRY_AGAIN, R.TRY_AGAIN),
        (AwsError("away", code="TargetNotConnected"), R.FAIL, R.TRY_AGAIN),
        (AwsError("gone", code="InvalidTarget"), R.FAIL, R.FAIL),
        (AwsError("fault", code="InternalServerError"), R.TRY_AGAIN, R.TRY_AGAIN),
        (AwsError("what?", code="Unforeseen"), R.FAIL, R.TRY_AGAIN),
        (AwsError("a portal, not AWS"), R.FAIL, R.TRY_AGAIN),
        (SessionError("the plugin died"), R.TRY_AGAIN, R.TRY_AGAIN),
        (SessionClosedError("too long"), R.TRY_AGAIN, R.TRY_AGAIN),
    ],
    ids=lambda value: f"{type(value).__name__} {value}" if isinstance(value, SsmTuiError) else None,
)
def test_remedies(error: SsmTuiError, at_first: Remedy, later: Remedy) -> None:
    assert remedy(error, was_ready=False, tries=1, ways_left=0) is at_first
    assert remedy(error, was_ready=True, tries=100, ways_left=0) is later


@pytest.mark.parametrize("code", ["TargetNotConnected", "InvalidTarget", "InvalidInstanceId"])
@pytest.mark.parametrize("was_ready", [False, True])
def test_another_way_is_taken_while_there_is_one(code: str, *, was_ready: bool) -> None:
    error = AwsError("the relay is gone", code=code)
    assert remedy(error, was_ready=was_ready, tries=1, ways_left=1) is R.OTHER_WAY
    assert remedy(error, was_ready=was_ready, tries=1, ways_left=0) is not R.OTHER_WAY


def test_what_nobody_can_explain_is_tried_a_few_times_at_first() -> None:
    error = SessionError("the plugin died")
    tries = [remedy(error, was_ready=False, tries=number, ways_left=0) for number in range(1, FIRST_TRIES + 1)]
    assert tries == [R.TRY_AGAIN] * (FIRST_TRIES - 1) + [R.FAIL]


def test_a_network_that_was_away_for_long_takes_no_try_from_what_comes_after() -> None:
    course = Course((Way("a"),))
    for _ in range(20):
        course.failed(NetworkError("no route"))
        assert course.remedy(NetworkError("no route")) is R.TRY_AGAIN
    error = SessionError("the plugin died")
    course.failed(error)
    assert course.remedy(error) is R.TRY_AGAIN
    for _ in range(FIRST_TRIES - 1):
        course.failed(error)
    assert course.remedy(error) is R.FAIL


def test_what_is_lost_again_and_again_is_not_replaced_at_once_for_ever() -> None:
    allowance = Allowance(most=3, refill=60)
    assert [allowance.take(1000.0 + second) for second in range(0, 25, 5)] == [True, True, True, False, False]
    assert [allowance.take(1060.0 + second) for second in range(0, 25, 5)] == [True, False, False, False, False]
    assert [allowance.take(9000.0) for _ in range(4)] == [True, True, True, False]


def test_a_detour_that_is_denied_ends_no_tunnel_that_was_right() -> None:
    denied = AccessDeniedError("denied")
    assert remedy(denied, was_ready=True, tries=1, ways_left=1, detour=True) is R.OTHER_WAY
    assert remedy(denied, was_ready=True, tries=1, ways_left=0, detour=True) is R.TRY_AGAIN
    assert remedy(denied, was_ready=False, tries=1, ways_left=0, detour=True) is R.FAIL


def test_all_ways_are_tried_in_turn_and_then_anew() -> None:
    first, second, third = (Way(name) for name in "abc")
    course = Course((first, second, third))
    away = AwsError("away", code="TargetNotConnected")
    course.stood()
    for _ in range(2):
        taken = [course.way]
        while course.remedy(away) is R.OTHER_WAY:
            taken.append(course.turn())
        assert taken == [first, second, third]
        assert course.remedy(away) is R.TRY_AGAIN
        course.begin_anew()
    course.turn()
    course.stood()
    assert course.way == second  # no way back without need
    assert course.remedy(away) is R.OTHER_WAY
    course.begin_anew()
    assert course.way == second


def test_an_open_port_is_no_proof_but_time_is() -> None:
    unknown = FarEndError("no such host")
    course = Course((Way("a"),))
    course.stood()
    course.lost(SessionError("killed"), steady=False)
    assert course.remedy(unknown) is R.STAND
    course.lost(unknown, steady=False)
    assert course.remedy(unknown) is R.FAIL
    course.stood()
    course.lost(SessionError("killed"), steady=True)
    course.lost(unknown, steady=False)
    assert course.remedy(unknown) is R.STAND


def test_a_far_end_that_was_never_reached_is_tried_through_the_next_node() -> None:
    silent = FarEndError("did not answer")
    course = Course((Way("a"), Way("b")))
    assert course.remedy(silent) is R.OTHER_WAY
    assert course.turn() == Way("b")
    assert course.remedy(silent) is R.FAIL
    course.stood()
    assert course.remedy(silent) is R.STAND, "it was reached: it may come back"


def test_waits_double_up_to_five_minutes_and_begin_anew() -> None:
    backoff = Backoff(lambda: 1 - 2**-50)
    waits = [round(backoff.next()) for _ in range(11)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    backoff.reset()
    assert round(backoff.next()) == 1


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=20))
def test_waits_stay_within_their_bounds(numbers: list[float]) -> None:
    backoff = Backoff(iter(numbers).__next__)
    for attempt in range(20):
        whole = min(300.0, 2.0**attempt)
        assert max(1.0, whole / 2) <= backoff.next() <= whole
