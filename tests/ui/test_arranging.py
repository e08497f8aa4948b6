"""How the list of nodes stands: order, columns, pins, groups, marks, and what is kept of it for the next run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.choices import Choices
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.listing import Arrangement, Sort
from ssm_tui.domain.nodes import Node, NodePage, Ping
from ssm_tui.errors import AccessDeniedError
from tests.ui.fakes import FakeCloud, FakeClouds, World, node
from tests.ui.fleet import NODES, small_world
from tests.ui.screen import started

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ui.screen import Person


@dataclass
class Memory:
    """What is kept from run to run."""

    kept: Choices = field(default_factory=Choices)

    def read(self) -> Choices:
        return self.kept

    def change(self, change: Callable[[Choices], Choices]) -> None:
        self.kept = change(self.kept)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def world(memory: Memory) -> World:
    return replace(small_world(), choices=memory)


def names(person: Person) -> list[str]:
    """The nodes in the list's order, headings of groups in brackets."""
    rows = person.home._lists.nodes.rows
    return [row.name or "(no name)" if isinstance(row, Node) else f"[{row.value}]" for row in rows]


def heading(person: Person) -> str:
    return person.line_with("NAME")


# Order


async def test_a_click_on_a_heading_sorts_and_a_second_turns_it_round(world: World, memory: Memory) -> None:
    async with started(world) as person:
        assert "NAME ▲" in heading(person)
        x, y = heading(person).index("ADDRESS"), person.lines().index(heading(person))
        await person.click(x, y)
        await person.sees("ADDRESS ▲")
        up = names(person)
        assert up.index("web-2") == len(up) - 1  # the only one in another network
        await person.click(x, y)
        await person.sees("ADDRESS ▼")
        assert names(person)[0] == "web-2"
        assert "NAME ▲" not in heading(person)
    assert memory.kept.arrangement.sort == Sort("ip", descending=True)


async def test_the_dialog_sorts_by_what_is_no_column_and_keeps_the_highlighted_node(world: World) -> None:
    async with started(world) as person:
        await person.press("down", "down", "down")
        row = person.home._lists.nodes.row_key
        await person.press("S")
        await person.sees("Sort by")
        await person.type("team")
        await person.press("enter")
        await person.sees("team ▲")
        assert names(person)[-1] == "(no name)" or "secret-vault" in names(person)
        assert person.home._lists.nodes.row_key == row
        await person.press("S", "enter")  # it stands on the order that is in force
        await person.sees("team ▼")


# Columns


async def test_columns_are_chosen_moved_kept_and_reset(world: World, memory: Memory) -> None:
    async with started(world) as person:
        await person.press("C")
        await person.sees("Columns")
        await person.type("vpc ")
        await person.press(*["backspace"] * 3)
        await person.press("home", "space", "down", "J", "enter")  # without the id; ping before access
        await person.sees_no("Columns")
        await person.until(lambda: "vpc" in heading(person))
        shown = heading(person).split()
        assert "ID" not in shown
        assert shown.index("PING") < shown.index("ACCESS")
    assert memory.kept.columns is not None
    assert memory.kept.columns[:2] == ("ping", "access")
    assert memory.kept.columns[-1] == "vpc"
    async with started(world) as person:
        assert "ID" not in heading(person).split()
        await person.press("C", "ctrl+r")
        await person.until(lambda: "ID" in heading(person).split())
    assert memory.kept.columns is None


# Pins


async def test_pinned_nodes_stand_on_top_with_a_star(world: World, memory: Memory) -> None:
    async with started(world) as person:
        await person.press("end", "asterisk")
        await person.until(lambda: "★" in person.line_with(names(person)[0]))
        first = names(person)[0]
        assert person.home._lists.nodes.place == 0, "the highlighted node is followed"
        await person.press("asterisk")
        await person.sees_no("★")
        await person.until(lambda: names(person)[-1] == first)
        await person.press("asterisk")
        await person.sees("★")
    assert len(memory.kept.arrangement.pins) == 1


