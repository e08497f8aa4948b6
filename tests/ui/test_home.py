"""The home screen: lists, filter, Enter."""

from __future__ import annotations

from tests.ui.fleet import small_world
from tests.ui.screen import started


async def test_nodes_are_listed_with_their_access() -> None:
    async with started(small_world()) as person:
        await person.sees("web-10")
        assert "s f r" in person.line_with("web-10")
        assert "– – –" in person.line_with("secret-vault")
        assert "? ? ?" in person.line_with("half-known")
        assert "3 h lost" in person.line_with("legacy-batch")
        assert "Nodes 12" in person.text()


async def test_filter_then_enter_hands_the_terminal_over() -> None:
    world = small_world()
    async with started(world) as person:
        await person.press("slash")
        await person.type("web-10")
        await person.sees("Nodes 1/12")
        await person.press("enter", "enter")
        assert world.hand_over is not None
        await person.until(lambda: world.hand_over and world.hand_over.runs)
        assert [spec.target for spec in world.shells.prepared] == [world.cloud.pages[0].nodes[4].id]
        await person.sees("Nodes 1/12")
