"""The record of a tunnel: only legal changes, each told, each a line."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.tunnels import TRANSITIONS, Traffic, TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.sessions.tunnels.chronicle import Chronicle, IllegalTransition

S = TunnelState
REQUEST = TunnelRequest(Context(None, "ap-northeast-2"), "i-1", 5432)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A second later at every look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def chronicle() -> tuple[Chronicle, list[TunnelStatus]]:
    told: list[TunnelStatus] = []
    return Chronicle(1, REQUEST, Clock(), told.append), told


@given(st.lists(st.sampled_from(TunnelState), max_size=30))
def test_no_walk_leaves_the_table(walk: list[TunnelState]) -> None:
    one, told = chronicle()
    state = S.STARTING
    for after in walk:
        if after is state or after in TRANSITIONS[state]:
            one.become(after, "why")
            state = after
        else:
            with pytest.raises(IllegalTransition):
                one.become(after, "why")
        assert one.status.state is state
    changes = [event.state for event in one.history]
    assert all(b is a or b in TRANSITIONS[a] for a, b in pairwise(changes))
    assert [status.state for status in told] == changes


def test_since_is_when_the_state_began_not_when_its_words_changed() -> None:
    one, _ = chronicle()
    one.become(S.READY)
    since = one.status.since
    one.say("news")
    assert one.status.since == since
    assert one.status.message == "news"
    one.become(S.DEGRADED)
    assert one.status.since > since


def test_a_repeated_word_is_one_line_and_the_history_is_bounded() -> None:
    one, _ = chronicle()
    one.become(S.READY)
    for _ in range(3):
        one.say("again")
    assert [event.text for event in one.history] == ["", "again"]
    for number in range(1000):
        one.say(str(number))
    assert len(one.history) == 300
    assert one.history[-1].text == "999"


def test_what_is_told_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    one, _ = chronicle()
    with caplog.at_level(logging.INFO, "ssm_tui.tunnels"):
        one.become(S.FAILED, "denied", "ask for it")
    assert [record.getMessage() for record in caplog.records] == ["1 i-1:5432: failed denied; ask for it"]


def test_an_end_carries_nothing_but_keeps_its_sum() -> None:
    one, told = chronicle()
    one.update(traffic=Traffic(2, 10, 20), sessions=2)
    one.become(S.FAILED)
    assert told[-1].traffic == Traffic(0, 10, 20)
    assert told[-1].sessions == 0
    assert one.measured(Traffic(5), 1).traffic == Traffic(0, 10, 20)