# Groups


async def test_groups_are_headed_counted_folded_and_unfolded(world: World, memory: Memory) -> None:
    async with started(world) as person:
        await person.press("v")
        await person.sees("Group by")
        await person.type("team\r")  # Enter overtakes the letters
        await person.sees("▾ team=web  6")
        await person.press("v")
        await person.type("env\r")
        await person.sees("▾ env=prod  8")
        await person.press("home", "left")
        await person.sees("▸ env=[red]  1")
        assert "↵ Fold" in person.text()
        await person.press("enter")
        await person.sees("▾ env=[red]  1")
        line = person.line_with("▾ env=prod")
        await person.click(6, person.lines().index(line))
        await person.sees("▸ env=prod  8")
        assert "web-1" not in names(person)
        assert "Nodes 11" in person.text()
        await person.press("f", "asterisk", "y")
        assert len(person.app.screen_stack) == 1, "a heading is no node"
    assert memory.kept.arrangement.group == "env"
    assert memory.kept.arrangement.folded == {"prod"}
    async with started(world) as person:
        await person.sees("▸ env=prod  8")
        await person.press("v", "home", "enter")
        await person.sees_no("▸ env=prod")
        assert "web-1" in names(person)


# Marks


async def test_marks_stay_with_their_nodes_and_escape_takes_them_back_first(world: World) -> None:
    async with started(world) as person:
        await person.press("space", "space")
        await person.sees("· 2 marked")
        assert "✓" in person.line_with("half-known")
        await person.press("slash")
        await person.type("half")
        await person.sees("2 marked, 1 hidden")
        await person.press("enter", "S")
        await person.type("address")
        await person.press("enter")
        await person.sees("ADDRESS ▲")
        await person.press("r")
        await person.sees("2 marked, 1 hidden")
        assert "✓" in person.line_with("half-known")
        await person.press("escape")
        await person.sees_no("marked")
        assert "/ half" in person.text()
        await person.press("escape")
        await person.sees("web-10")


async def test_marks_of_nodes_that_are_gone_are_gone(world: World) -> None:
    async with started(world) as person:
        await person.press("ctrl+a")
        await person.sees("11 marked")
        world.cloud.pages = [NodePage(NODES[:2])]
        await person.press("r")
        await person.sees("Nodes 2 · 2 marked")


async def test_a_stretch_is_drawn_and_taken_in_again(world: World) -> None:
    async with started(world) as person:
        await person.press("home", "shift+down", "shift+down", "shift+down")
        await person.sees("4 marked")
        await person.press("shift+up")
        await person.sees("3 marked")
        await person.press("down", "down", "down", "shift+up")
        await person.sees("5 marked")


async def test_what_is_marked_is_copied_together(world: World) -> None:
    world.cloud.pages = [NodePage((node(1, "web-1"), node(2, "twin"), node(3, "twin"), node(4, "-odd")))]
    async with started(world) as person:
        await person.press("ctrl+a")
        await person.sees("y Copy ✓4")
        assert "↵ Shell ▌" in person.text()
        for number, lines in (("1", 4), ("2", 4)):
            await person.press("y")
            await person.sees("Copy · 4 nodes")
            await person.press(number)
            await person.sees_no("Copy · 4 nodes")
            assert len(world.clipboard.copied[-1].split("\n")) == lines
        await person.press("y", "3")
        await person.sees_no("Copy · 4 nodes")
        hosts = world.clipboard.copied[-1].split("\n")
        assert sorted(hosts) == ["i-00000000000000002", "i-00000000000000003", "i-00000000000000004", "web-1"]


