"""The states of a tunnel: which follows which, and what holds in each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.tunnels import TRANSITIONS, Traffic, TunnelRequest, TunnelState, TunnelStatus, Way, may_become

S = TunnelState
OPEN = [S.STARTING, S.IDLE, S.READY, S.DEGRADED, S.RECONNECTING, S.PAUSED]
REQUEST = TunnelRequest(Context(None, "ap-northeast-2"), "i-1", 5432, host="db", others=(Way("i-2", "two"),))


@pytest.mark.parametrize("state", TunnelState)
def test_every_state_may_stay_and_is_listed(state: TunnelState) -> None:
    assert state in TRANSITIONS
    assert may_become(state, state)
    assert state not in TRANSITIONS[state]


@pytest.mark.parametrize("state", OPEN)
def test_an_open_tunnel_may_be_stopped_and_may_fail(state: TunnelState) -> None:
    assert {S.STOPPING, S.FAILED} <= TRANSITIONS[state]
    assert not state.ended


def test_ends_are_ends() -> None:
    assert {state for state in TunnelState if state.ended} == {S.STOPPED, S.FAILED}
    assert TRANSITIONS[S.STOPPING] == {S.STOPPED}  # what is wished for is not told as a failure


def test_nothing_leads_back_to_the_start_but_a_dial() -> None:
    assert [state for state in TunnelState if S.STARTING in TRANSITIONS[state]] == [S.IDLE]


def test_without_credentials_nothing_is_ready() -> None:
    assert not TRANSITIONS[S.PAUSED] & {S.READY, S.DEGRADED, S.STARTING}


def test_every_state_can_be_reached_and_left_for_an_end() -> None:
    def reached(start: TunnelState) -> set[TunnelState]:
        found, fresh = {start}, [start]
        while fresh:
            for after in TRANSITIONS[fresh.pop()] - found:
                found.add(after)
                fresh.append(after)
        return found

    assert reached(S.STARTING) == set(TunnelState)
    assert all(S.STOPPED in reached(state) for state in TunnelState if state is not S.FAILED)


def test_only_a_tunnel_that_will_serve_is_usable() -> None:
    assert {state for state in TunnelState if state.usable} == {S.READY, S.IDLE}


@pytest.mark.parametrize(("before", "after"), list(product(TunnelState, TunnelState)))
def test_what_may_follow_is_what_the_table_says(before: TunnelState, after: TunnelState) -> None:
    assert may_become(before, after) is (before is after or after in TRANSITIONS[before])


def test_a_request_by_its_names() -> None:
    assert REQUEST.far_end == "db:5432"
    assert replace(REQUEST, host="").far_end == "i-1:5432"
    assert REQUEST.heading == "db:5432"
    assert replace(REQUEST, name="n").heading == "n"
    assert replace(REQUEST, name="n", title="t").heading == "t"
    assert REQUEST.ways == (Way("i-1"), Way("i-2", "two"))


def test_a_status_by_its_parts() -> None:
    status = TunnelStatus(1, REQUEST, S.STARTING, datetime(2026, 1, 1, tzinfo=UTC))
    assert status.address == ""
    assert replace(status, local_port=5432).address == "127.0.0.1:5432"
    assert replace(status, traffic=Traffic(3)).connections == 3
