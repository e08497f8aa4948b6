"""Several profiles and regions: chosen while running, read beside each other, each with its own state."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.accounts import ALL, AS_STARTED, Choice, Profile, Profiles
from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import CredentialsError, RegionError, RegionNotEnabledError
from tests.ui.fakes import CONTEXT, HOSTILE, FakeAccounts, FakeCloud, FakeClouds, World, node
from tests.ui.screen import Person, started

if TYPE_CHECKING:
    from collections.abc import Iterator

REGIONS = {"eu-west-1": "Europe (Ireland)", "us-east-1": "US East (N. Virginia)", "me-south-1": "Bahrain"}
EXPIRED = CredentialsError("the sign-in of profile 'prod' has expired or is missing", "run: aws sso login")


def cloud_of(context: Context) -> FakeCloud:
    """One node, that says where it is."""
    name = f"{context.profile}-in-{context.region}"
    return FakeCloud(context, pages=[NodePage((node(1, name, context=context),))])


class Made:
    """Clouds by context, with what a test wants of some of them."""

    def __init__(self) -> None:
        self.special: dict[Context, FakeCloud] = {}

    def __call__(self, context: Context) -> FakeCloud:
        return self.special.setdefault(context, cloud_of(context))

    def failing(self, context: Context, error: CredentialsError | RegionError) -> None:
        self(context).pages, self(context).error = [], error


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def accounts(made: Made) -> FakeAccounts:
    found = Profiles(
        (
            Profile("dev", "access key", "123456789012", region="eu-west-1"),
            Profile("prod", "IAM Identity Center, session corp", "210987654321", "Admin", "us-east-1"),
            Profile("ops", "assumes operator from dev, with MFA", "333333333333", "operator"),
        )
    )
    return FakeAccounts(FakeClouds({CONTEXT: made(CONTEXT)}), found, known=REGIONS, make=made)


@pytest.fixture
def world(accounts: FakeAccounts) -> World:
    return World(clouds=accounts.clouds, accounts=accounts)


@pytest.fixture
def held() -> Iterator[threading.Semaphore]:
    """Holds pages back; lets them all through in the end."""
    gate = threading.Semaphore(0)
    yield gate
    gate.release(1000)


async def test_another_profile_is_opened_in_the_place_of_the_first(world: World, accounts: FakeAccounts) -> None:
    async with started(world) as person:
        await person.sees("dev-in-eu-west-1")
        await person.press("p")
        await person.sees("access key")
        assert "● fresh" in person.line_with("access key")
        assert "210987654321" in person.line_with("IAM Identity Center, session corp, as Admin")
        await person.type("prod")
        await person.sees_no("access key")
        await person.sees("↵ opens only prod")
        await person.press("enter")
        await person.sees("prod-in-eu-west-1")
        await person.is_told("Kept for the next time")
        assert "dev-in-eu-west-1" not in person.text()
    assert accounts.chosen == world.picked.choice == Choice(("prod",))


async def test_several_are_marked_and_those_that_stay_are_not_read_again(world: World, made: Made) -> None:
    async with started(world) as person:
        await person.sees("● fresh")
        asked = len(made(CONTEXT).asked)
        await person.press("p")
        await person.sees("assumes operator from dev, with MFA")
        assert person.line_with("access key").strip(" │▌").startswith("✓"), "what is open has its mark"
        await person.type("op")
        await person.press("space")
        await person.sees("↵ opens the 2 marked")
        await person.press("enter")
        await person.sees("ops-in-eu-west-1")
        await person.until(lambda: made(replace(CONTEXT, profile="ops")).asked)
        assert "dev-in-eu-west-1" in person.text()
        assert len(made(CONTEXT).asked) == asked
        await person.sees("ops·eu-west-1 ● fresh")


async def test_the_choice_is_in_force_in_the_next_run_and_is_taken_back(world: World, accounts: FakeAccounts) -> None:
    world.picked.choice = Choice(("prod", "ops"))
    async with started(world) as person:
        await person.sees("prod-in-eu-west-1")
        await person.sees("ops-in-eu-west-1")
        await person.press("p")
        await person.sees("as started")
        assert "dev" in person.line_with("as started")
        await person.press("home")
        await person.sees("↵ opens as started")
        await person.press("enter")
        await person.sees("dev-in-eu-west-1")
        await person.sees_no("prod-in-eu-west-1")
    assert accounts.chosen == world.picked.choice == AS_STARTED


async def test_the_first_lines_are_seen_and_found_by_their_names(
    world: World, accounts: FakeAccounts, made: Made
) -> None:
    async with started(world, size=(100, 24)) as person:
        await person.press("P")
        await person.sees("N. Virginia")
        assert "as started" in person.text(), "though the highlighted one stands below"
        assert "every region" in person.text()
        await person.type("a")
        assert person.text().index("Ireland") < person.text().index("every region"), "the others come first"
        await person.type("ll")
        await person.sees_no("Ireland")
        await person.press("enter")
        await person.sees("dev-in-us-east-1")
        assert accounts.chosen == Choice(None, (ALL,))
        await person.press("P")
        await person.sees("every region")
        text = person.text()
        assert text.index("as started") < text.index("every region"), "the way back is the first of all"


async def test_regions_are_chosen_and_all_of_them(world: World, accounts: FakeAccounts, made: Made) -> None:
    accounts.on["dev"] = frozenset({"eu-west-1", "us-east-1"})
    made.failing(Context("dev", "me-south-1"), RegionNotEnabledError("the account has not enabled it", named=False))
    async with started(world) as person:
        await person.press("P")
        await person.sees("N. Virginia")
        await person.sees("not enabled")
        assert "me-south-1" in person.line_with("not enabled")
        await person.type("virgin")
        await person.press("enter")
        await person.sees("dev-in-us-east-1")
        assert "dev-in-eu-west-1" not in person.text()
        await person.press("P")
        await person.sees("N. Virginia")
        await person.press("home", "down", "enter")
        await person.sees("dev-in-eu-west-1")
        assert accounts.chosen == Choice(None, (ALL,))
        await person.sees("dev·me-south-1 ○ not enabled")
        assert "has not enabled" not in person.text(), "that is no failure"
        await person.until(lambda: not any(r.busy for r in person.home._catalog.readings.values()))
        reads = {context.region: len(cloud.narrowed) for context, cloud in made.special.items()}
        person.home._knowledge.refresh(quietly=True)
        await person.until(lambda: len(made(CONTEXT).narrowed) > reads["eu-west-1"])
        await person.until(lambda: not any(r.busy for r in person.home._catalog.readings.values()))
        assert len(made(Context("dev", "me-south-1")).narrowed) == reads["me-south-1"], "nor looked for again and again"


async def test_keys_of_pickers_and_of_the_list_of_contexts_are_read_at_80_columns(world: World) -> None:
    async with started(world, size=(80, 24)) as person:
        await person.press("P")
        await person.sees("N. Virginia")
        assert "↵ opens only eu-west-1 · space marks · ^a all · Esc leaves" in person.text()
        await person.press("escape")
        await person.press("c")
        await person.sees("1 context: 1 fresh")
        await person.sees("P regions · Esc leaves")


async def test_one_profile_is_broken_and_the_other_is_read(world: World, made: Made) -> None:
    made.failing(Context("prod", "eu-west-1"), EXPIRED)
    world.picked.choice = Choice(("dev", "prod"))
    async with started(world) as person:
        await person.sees("prod·eu-west-1 ✗ failed")
        await person.sees("dev·eu-west-1 ● fresh")
        assert "prod·eu-west-1: the sign-in of profile 'prod' has expired" in person.text()
        await person.press("c")
        await person.sees("2 contexts: 1 fresh, 1 failed")
        await person.press("down")
        await person.sees("has expired or is missing · i signs in")
        made(Context("prod", "eu-west-1")).error = None
        made(Context("prod", "eu-west-1")).pages = cloud_of(Context("prod", "eu-west-1")).pages
        before = len(made(CONTEXT).asked)
        await person.press("r")
        await person.sees("2 contexts: 2 fresh")
        assert len(made(CONTEXT).asked) == before, "the other one is left alone"
        await person.press("escape")
        await person.sees("prod-in-eu-west-1")


async def test_fifty_contexts_fit_one_line_and_what_is_wrong_with_many_is_said_once(
    world: World, accounts: FakeAccounts, made: Made
) -> None:
    accounts.known = {f"eu-west-{number}": "" for number in range(1, 18)}
    for region in accounts.known:
        made.failing(Context("prod", region), EXPIRED)
        made(Context("ops", region)).pages = [NodePage((), (Note("tags are not known", "ask for them"),))]
    world.picked.choice = Choice(("dev", "prod", "ops"), (ALL,))
    async with started(world) as person:
        await person.sees("51 contexts: 34 fresh, 17 failed")
        await person.sees("prod in 17 regions: the sign-in of profile 'prod' has expired")
        assert person.text().count("has expired") == 1
        await person.sees("ops in 17 regions: tags are not known")
        await person.press("c")
        await person.sees("dev·eu-west-1 ")
        await person.press("G")
        await person.sees("ops·eu-west-17")
        await person.press("p")
        await person.sees("IAM Identity Center, session corp")
        assert "17 fresh" in person.line_with("access key")
        assert "17 failed" in person.line_with("session corp")


async def test_a_context_that_hangs_keeps_no_other_from_being_read(
    world: World, accounts: FakeAccounts, made: Made, held: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ssm_tui.ui.reader.PATIENCE", 0.05)
    accounts.known = {f"eu-west-{number}": "" for number in range(1, 41)}
    hanging = [Context("dev", f"eu-west-{number}") for number in range(1, 21)]
    for context in hanging:
        made(context).gate = held
    world.picked.choice = Choice(None, (ALL,))
    async with started(world) as person:
        await person.sees("40 contexts: 20 fresh, 20 reading")


async def test_what_is_not_chosen_any_more_leaves_at_once_and_does_not_come_back(
    world: World, accounts: FakeAccounts, made: Made, held: threading.Semaphore
) -> None:
    prod = Context("prod", "eu-west-1")
    made(prod).gate = held
    made(prod).pages = [NodePage((node(7, "late", context=prod),)), NodePage((node(8, "later", context=prod),))]
    world.picked.choice = Choice(("dev", "prod"))
    async with started(world) as person:
        held.release()
        await person.sees("late")
        await person.press("p")
        await person.sees("access key")
        await person.type("dev")
        await person.press("enter")
        await person.sees_no("late")
        await person.sees("dev·eu-west-1 ● fresh")
        held.release(10)
        await person.press("r")
        await person.sees("● fresh")
        assert "late" not in person.text()
        assert set(person.home._catalog.readings) == {CONTEXT}


async def test_two_hundred_profiles_by_keys_and_mouse(world: World, accounts: FakeAccounts) -> None:
    many = tuple(Profile(f"team-{number:03}", "access key") for number in range(200))
    accounts.found = Profiles((*accounts.found.found, *many, Profile(HOSTILE, HOSTILE)))
    async with started(world) as person:
        await person.press("p")
        await person.sees("team-000")
        await person.press("end")
        await person.sees("pwned")
        await person.type("team-15")
        await person.sees("team-159")
        at = next(y for y, line in enumerate(person.lines()) if "team-152" in line)
        x = person.lines()[at].index("team-152")
        await person.click(x - 2, at)
        await person.sees("↵ opens the 2 marked")
        await person.press("ctrl+a")
        await person.sees("↵ opens the 11 marked")
        await person.press("ctrl+a")
        await person.sees("↵ opens only team-152")
        await person.click(x, at + 1, times=2)
        await person.sees("team-153-in-eu-west-1")


async def test_files_that_are_broken_are_told_in_the_picker(world: World, accounts: FakeAccounts) -> None:
    accounts.found = Profiles((), Note("~/.aws/config is not in the form of AWS's files", "mend it"))
    async with started(world) as person:
        await person.press("p")
        await person.sees("is not in the form of AWS's files: mend it")
        await person.press("escape")
        await person.sees_no("mend it")
    assert world.picked.choice == AS_STARTED


async def test_a_choice_that_cannot_be_opened_says_so_and_another_is_made(world: World, accounts: FakeAccounts) -> None:
    assert world.clouds is not None
    world.clouds.error = RegionError("no region is set for profile 'ops'", "name one with --region")
    async with started(world) as person:
        await person.sees("no region is set for profile 'ops'")
        world.clouds.error = None
        await person.press("P")
        await person.sees("N. Virginia")
        await person.type("virg")
        await person.press("enter")
        await person.sees("dev-in-us-east-1")
        assert "no region" not in person.text()


async def test_accounts_are_called_by_their_aliases(world: World, made: Made) -> None:
    made(CONTEXT).called = "acme-[dev]"
    async with started(world) as person:
        await person.sees("dev·eu-west-1 (acme-[dev]) ● fresh")
        await person.sees("123456789012 (acme-[dev])")
        await person.press("p")
        await person.sees("acme-[dev] 123456789012")


async def test_a_click_on_the_header_opens_the_list(world: World) -> None:
    async with started(world) as person:
        await person.sees("● fresh")
        await person.click(14, 0)
        await person.sees("r reads again")
        await _leave(person)


async def _leave(person: Person) -> None:
    await person.press("escape")
    await person.sees_no("r reads again")