async def test_what_is_marked_is_forwarded_with_a_local_port_for_each(world: World) -> None:
    async with started(world) as person:
        await person.press("home", "space", "space", "space", "f")
        await person.sees("and 2 more")
        await person.type("80")
        await person.press("tab", "tab")
        await person.type("8080")
        await person.press("enter")
        await person.sees("Tunnels 3")
        requests = [status.request for status in world.tunnels.statuses()]
        assert [each.local_port for each in requests] == [8080, 8081, 8082]
        assert {each.port for each in requests} == {80}
        assert len({each.target for each in requests}) == 3


async def test_marked_nodes_are_pinned_together(world: World, memory: Memory) -> None:
    async with started(world) as person:
        await person.press("home", "space", "space", "asterisk")
        await person.until(lambda: len(person.home._lists.arrangement.pins) == 2)
        await person.press("asterisk")
        await person.until(lambda: not person.home._lists.arrangement.pins)


# Unmanaged nodes, and why there is nothing


async def test_unmanaged_nodes_are_counted_until_they_are_asked_for(world: World, memory: Memory) -> None:
    async with started(world) as person:
        await person.sees("Nodes 11 + 1 unmanaged")
        assert "no-role" not in names(person)
        await person.press("a")
        await person.sees("Nodes 12")
        assert "unmanaged  " in person.line_with("no-role")
    assert memory.kept.arrangement.unmanaged


async def test_an_empty_list_says_that_all_are_unmanaged(world: World) -> None:
    world.cloud.pages = [NodePage((node(1, "a", ping=Ping.UNMANAGED), node(2, "b", ping=Ping.UNMANAGED)))]
    async with started(world) as person:
        await person.sees("All 2 nodes here are unmanaged")
        await person.press("a")
        await person.sees("Nodes 2")


async def test_an_empty_list_says_what_filters_it(world: World) -> None:
    async with started(world) as person:
        await person.press("slash")
        await person.type("env=nowhere")
        await person.sees("All 11 are filtered out by «env=nowhere».")
        assert "Esc clears the filter." in person.text()
        assert "1 unmanaged hidden: a shows them." in person.text()


async def test_an_empty_list_says_which_permission_is_missing(world: World) -> None:
    error = AccessDeniedError("you may not", "ask for it", action="ssm:DescribeInstanceInformation")
    world.cloud.pages, world.cloud.error = [], error
    async with started(world) as person:
        await person.sees("You may not list nodes: ssm:DescribeInstanceInformation is denied.")
        world.cloud.error = None
        await person.press("r")
        await person.sees("There are no nodes here.")


# Several contexts


async def test_by_context_means_by_what_tells_them_apart(memory: Memory) -> None:
    east, west = Context("dev", "us-east-1"), Context("dev", "us-west-2")
    clouds = {
        context: FakeCloud(context, [NodePage((node(at, f"node-{at}", context=context),))])
        for at, context in ((1, west), (2, east))
    }
    memory.kept = Choices(Arrangement(Sort("context")))
    async with started(World(clouds=FakeClouds(clouds), choices=memory)) as person:
        await person.sees("CONTEXT ▲")
        await person.until(lambda: names(person) == ["node-2", "node-1"])


async def test_enter_after_a_filter_is_for_a_node_not_for_the_heading_above_it(world: World, memory: Memory) -> None:
    memory.kept = Choices(arrangement=Arrangement(group="env"))
    async with started(world) as person:
        await person.sees("▾ env=")
        assert isinstance(person.home._lists.nodes.row, Node)
        await person.press("slash")
        await person.type("web-10")
        await person.until(lambda: names(person)[1:] == ["web-10"])
        assert "web-10" in person.line_with("▌")


async def test_ages_pass_for_all_rows_together(world: World) -> None:
    async with started(world) as person:
        await person.sees("● 12 s")
        world.now += timedelta(seconds=30)
        await person.press("space")
        await person.sees("1 marked")
        assert "● 42 s" not in person.text(), "painted anew is not heard anew"
        person.home._tick()
        await person.sees("● 42 s")
        assert "● 12 s" not in person.text()
