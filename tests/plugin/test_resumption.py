"""How long and how densely a lost session is tried for, without a network: the budget, the clock, what is final."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from ssm_tui.plugin import waking
from ssm_tui.plugin.dialing import ChannelError
from ssm_tui.plugin.limits import DEFAULT_LIMITS
from ssm_tui.plugin.resumption import Budget, GaveUpError, GoneError, Resumption
from ssm_tui.plugin.service import ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ssm_tui.plugin.websocket import Link

QUICK = replace(DEFAULT_LIMITS, resume_delay=0.001, resume_longest_delay=0.002, resume_total=0.05)


def test_attempts_thin_out_to_the_longest_delay_and_go_on_for_ten_minutes() -> None:
    limits = DEFAULT_LIMITS
    budget = Budget(limits.resume_total, limits.resume_delay, limits.resume_longest_delay, lambda: 1.0)
    delays = []
    while (delay := budget.delay()) is not None:
        delays.append(delay)
        budget.spend(delay)
    assert [round(delay, 2) for delay in delays[:8]] == [0.15, 0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 15.0]
    assert set(delays[7:]) == {15.0}
    assert 600 <= sum(delays) < 615


def test_half_of_each_delay_is_chance() -> None:
    assert Budget(1, 1, 1, lambda: 0.0).delay() == 0.5
    assert Budget(1, 1, 1, lambda: 1.0).delay() == 1.0


def test_after_waking_attempts_are_dense_again() -> None:
    budget = Budget(600, 1, 8, lambda: 1.0)
    assert [budget.delay() for _ in range(5)] == [1, 2, 4, 8, 8]
    budget.woken()
    assert [budget.delay() for _ in range(2)] == [1, 2]


async def test_a_timer_that_comes_much_too_late_ends_the_sleep_at_once() -> None:
    clock = iter([0.0, 3600.0])  # an hour between two looks at it
    began = asyncio.get_running_loop().time()
    assert await waking.sleep(0.9, late=5, wall=lambda: next(clock))
    assert asyncio.get_running_loop().time() - began < 5


async def test_an_ordinary_sleep_is_no_waking() -> None:
    assert not await waking.sleep(0.01, late=5)


def resumption(
    renew: Callable[[], Awaitable[str]], told: list[str], dial: Callable[[str], Awaitable[Link]] | None = None
) -> Resumption:
    async def connect(_token: str) -> Link:
        return cast("Link", "the new websocket")

    return Resumption(QUICK, renew=renew, dial=dial or connect, told=told.append)


async def test_it_goes_on_while_the_network_is_away_and_says_each_reason_once() -> None:
    tries = itertools.count()

    async def renew() -> str:
        if next(tries) < 5:
            raise ServiceError("Could not connect to\nthe endpoint", final=False)
        return "token"

    told: list[str] = []
    assert str(await resumption(renew, told).run("the connection ended")) == "the new websocket"
    assert told == ["the connection ended", "Could not connect to the endpoint"]


async def test_it_gives_up_when_its_time_is_over() -> None:
    async def renew() -> str:
        raise ServiceError("no route", final=False)

    with pytest.raises(GaveUpError, match=r"no route; gave up after 0\.05 s"):
        await resumption(renew, []).run("x")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ServiceError("AccessDeniedException: no", final=True), GaveUpError),
        (ServiceError("DoesNotExistException: Session s does not exist", final=True), GoneError),
        (ServiceError("ExpiredTokenException: The security token is expired", final=True), GaveUpError),
        (None, GoneError),
    ],
    ids=["denied", "gone", "expired", "no token"],
)
async def test_what_trying_again_cannot_mend_is_final_at_once(
    error: ServiceError | None, outcome: type[Exception]
) -> None:
    calls = 0

    async def renew() -> str:
        nonlocal calls
        calls += 1
        if error is not None:
            raise error
        return ""

    with pytest.raises(outcome):
        await resumption(renew, []).run("x")
    assert calls == 1


async def test_a_websocket_that_cannot_be_opened_is_tried_again_with_a_new_token() -> None:
    tokens = (f"token-{number}" for number in itertools.count())
    dialled: list[str] = []

    async def renew() -> str:
        return next(tokens)

    async def dial(token: str) -> Link:
        dialled.append(token)
        if len(dialled) < 3:
            raise ChannelError("the data channel was refused with HTTP status 503")
        return cast("Link", "open")

    assert str(await resumption(renew, [], dial).run("x")) == "open"
    assert dialled == ["token-0", "token-1", "token-2"]
