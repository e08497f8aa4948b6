"""What all dialogs have in common."""

from __future__ import annotations

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
