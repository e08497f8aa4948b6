"""The home screen: lists, filter, details, what goes wrong while reading."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.databases import DatabasePage, Kind
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import CredentialsError, RegionError
from ssm_tui.ui.actions import ACTIONS, View, actions_of
from ssm_tui.ui.services import UiSettings
from ssm_tui.ui.themes import THEMES
from ssm_tui.ui.widgets.filter_line import FilterInput
from tests.ui.fakes import HOSTILE, FakeCloud, FakeClouds, World, node
from tests.ui.fleet import NODES, small_world
from tests.ui.screen import started

if TYPE_CHECKING:
    from tests.ui.screen import Person


async def choose(person: Person, name: str) -> None:
    """Filters to one row and goes to it."""
    await person.press("slash")
    await person.type(name)
    await person.sees("Nodes 1/11")
    await person.press("enter")


async def test_nodes_are_listed_with_their_access() -> None:
    async with started(small_world()) as person:
        await person.sees("web-10")
        assert "s f r" in person.line_with("web-10")
        assert "– – –" in person.line_with("secret-vault")
        assert "? ? ?" in person.line_with("half-known")
        assert "3 h lost" in person.line_with("legacy-batch")
        assert "Nodes 11" in person.text()


async def test_at_80_by_24_details_are_folded_until_asked_for() -> None:
    async with started(small_world(), size=(80, 24)) as person:
        line = person.line_with("legacy-batch")
        assert "0000d1" in line
        assert "s f r" in line
        assert "$ aws ssm" not in person.text()
        await person.press("d")
        await person.sees("$ aws ssm start-session --target")
        await person.press("d")
        await person.sees_no("$ aws ssm")


@pytest.mark.parametrize("size", [(120, 35), (200, 50)])
async def test_details_tell_why_and_how(size: tuple[int, int]) -> None:
    async with started(small_world(), size=size) as person:
        await choose(person, "secret")
        await person.sees("denied: no statement allows")
        assert "subnet-3" in person.text()
        assert "$ aws ssm start-session" in person.text()


async def test_a_filter_is_live_and_escape_clears_it() -> None:
    async with started(small_world()) as person:
        await person.press("slash")
        await person.type("access:shell -web env=prod")
        await person.sees("결제-api-1")
        await person.sees("Nodes 2/11")
        assert "secret-vault" not in person.text()
        await person.press("escape", "escape")
        await person.sees("secret-vault")


async def test_a_filter_that_does_not_parse_says_where_and_leaves_the_list() -> None:
    async with started(small_world()) as person:
        await person.press("slash")
        await person.type("web")
        await person.sees("Nodes 6/11")
        await person.type(" web:x")
        await person.sees("'web' is not a field")
        problem = person.line_with("is not a field")
        assert problem.index("^") == person.line_with("web:x").index("web:x")
        assert "web-10" in person.text()
        await person.press(*["backspace"] * 6)
        await person.sees_no("is not a field")


async def test_the_command_lines_filter_is_there_from_the_start() -> None:
    async with started(small_world(), filter_text="env=dev") as person:
        await person.sees("Nodes 2/11")
        assert "env=dev" in person.text()


async def test_rows_appear_while_pages_still_come_and_the_highlight_stays() -> None:
    world = small_world()
    gate = world.cloud.gate = threading.Semaphore(0)
    world.cloud.pages = [NodePage(NODES[2:5]), NodePage((node(1, "aaa"),))]
    async with started(world) as person:
        await person.sees("Reading …")
        gate.release()
        await person.sees("web-10")
        await person.sees("reading 3")
        await person.press("down")
        highlighted = person.line_with("▌")
        gate.release()
        await person.sees("aaa")
        await person.sees("● fresh")
        assert "web-2" in highlighted
        assert "web-2" in person.line_with("▌")


async def test_a_failed_refresh_keeps_the_rows_and_says_what_to_do() -> None:
    world = small_world()
    async with started(world) as person:
        world.cloud.error = CredentialsError("the SSO session of profile dev has expired", "run: aws sso login")
        world.cloud.pages = []
        await person.press("r")
        await person.sees("✗ failed")
        await person.sees("has expired · i signs in")
        assert person.text().count("has expired") == 1
        assert "web-10" in person.text()
        world.cloud.error = None
        world.cloud.pages = [NodePage(NODES[:2])]
        await person.press("r")
        await person.sees("Nodes 2")
        await person.sees_no("has expired")


async def test_contexts_that_cannot_be_found_out_are_asked_for_again_by_r() -> None:
    world = small_world()
    world.clouds = FakeClouds({world.cloud.context: world.cloud}, RegionError("no region is set", "give one with -r"))
    async with started(world) as person:
        await person.sees("no region is set · give one with -r")
        world.clouds.error = None
        await person.press("r")
        await person.sees("web-10")
        assert "no region" not in person.text()


async def test_notes_are_shown_until_escape() -> None:
    world = small_world()
    world.cloud.pages.append(NodePage((), (Note("EC2 would not list instances", "ask for ec2:DescribeInstances"),)))
    async with started(world) as person:
        await person.sees("EC2 would not list instances · ask for ec2:DescribeInstances")
        await person.press("escape")
        await person.sees_no("EC2 would not")


async def test_several_contexts_are_read_and_one_may_fail() -> None:
    other = Context("prod", "us-east-1")
    good = small_world().cloud
    bad = FakeCloud(other, error=CredentialsError("no credentials for prod", "check the profile"))
    async with started(World(good, clouds=FakeClouds({good.context: good, other: bad})), size=(160, 35)) as person:
        await person.sees("prod·us-east-1 ✗ failed")
        await person.sees("dev·eu-west-1 ● fresh")
        await person.sees("web-10")
        assert "CONTEXT" in person.text()


async def test_a_hostile_name_is_harmless_everywhere() -> None:
    world = small_world()
    shown = "[/x]␛]0;pwned␇"
    async with started(world) as person:
        await choose(person, "pwned")
        assert person.text().count(shown) == 2, "in the list and in the details"
        assert "[red]" in person.text()
        await person.press("y")
        await person.sees(f"Copy · {shown}")
        await person.press("2")
        await person.until(lambda: world.clipboard.copied == [HOSTILE])
        await person.is_told("name copied to the clipboard")
        await person.press("f")
        await person.sees(f"Forward through {shown}")
        await person.type("80")
        await person.press("enter")
        await person.sees(f"{shown}:80")
        await person.press("1", "enter")
        assert world.hand_over
        await person.until(lambda: world.hand_over and world.hand_over.runs)
        assert "\x1b" not in person.text()


async def test_views_switch_by_number_and_tab_and_keep_their_place() -> None:
    async with started(small_world()) as person:
        await person.press("down", "down")
        row = person.line_with("▌")
        await person.press("2")
        await person.sees("ledger/writer")
        await person.press("tab")
        await person.sees("No tunnels.")
        await person.press("tab")
        await person.sees("web-10")
        assert person.line_with("▌") == row
        await person.press("shift+tab")
        await person.sees("No tunnels.")


async def test_the_mouse_chooses_rows_tabs_and_keys() -> None:
    world = small_world()
    async with started(world) as person:
        await person.sees("web-10")
        lines = person.lines()
        y = next(at for at, line in enumerate(lines) if "web-10" in line)
        await person.click(10, y)
        assert "web-10" in person.line_with("▌")
        await person.click(lines[1].index("Databases"), 1)
        await person.sees("ledger/writer")
        await person.click(lines[1].index("Nodes"), 1)
        await person.sees("web-10")
        await person.click(person.lines()[-1].index("Help"), 34)
        await person.sees("In nodes")


async def test_help_explains_every_action_and_every_symbol() -> None:
    async with started(small_world(), size=(120, 150)) as person:
        await person.press("question_mark")
        await person.sees("Everywhere")
        text = person.text()
        for action in ACTIONS:
            assert action.help in text
        for symbol in "sfr–?●○◌·✓✗◐⇄":
            assert f"  {symbol} " in text, symbol


async def test_help_is_read_on_a_small_screen() -> None:
    async with started(small_world(), size=(80, 24)) as person:
        await person.press("question_mark")
        await person.sees("In nodes")
        at = person.lines().index(person.line_with("On the heading of a group"))
        column = person.lines()[at].index("On the heading")
        assert person.lines()[at + 1][column:].startswith("show them."), "beside what it explains"
        await person.press("j", "j")
        await person.until(lambda: "In nodes" not in person.text())
        await person.press("end", "pageup")
        await person.sees("○ not enabled the account")


def test_every_key_does_one_thing_in_a_view() -> None:
    for view in View:
        # A heading of nodes is folded where there is no node for a shell.
        keys = [key for action in actions_of(view) if action.name != "fold" for key in action.keys]
        assert len(keys) == len(set(keys))


async def test_the_palette_offers_what_the_view_can_do() -> None:
    async with started(small_world()) as person:
        await person.press("ctrl+p")
        await person.sees("Search for commands")
        await person.type("databases")
        await person.sees("Go to the databases")
        await person.press("enter", "enter")
        await person.sees("ledger/writer")


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_paints(theme: str) -> None:
    world = small_world()
    world.settings = UiSettings(theme=theme)
    async with started(world) as person:
        await person.sees("web-10")
        assert person.app.theme == theme


async def test_keys_that_come_faster_than_the_screen_cost_one_query() -> None:
    world = small_world()
    world.cloud.pages = [NodePage(tuple(node(i, f"web-{i}") for i in range(3000)))]
    async with started(world) as person:
        await person.sees("Nodes 3,000")
        table = person.home._lists.nodes
        await person.press("slash")
        painted = table.painted
        await person.type("web-29")
        await person.sees("Nodes 111/3,000")
        assert table.painted - painted <= 2 * 35
        await person.press("enter")
        painted = table.painted
        await person.type("j" * 200)
        await person.until(lambda: table.place == 110)
        assert table.painted - painted <= 60


async def test_what_could_not_be_read_this_time_stays_from_the_last() -> None:
    world = small_world()
    async with started(world, size=(80, 24)) as person:
        refused = Note("a part is not known: you may not call ec2:DescribeInstances in this account", "ask for it")
        world.cloud.pages = [NodePage(NODES[2:5], (refused,))]
        denied = Note("you may not call rds:DescribeDBInstances", "ask")
        world.cloud.database_list = [DatabasePage(notes=(denied,), unread=frozenset({Kind.RDS}))]
        await person.press("r")
        await person.sees("rds:DescribeDBInstances")
        await person.sees("● fresh")
        assert "Nodes 11" in person.text()
        # The other services have told that what they had is gone.
        assert "Databases 2" in person.text()


async def test_a_notice_that_stands_alone_is_told_in_full_at_80_by_24() -> None:
    world = small_world()
    words = "tags, addresses and networks are not known: you may not call ec2:DescribeInstances"
    world.cloud.pages = [NodePage(NODES, (Note(words, "ask whoever keeps the policies"),))]
    async with started(world, size=(80, 24)) as person:
        await person.sees("ec2:DescribeInstances")
        await person.sees("ask whoever keeps the policies")


async def test_a_text_pasted_into_the_filter_by_mistake_ends_somewhere() -> None:
    async with started(small_world()) as person:
        await person.press("slash")
        await person.type("x" * 1000)
        await person.sees("Nodes 0/11")
        await person.until(lambda: len(person.home.query_one(FilterInput).value) == 400)
        await person.press("escape", "escape")
        await person.sees("secret-vault")
