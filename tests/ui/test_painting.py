"""What a letter in the filter costs the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.screen import Screen

from ssm_tui.domain.nodes import NodePage
from tests.ui.fakes import FakeCloud, World, node
from tests.ui.screen import started

if TYPE_CHECKING:
    from textual.app import App

# More rows than the screen has lines, whatever is typed below: no scrollbar comes or goes.
MANY = World(FakeCloud(pages=[NodePage(tuple(node(at, f"web-{at:03}") for at in range(300)))]))


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> list[Screen[Any]]:
    """The screens that have been laid out."""
    found: list[Screen[Any]] = []
    lay_out = Screen._refresh_layout

    def counted(self: Screen[Any], *size: Any, **how: Any) -> None:
        found.append(self)
        lay_out(self, *size, **how)

    monkeypatch.setattr(Screen, "_refresh_layout", counted)
    return found


async def test_a_letter_in_the_filter_lays_nothing_out_anew(layouts: list[Screen[Any]]) -> None:
    async with started(MANY) as person:
        await person.press("/")
        await person.type("w")  # the choices that are offered take and give back their place
        await person.type("e")
        await person.sees("300/300")
        layouts.clear()
        await person.type("b-1")
        await person.sees("100/300")
        assert not layouts


async def test_rows_are_painted_with_the_key_not_with_the_next_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(MANY) as person:
        await person.press("/")
        painted: list[int] = []
        display = type(person.app)._display

        def counted(self: App[Any], screen: Screen[Any], renderable: Any) -> None:
            if renderable is not None:
                painted.append(len(person.home._lists.nodes.rows))
            display(self, screen, renderable)

        monkeypatch.setattr(type(person.app), "_display", counted)
        person.home._update_timer.stop()  # no frame comes any more
        await person.type("web-1")
        await person.until(lambda: len(person.home._lists.nodes.rows) == 100)
        assert painted[-1:] == [100]
