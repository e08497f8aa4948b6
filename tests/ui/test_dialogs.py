"""What all dialogs have in common."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from tests.ui.fleet import small_world
from tests.ui.screen import started
from tests.ui.test_tunnels_view import quiet, tunnel


async def test_a_key_that_is_held_down_answers_once() -> None:
    world = small_world()
    async with started(world) as person:
        tunnel(world, "orders")
        await quiet(person)
        await person.press("3", "y")
        await person.sees("Copy · orders")
        options = person.app.screen.query_one(OptionList)
        # As they come where the screen is slower than the keys.
        for _ in range(3):
            options.action_select()
        await person.sees_no("Copy · orders")
        assert person.app.screen is person.home
        assert len(world.clipboard.copied) == 1


@pytest.mark.parametrize("action", ["sort", "group_by", "filters", "contexts", "profiles", "regions", "help"])
async def test_a_key_that_is_held_down_opens_one_dialog(action: str) -> None:
    async with started(small_world()) as person:
        await person.sees("fresh")
        for _ in range(30):  # before any of them is there
            getattr(person.home, f"action_{action}")()
        await person.sees("Esc leaves")
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.home)
        await person.press("S")
        await person.sees("Sort by")
