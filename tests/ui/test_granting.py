"""A on a node: a reason, a request that is followed, the shell once it is granted. The demo's own are in tests/e2e."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ssm_tui.domain.credentials import Secret
from ssm_tui.domain.just_in_time import RequestProgress, RequestState, TemporaryKeys
from ssm_tui.errors import AwsError
from ssm_tui.ui.services import UiSettings
from tests.ui.fakes import NOW, World
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started
from tests.ui.test_sessions import go_to, runs

KEYS = TemporaryKeys(
    Secret("ASIAEXAMPLE"), Secret("hidden-secret"), Secret("hidden-token"), expires=NOW + timedelta(hours=1)
)
GRANTED = RequestProgress(RequestState.APPROVED, KEYS)
VAULT = "i-000000000000000e1"


def world() -> World:
    """The small fleet, in which requests are looked at again at once."""
    return replace(small_world(), settings=UiSettings(look_seconds=0.02))


async def ask(person: Person, reason: str = "the disk is full") -> None:
    await go_to(person, "secret")
    await person.press("A")
    await person.sees("Why do you need a shell on secret-vault")
    await person.type(reason)
    await person.press("enter")


async def test_the_shell_starts_when_the_request_is_granted() -> None:
    here = world()
    async with started(here) as person:
        await ask(person)
        await person.sees("oi-000000000001 waits for an approval")
        assert here.grants.asked == [(VAULT, "the disk is full")]
        await person.until(lambda: here.grants.looks > 2)
        here.grants.progress = GRANTED
        await person.until(lambda: runs(here))
        assert here.shells.keys == [KEYS]
        await person.sees("granted just in time, until")
        # What the column says is what Enter then does, without asking anew.
        await person.press("enter")
        await person.until(lambda: len(runs(here)) == 2)
        assert here.shells.keys == [KEYS, KEYS]
        assert len(here.grants.asked) == 1


async def test_escape_leaves_the_request_on_its_way_and_its_grant_is_told() -> None:
    here = world()
    async with started(here) as person:
        await ask(person)
        await person.sees("waits for an approval")
        await person.press("escape")
        await person.is_told("oi-000000000001 goes on waiting")
        await person.press("A")
        await person.sees("waits for an approval")
        await person.press("escape")
        here.grants.progress = GRANTED
        await person.is_told("Access to secret-vault")
        assert not runs(here)
        await person.press("A")
        await person.until(lambda: runs(here))
        assert (here.shells.keys, len(here.grants.asked)) == ([KEYS], 1)


@pytest.mark.parametrize("state", [RequestState.REJECTED, RequestState.REVOKED, RequestState.EXPIRED])
async def test_what_is_not_granted_is_told_and_may_be_asked_for_anew(state: RequestState) -> None:
    here = world()
    here.grants.progress = RequestProgress(state)
    async with started(here) as person:
        await ask(person)
        await person.is_told(state.words)
        assert not runs(here)
        await person.press("A")
        await person.sees("Why do you need a shell")


async def test_a_rejection_is_told_to_who_has_gone_on() -> None:
    here = world()
    async with started(here) as person:
        await ask(person)
        await person.sees("waits for an approval")
        await person.press("escape")
        here.grants.progress = RequestProgress(RequestState.REJECTED)
        await person.is_told("was rejected")


async def test_an_account_without_it_says_so() -> None:
    here = world()
    here.grants.error = AwsError("just-in-time node access is not set up in this account and region", "see who does")
    async with started(here) as person:
        await ask(person)
        await person.is_told("is not set up in this account")
        assert not here.grants.asked


async def test_no_request_without_a_reason() -> None:
    here = world()
    async with started(here) as person:
        await ask(person, reason="  ")
        await person.sees("a reason is wanted")
        await person.press("escape")
        await person.sees_no("a reason is wanted")
        assert not here.grants.asked


async def test_a_grant_ends_with_its_time() -> None:
    here = world()
    here.grants.progress = RequestProgress(RequestState.APPROVED, replace(KEYS, expires=NOW + timedelta(seconds=1)))
    async with started(here) as person:
        await ask(person)
        await person.until(lambda: runs(here))
        here.now = NOW + timedelta(seconds=2)
        await person.sees_no("granted just in time")
        await person.sees("no statement allows")
        await person.press("A")
        await person.sees("Why do you need a shell")


async def test_a_denied_shell_says_that_it_can_be_asked_for() -> None:
    async with started(world()) as person:
        await go_to(person, "secret")
        await person.press("enter")
        await person.is_told("A asks for it just in time")


async def test_where_the_shell_is_allowed_nothing_is_asked() -> None:
    here = world()
    async with started(here) as person:
        await go_to(person, "web-10")
        await person.press("A")
        assert "Why do you need" not in person.text()


async def test_what_is_read_meanwhile_does_not_take_the_grant_back() -> None:
    here = world()
    here.grants.progress = GRANTED
    async with started(here) as person:
        await ask(person)
        await person.until(lambda: runs(here))
        await person.press("r")
        await person.sees("granted just in time")
        assert "hidden" not in person.text() + repr(KEYS) + repr(here.grants.progress)
