"""Saved filters in the interface: chosen, saved, renamed and forgotten, and found again by the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.choices import Choices
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ui.fakes import World


class Memory:
    """What was chosen."""

    def __init__(self, **filters: str) -> None:
        self.choices = Choices(filters=filters)

    def read(self) -> Choices:
        return self.choices

    def change(self, change: Callable[[Choices], Choices]) -> None:
        self.choices = change(self.choices)


def world_with(memory: Memory, **settings: str) -> World:
    world = small_world()
    world.choices = memory
    world.filters = settings
    return world


async def filtered(person: Person, text: str) -> None:
    await person.press("slash")
    await person.type(text)
    await person.press("enter")
    await person.until(lambda: person.home._lists.text(person.home.view) == text)


async def test_a_saved_filter_is_chosen_and_named() -> None:
    async with started(world_with(Memory(mine="team=pay"), dev="env=dev")) as person:
        await person.press("F")
        await person.sees("team=pay")
        assert "settings" in person.line_with("env=dev")
        assert "settings" not in person.line_with("team=pay")
        await person.press("down", "enter")
        await person.sees("Nodes 2/11")
        await person.sees("saved filter: mine")
        assert "/ team=pay" in person.text()
        await person.press("F", "1")
        await person.sees("saved filter: dev")
        # It is gone on with at its end.
        await person.press("slash")
        await person.type(" web")
        await person.sees("/ env=dev web")
        await person.sees("Nodes 1/11")


async def test_the_present_filter_is_saved_under_a_name_that_is_free() -> None:
    memory = Memory()
    async with started(world_with(memory, prod="env=prod")) as person:
        await filtered(person, "team=pay  env=prod")
        await person.press("F")
        await person.sees("s saves «team=pay")
        await person.press("s")
        await person.sees("Save the filter as")
        await person.type("prod\r")
        await person.sees("This name stands in the settings.")
        await person.type("-pay\r")
        await person.sees("saved filter: prod-pay")
        await person.until(lambda: memory.choices.filters == {"prod-pay": "team=pay  env=prod"})
    # In the next run.
    async with started(world_with(memory), filter_text="@prod-pay") as person:
        await person.sees("Nodes 2")
        await person.sees("saved filter: prod-pay")


async def test_one_that_names_another_cannot_be_saved() -> None:
    memory = Memory(mine="team=pay")
    async with started(world_with(memory)) as person:
        await filtered(person, "@mine web")
        await person.press("F", "s")
        await person.is_told("cannot stand for another")
        assert memory.choices.filters == {"mine": "team=pay"}


async def test_own_ones_are_renamed_and_forgotten_those_of_the_settings_not() -> None:
    memory = Memory(mine="team=pay", other="web")
    async with started(world_with(memory, dev="env=dev")) as person:
        await person.press("F")
        await person.sees("env=dev")
        await person.press("x")
        await person.is_told("dev stands in the settings")
        await person.press("down", "e")
        await person.sees("Rename mine to")
        await person.press("end")
        await person.type("2\r")
        await person.until(lambda: memory.choices.filters == {"mine2": "team=pay", "other": "web"})
        await person.press("F")
        await person.sees("mine2")
        await person.press("end", "x")
        await person.until(lambda: memory.choices.filters == {"mine2": "team=pay"})


async def test_without_any_it_says_so() -> None:
    async with started(world_with(Memory())) as person:
        await person.press("F")
        await person.sees("No filter is saved yet.")
        await person.press("escape")
        await person.sees_no("No filter is saved yet.")
