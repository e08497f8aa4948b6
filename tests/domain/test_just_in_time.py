"""Requests for just-in-time access: ids, waiting, and keys that nothing shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate, repeat

import pytest

from ssm_tui.domain.credentials import Secret
from ssm_tui.domain.just_in_time import (
    FIRST_LOOK,
    LONGEST_WAIT,
    RequestProgress,
    RequestState,
    TemporaryKeys,
    is_request,
    next_wait,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEYS = TemporaryKeys(Secret("ASIAEXAMPLE"), Secret("very-secret"), Secret("a-token"), NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("oi-0123456789ab", True), ("oi-0123456789AB", False), ("oi-0123456789abc", False), ("the disk", False)],
)
def test_ids_are_told_from_reasons(text: str, expected: bool) -> None:
    assert is_request(text) is expected


def test_looks_become_rarer_and_stay_bounded() -> None:
    waits = list(accumulate(repeat(None, 20), lambda wait, _: next_wait(wait), initial=FIRST_LOOK))
    assert waits == sorted(waits)
    assert waits[0] == FIRST_LOOK
    assert waits[-1] == LONGEST_WAIT


def test_keys_hold_until_their_end() -> None:
    assert KEYS.hold(NOW)
    assert not KEYS.hold(KEYS.expires)


def test_keys_are_shown_nowhere_but_where_they_are_wanted() -> None:
    shown = repr(KEYS) + str(RequestProgress(RequestState.APPROVED, KEYS))
    assert not any(secret in shown for secret in ("ASIAEXAMPLE", "very-secret", "a-token"))
    environment = KEYS.environment("prod")
    assert environment["AWS_PROFILE"] == "prod"
    assert environment["AWS_SESSION_TOKEN"] == environment["AWS_SECURITY_TOKEN"] == "a-token"
    assert "AWS_PROFILE" not in KEYS.environment(None)
