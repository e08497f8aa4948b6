"""Contexts that could not be read for want of credentials: offered for sign-in once a profile, and then they go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.nodes import NodePage
from ssm_tui.domain.sessions import Command
from ssm_tui.domain.signing import CodeQuestion, Way
from ssm_tui.errors import CredentialsError
from ssm_tui.ui.screens.home import Home
from tests.ui.fakes import FakeCloud, FakeClouds, FakeHandOver, World, node
from tests.ui.screen import started

if TYPE_CHECKING:
    from tests.ui.screen import Person

EXPIRED = CredentialsError("the sign-in of profile 'dev' has expired or is missing", "run: aws sso login --profile dev")
LOGIN = Command(("aws", "sso", "login", "--profile", "dev"))
SERIAL = "arn:aws:iam::123456789012:mfa/phone"


class ExpiredClouds(FakeClouds):
    """Good again once a profile has been renewed, if `mends`."""

    mends = True

    def renew(self, profile: str | None) -> None:
        super().renew(profile)
        for context, cloud in self.clouds.items():
            if self.mends and context.profile == profile:
                cloud.error = None


def expired_world(*contexts: tuple[str, str], good: str = "") -> tuple[World, ExpiredClouds]:
    """Each context has a node named after it; those of the profile `good` can be read."""
    clouds = {}
    for number, (profile, region) in enumerate(contexts, 1):
        context = Context(profile, region)
        pages = [NodePage((node(number, f"of-{profile}-{region}", context=context),))]
        clouds[context] = FakeCloud(context, pages, error=None if profile == good else EXPIRED)
    world = World()
    found = ExpiredClouds(dict(clouds))
    world.clouds = found
    return world, found


async def test_the_rows_of_other_profiles_are_there_and_the_expired_one_is_offered_once() -> None:
    world, _ = expired_world(("dev", "eu-west-1"), ("dev", "us-east-1"), ("ops", "eu-west-1"), good="ops")
    async with started(world) as person:
        await person.sees("of-ops-eu-west-1")
        await person.sees("the sign-in of profile 'dev' has expired or is missing")
        await person.sees("i signs in")
        assert "run: aws sso login" not in person.text()


async def test_a_login_in_the_terminal_lets_every_region_of_the_profile_go_on() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"), ("dev", "us-east-1"))
    world.sign_ins.ways["dev"] = Way("sso work", LOGIN, here=True)
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i")
        await person.sees("$ aws sso login --profile dev")
        await person.sees("2 regions")
        await person.press("y")
        await person.until(lambda: clouds.renewed == ["dev"])
        assert isinstance(world.hand_over, FakeHandOver)
        assert world.hand_over.runs == [(LOGIN, "signing in, profile dev")]
        await person.sees_no("has expired")
        assert world.codes.invited == ["dev"]


async def test_profiles_of_the_same_session_go_on_together_and_others_do_not() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"), ("dev-admin", "eu-west-1"), ("else", "eu-west-1"))
    world.sign_ins.ways |= {"dev": Way("sso work", LOGIN), "dev-admin": Way("sso work", LOGIN), "else": Way("sso home")}
    # The row with the cursor says whose sign-in is meant: dev-admin's is the first.
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i")
        await person.sees("Sign in?")
        await person.press("y")
        await person.until(lambda: sorted(map(str, clouds.renewed)) == ["dev", "dev-admin"])
        await person.until(lambda: [each.profile for each in _failed(person)] == ["else"])


async def test_the_list_of_contexts_signs_in_to_the_highlighted_one() -> None:
    world, clouds = expired_world(("ops", "eu-west-1"), ("dev", "eu-west-1"), ("dev", "us-east-1"))
    world.sign_ins.ways["dev"] = Way("code dev", serial=SERIAL)
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("c")
        await person.sees("3 contexts: 3 failed")
        await person.press("down", "i")
        await person.until(lambda: clouds.renewed == ["dev"])
        await person.sees("3 contexts: 2 fresh, 1 failed")


async def test_a_device_login_shows_address_and_code_and_ends_by_itself() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("sso work", here=True)
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i")
        await person.sees("sign in by a code, in a browser on any machine")
        await person.press("y")
        await person.sees("https://sso/device?user_code=BCDF-GHJK")
        await person.sees("if it shows the code  BCDF-GHJK")
        await person.sees("9:5")
        assert "open it here" not in person.text()
        await person.press("y")
        await person.until(lambda: world.clipboard.copied == ["https://sso/device?user_code=BCDF-GHJK"])
        assert clouds.renewed == []
        world.sign_ins.login.approved.set()
        await person.sees_no("BCDF-GHJK")
        await person.until(lambda: clouds.renewed == ["dev"])
        await person.sees_no("has expired")
        assert world.sign_ins.begun == ["dev"]


async def test_a_device_login_beside_the_aws_cli_is_by_choice_and_opens_a_browser_on_request() -> None:
    world, _ = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("sso work", LOGIN, here=True)
    world.has_browser = True
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i")
        await person.sees("$ aws sso login")
        await person.press("d")
        await person.sees("open it here")
        assert world.desktops.started == []
        await person.press("o")
        opened = Command(("browser", "https://sso/device?user_code=BCDF-GHJK"))
        await person.until(lambda: world.desktops.started == [opened])


async def test_escape_gives_a_device_login_up_and_its_thread_ends() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("sso work", here=True)
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i", "y")
        await person.sees("BCDF-GHJK")
        await person.press("escape")
        await person.until(lambda: world.sign_ins.login.stop is not None and world.sign_ins.login.stop.is_set())
        assert clouds.renewed == []
        await person.sees("i signs in")


async def test_a_device_login_that_is_refused_says_so() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("sso work", here=True)
    world.sign_ins.login.error = CredentialsError("the sign-in was refused in the browser", "i begins another")
    world.sign_ins.login.approved.set()
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i", "y")
        await person.is_told("the sign-in was refused in the browser")
        await person.sees_no("BCDF-GHJK")
        assert clouds.renewed == []


async def test_leaving_the_app_ends_a_device_login_that_is_waited_for() -> None:
    world, _ = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("sso work", here=True)
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i", "y")
        await person.sees("BCDF-GHJK")
        await person.until(lambda: world.sign_ins.login.stop is not None)
    assert world.sign_ins.login.stop is not None
    assert world.sign_ins.login.stop.is_set()


async def test_who_has_signed_in_elsewhere_need_not_say_so() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"))
    clouds.mends = False
    async with started(world) as person:
        await person.sees("i signs in")
        await person.until(lambda: world.sign_ins.stamped)
        clouds.mends = True
        world.sign_ins.stamps["dev"] = 1
        await person.until(lambda: _look(person) or clouds.renewed == ["dev"])
        await person.sees_no("has expired")


async def test_what_was_being_read_with_the_old_credentials_is_read_again_when_it_has_ended() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"))
    (cloud,) = clouds.clouds.values()
    cloud.gate = threading.Semaphore(0)  # the databases have failed while the nodes are still being read
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i", "y")
        await person.until(lambda: clouds.renewed == ["dev"])
        cloud.gate.release()
        await person.until(lambda: "databases" in person.home._catalog.readings[cloud.context].read)
        cloud.gate.release()
        await person.sees("● fresh")


async def test_a_refresh_forgets_old_credentials_first() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"), ("ops", "eu-west-1"), good="ops")
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("r")
        await person.sees_no("has expired")
        assert clouds.renewed == ["dev"]


async def test_an_mfa_code_is_asked_for_in_a_dialog_and_goes_back_to_who_asked() -> None:
    world = World()
    async with started(world) as person:
        given: list[str | None] = []
        assert world.codes.tell is not None
        assert world.codes.again == "i asks for it"
        world.codes.tell(CodeQuestion("dev", SERIAL, "invalid MFA one time pass code."), given.append)
        await person.sees(SERIAL)
        await person.sees("For profile dev")
        await person.sees("invalid MFA one time pass code.")
        await person.press("1", "2", "x", "3", "enter")
        await person.sees("an MFA code has 6 digits")
        assert given == []
        await person.press("4", "5", "6", "7")
        await person.sees("123456")
        await person.press("enter")
        await person.until(lambda: given == ["123456"])
        await person.sees_no(SERIAL)


async def test_escape_answers_that_there_is_no_code() -> None:
    world = World()
    async with started(world) as person:
        given: list[str | None] = []
        assert world.codes.tell is not None
        world.codes.tell(CodeQuestion("[/x]\x1b", SERIAL), given.append)
        await person.sees(SERIAL)
        await person.press("escape")
        await person.until(lambda: given == [None])
    assert world.codes.left


async def test_i_asks_for_a_code_at_once_where_that_is_all_it_takes() -> None:
    world, clouds = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("code dev", serial=SERIAL)
    async with started(world) as person:
        await person.sees("i signs in")
        await person.press("i")
        await person.until(lambda: clouds.renewed == ["dev"] and world.codes.invited == ["dev"])
        await person.sees_no("has expired")
        assert "Sign in?" not in person.text()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_dialogs_fit(size: tuple[int, int]) -> None:
    world, _ = expired_world(("dev", "eu-west-1"))
    world.sign_ins.ways["dev"] = Way("sso work", here=True)
    async with started(world, size=size) as person:
        await person.sees("i signs in")
        await person.press("i", "y")
        await person.sees("Esc give up")
        await person.sees("https://sso/device?user_code=BCDF-GHJK")


def _failed(person: Person) -> list[Context]:
    return [context for context, reading in person.home._catalog.readings.items() if reading.errors]


def _look(person: Person) -> bool:
    assert isinstance(person.home, Home)
    person.home._look_elsewhere()
    return False
