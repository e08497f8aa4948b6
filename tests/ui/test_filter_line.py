"""The filter line: what is offered while one types, how a choice is taken, where mistakes are shown, what is marked."""

from __future__ import annotations

import pytest

from ssm_tui.domain.nodes import NodePage
from ssm_tui.ui.actions import View
from ssm_tui.ui.catalog import parse_filter
from ssm_tui.ui.screens.board import EXAMPLES
from ssm_tui.ui.widgets.filter_line import FilterLine
from tests.ui.fakes import node
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started


def line(person: Person) -> str:
    return person.home.query_one(FilterLine).input.value


async def typing(person: Person, text: str) -> None:
    await person.press("slash")
    await person.type(text)


async def test_values_are_offered_with_their_counts_and_tab_goes_through_them() -> None:
    async with started(small_world()) as person:
        await typing(person, "env=")
        await person.sees("Tab takes one")
        offered = person.text()
        assert offered.index("prod") < offered.index("[red]")
        await person.press("tab")
        assert line(person) == "env=prod"
        await person.sees("Nodes 8/11")
        await person.press("tab")
        assert line(person) == "env=dev"
        await person.sees("Nodes 2/11")
        await person.press("up")
        assert line(person) == "env=prod"
        await person.press("enter")
        await person.sees_no("Tab next")
        assert person.home.focused is person.home._lists.nodes


async def test_the_only_choice_is_taken_at_once_and_after_a_name_come_its_values() -> None:
    async with started(small_world()) as person:
        await typing(person, "tea")
        await person.sees("team=")
        await person.press("tab")
        assert line(person) == "team="
        await person.sees("security")
        await person.type("sec")
        await person.press("right")
        assert line(person) == "team=security"
        await person.sees_no("Tab takes")
        await person.sees("Nodes 1/11")
        # Nothing to complete: Tab leaves the line.
        await person.press("tab")
        assert person.home.focused is person.home._lists.nodes


async def test_escape_takes_a_choice_back_and_again_leaves() -> None:
    async with started(small_world()) as person:
        await typing(person, "web env=d")
        await person.press("tab")
        await person.press("tab")
        assert line(person) == "web env=prod"
        await person.press("escape")
        assert line(person) == "web env=d"
        await person.press("escape")
        assert person.home.focused is person.home._lists.nodes


@pytest.mark.parametrize("key", ["down", "up", "enter", "escape"])
async def test_without_a_choice_the_keys_leave_at_once_whatever_is_offered(key: str) -> None:
    async with started(small_world()) as person:
        await typing(person, "env=")
        await person.sees("Tab takes one")
        await person.press(key)
        assert person.home.focused is person.home._lists.nodes
        assert line(person) == "env="
        await person.sees_no("Tab takes one")


async def test_keys_typed_ahead_of_the_offers_go_where_they_are_meant() -> None:
    async with started(small_world()) as person:
        await person.type("/env=d\tx")  # Tab takes dev, before anything was painted; x goes on behind it
        await person.until(lambda: line(person) == "env=devx")
        await person.press("backspace", "enter")
        await person.sees("Nodes 2/11")


async def test_a_choice_is_clicked() -> None:
    async with started(small_world()) as person:
        await typing(person, "ping:")
        await person.sees("ConnectionLost")
        lines = person.lines()
        at = next(y for y, each in enumerate(lines) if "ConnectionLost" in each)
        await person.click(lines[at].index("ConnectionLost"), at)
        await person.until(lambda: line(person) == "ping:ConnectionLost")
        await person.sees("Nodes 1/11")


async def test_databases_are_completed_from_their_own() -> None:
    async with started(small_world()) as person:
        await person.press("2", "slash")
        await person.type("engine:")
        await person.sees("aurora-postgresql")
        await person.type("re")
        await person.press("tab", "tab")
        await person.type(" reachable:")
        await person.sees("yes")


async def test_an_empty_line_shows_what_can_be_asked_of_the_view() -> None:
    async with started(small_world()) as person:
        for key, view in (("1", View.NODES), ("2", View.DATABASES)):
            await person.press(key)
            await person.sees(f"/ filter: {EXAMPLES[view]}")
            parse_filter(view, EXAMPLES[view], {"saved": "web"})


async def test_a_mistake_is_underlined_where_it_is() -> None:
    async with started(small_world()) as person:
        await typing(person, '결제 nope:x "web')
        await person.sees("'nope' is not a field")
        problem, typed = person.line_with("is not a field"), person.line_with("nope:x")
        assert "^^^^ " in problem
        assert problem.index("^^^^") == typed.replace("결제", "....").index("nope")


async def test_rows_are_those_of_the_last_filter_that_parses_however_fast_it_was_typed() -> None:
    async with started(small_world()) as person:
        await person.press("slash")
        typed = person.home.query_one(FilterLine).input
        for text in ("env=dev", "env=dev -"):  # both are there before the first is looked at
            typed.value = text
        await person.sees("stands alone")
        await person.sees("Nodes 2/11")
        assert "web-1 " not in person.text()


async def test_nothing_of_the_line_below_is_seen_beside_a_mistake() -> None:
    async with started(small_world()) as person:
        for text in ("web | -", "a-long-word-that-goes-far-beyond-the-middle-of-the-screen-where-it-ends @"):
            await typing(person, text)
            await person.sees("^")
            at = next(y for y, line in enumerate(person.lines()) if "^" in line)
            assert "NAME" not in person.lines()[at]
            assert "PING" not in person.lines()[at]
            await person.press("ctrl+u", "escape")


async def test_what_is_not_finished_yet_is_no_mistake_while_there_are_choices() -> None:
    async with started(small_world()) as person:
        await typing(person, "ping:")
        await person.sees("Online")
        assert "has no value" not in person.text()
        await person.press("escape")
        await person.sees("has no value")


def marked(person: Person, text: str) -> list[str]:
    """The parts of the first line with this text that are underlined."""
    strips = person.app.screen._compositor.render_update(full=True).strips  # type: ignore[union-attr]
    for strip in strips:
        segments = [segment for part in strip for segment in part]
        if text in "".join(segment.text for segment in segments):
            return [segment.text for segment in segments if segment.style and segment.style.underline]
    return []


@pytest.mark.parametrize("theme", ["ssm-dark", "ssm-light", "monochrome", "high-contrast"])
async def test_what_the_filter_found_is_marked_in_every_theme(theme: str) -> None:
    async with started(small_world()) as person:
        person.app.theme = theme
        await typing(person, "결제 team=pay api")
        await person.sees("Nodes 2/11")
        await person.press("enter")
        # On the highlighted row and on another.
        assert marked(person, "결제-api-1 ") == ["결제", "api", "pay"]
        assert marked(person, "결제-api-2 ") == ["결제", "api", "pay"]
        await person.press("escape")
        await person.sees("secret-vault")
        assert marked(person, "결제-api-1 ") == []


async def test_a_value_that_is_not_fit_to_be_typed_is_found_all_the_same() -> None:
    async with started(small_world()) as person:
        await typing(person, "team=[")
        await person.press("tab")
        await person.sees("Nodes 1/11")


async def test_ten_thousand_values_are_offered_while_one_types() -> None:
    world = small_world()
    world.cloud.pages = [NodePage(tuple(node(n, f"web-{n:05}", tags={"Name": f"web-{n:05}"}) for n in range(10_000)))]
    async with started(world) as person:
        await typing(person, "Name=web-0999")
        await person.sees("web-09990")
        await person.sees("2 more")
