"""Passwords by key: into the clipboard for a while, in production after a question, and never on the screen."""

from __future__ import annotations

import re

import pytest

from ssm_tui.domain.credentials import PasswordMeans
from ssm_tui.domain.databases import DatabasePage, Kind
from ssm_tui.domain.production import parse_mark
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import AccessDeniedError
from ssm_tui.ui.services import UiSettings
from tests.ui.fakes import NETWORK, World, database
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

NEEDLE = "s3cret-needle"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1"


def world_of(seconds: float = 45, **facts: object) -> World:
    world = small_world()
    world.cloud.password = NEEDLE
    world.cloud.database_list = [DatabasePage((database("orders", **facts),), NETWORK)]
    world.settings = UiSettings(clipboard_seconds=seconds)
    return world


async def menu(person: Person) -> None:
    await person.press("2")
    await person.sees("✓ ")
    await person.press("y")
    await person.sees("Copy · orders")


async def choose(person: Person, label: str) -> None:
    """The line of the menu with this label, by its number."""
    await person.sees("Copy · orders")
    found = re.search(rf"│ (\d) {label} ", person.text())
    assert found is not None
    await person.press(found[1])


async def test_a_token_is_lent_to_the_clipboard_for_a_user() -> None:
    world = world_of(iam_auth=True)
    async with started(world) as person:
        await menu(person)
        await choose(person, "token")
        await person.sees("Log in as")
        await person.press("end", *(["backspace"] * 3))
        await person.type("reader")
        await person.press("enter")
        await person.is_told("The token of reader for orders is copied to the clipboard for 45 s.")
        await person.is_told("good for 15 min")
        assert world.cloud.passwords_asked == [("orders", PasswordMeans.TOKEN, "reader")]
        assert world.clipboard.lent == [NEEDLE]
        assert not world.clipboard.copied
        assert NEEDLE not in person.text()
        # The next one is for the same user, and new.
        await person.press("escape", "y")
        await choose(person, "token")
        await person.sees("Log in as")
        await person.sees("reader")
        await person.press("enter")
        await person.until(lambda: len(world.clipboard.lent) == 2)
    assert world.clipboard.now == "", "what is lent does not outlive the app"


async def test_a_secret_is_taken_back_after_its_time() -> None:
    world = world_of(seconds=0.05, secret_arn=ARN)
    async with started(world) as person:
        await menu(person)
        await choose(person, "password")
        await person.is_told("The password of app for orders is copied to the clipboard for 0.05 s.")
        await person.is_told("out of the clipboard again")
        assert world.cloud.passwords_asked == [("orders", PasswordMeans.SECRET, "")]
        assert (world.clipboard.lent, world.clipboard.now) == ([NEEDLE], "")


async def test_what_was_copied_since_stays() -> None:
    world = world_of(secret_arn=ARN)
    async with started(world) as person:
        await menu(person)
        await choose(person, "password")
        await person.is_told("copied to the clipboard")
        world.clipboard.now = "mine"
    assert world.clipboard.now == "mine"


async def test_a_terminal_that_cannot_be_asked_keeps_it_and_that_is_said() -> None:
    world = world_of(secret_arn=ARN)
    world.clipboard.lends = False
    async with started(world) as person:
        await menu(person)
        await choose(person, "password")
        await person.is_told("copy something else afterwards")
    assert world.clipboard.now == NEEDLE


async def test_without_an_end_it_stays_until_the_app_ends() -> None:
    world = world_of(seconds=0, secret_arn=ARN)
    async with started(world) as person:
        await menu(person)
        await choose(person, "password")
        await person.is_told("is copied to the clipboard.")
        assert world.clipboard.now == NEEDLE
    assert world.clipboard.now == ""


@pytest.mark.parametrize("yes", [True, False])
async def test_production_is_asked_about_first(yes: bool) -> None:
    world = world_of(secret_arn=ARN, tags={"env": "prod"})
    world.settings = UiSettings(production=parse_mark("env=prod"))
    async with started(world) as person:
        await menu(person)
        await choose(person, "password")
        await person.sees("orders is production")
        await person.press("y" if yes else "n")
        await person.sees_no("is production")
        await person.until(lambda: bool(world.clipboard.lent) is yes)
        assert bool(world.cloud.passwords_asked) is yes


async def test_a_refusal_and_a_doubt_are_said() -> None:
    world = world_of(secret_arn=ARN, iam_auth=True)
    world.cloud.refusal = AccessDeniedError("you may not call secretsmanager:GetSecretValue", "ask for it")
    async with started(world) as person:
        await menu(person)
        await choose(person, "password")
        await person.is_told("you may not call secretsmanager:GetSecretValue")
        assert not world.clipboard.lent
        world.cloud.refusal, world.cloud.doubt = None, "it will not be taken: rds-db:connect as app: no policy"
        await person.press("escape", "y")
        await choose(person, "token")
        await person.sees("Log in as")
        await person.press("enter")
        await person.is_told("it will not be taken: rds-db:connect as app")


async def test_leaving_the_question_asks_nobody() -> None:
    world = world_of(iam_auth=True)
    async with started(world) as person:
        await menu(person)
        await choose(person, "token")
        await person.sees("Log in as")
        await person.press("escape")
        await person.sees_no("Log in as")
        assert not world.cloud.passwords_asked


async def test_redshift_gives_a_password_for_nobody_in_particular() -> None:
    world = world_of(kind=Kind.REDSHIFT, engine="redshift", user="admin")
    async with started(world) as person:
        await menu(person)
        await choose(person, "token")
        await person.sees("who you are to IAM")
        await person.press("enter")
        await person.until(lambda: world.cloud.passwords_asked == [("orders", PasswordMeans.TOKEN, "")])


async def test_a_tunnels_menu_has_the_passwords_of_its_database() -> None:
    world = world_of(secret_arn=ARN)
    async with started(world) as person:
        await person.press("2")
        await person.sees("✓ ")
        await person.press("t")
        await person.until(world.tunnels.statuses)
        world.tunnels.become(1, TunnelState.READY, local_port=5432, message="")
        await person.press("3", "y")
        await person.sees("Copy · orders")
        await choose(person, "password")
        await person.until(lambda: world.clipboard.lent == [NEEDLE])


async def test_where_there_is_no_password_none_is_offered() -> None:
    async with started(world_of()) as person:
        await menu(person)
        assert "Secrets Manager" not in person.text()
        assert "by IAM" not in person.text()
