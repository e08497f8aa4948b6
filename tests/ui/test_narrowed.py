"""A filter from the command line, or a saved one, in the interface: less is read while it is the filter."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.domain.contexts import Note
from ssm_tui.domain.filters import parse
from ssm_tui.domain.narrowing import NOTHING_NARROWED, narrowing
from ssm_tui.domain.nodes import NODE_FIELDS, Node, NodePage, Ping
from ssm_tui.domain.snapshots import Snapshot
from ssm_tui.ui.absent import NoMemory
from tests.ui.fakes import CONTEXT, NOW, World, node
from tests.ui.fleet import NODES, small_world
from tests.ui.screen import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.domain.contexts import Context

DEV = narrowing(parse("env=dev", NODE_FIELDS))


def narrowed_world() -> World:
    world = small_world()
    world.cloud.told = lambda each: each.tags.get("env") == "dev"
    return world


async def test_the_command_lines_filter_narrows_the_first_read_and_another_reads_all() -> None:
    world = narrowed_world()
    async with started(world, filter_text="env=dev") as person:
        await person.sees("web-10")
        await person.sees("others are not read")
        assert world.cloud.narrowed == [DEV]
        assert "Nodes 2/2… " in person.text()
        await person.press("slash", "backspace")
        await person.sees_no("others are not read")
        await person.until(lambda: world.cloud.narrowed == [DEV, NOTHING_NARROWED])
        await person.press("escape", "escape")
        await person.sees("secret-vault")
        # All are known now: the same filter again needs no other read.
        await person.press("slash")
        await person.type("env=dev")
        await person.sees("Nodes 2/11")
        assert len(world.cloud.narrowed) == 2


async def test_a_filter_that_says_nothing_to_aws_reads_all() -> None:
    world = narrowed_world()
    async with started(world, filter_text="web") as person:
        await person.sees("web-10")
        assert world.cloud.narrowed == [NOTHING_NARROWED]
        assert "others are not read" not in person.text()


async def test_what_is_still_on_its_way_of_a_narrowed_read_ends_nothing() -> None:
    world = narrowed_world()
    gate = world.cloud.gate = threading.Semaphore(0)
    async with started(world, filter_text="env=dev") as person:
        await person.until(lambda: world.cloud.narrowed == [DEV])
        gate.release()
        await person.sees("web-10")
        await person.press("slash")
        await person.press(*["backspace"] * 7)
        await person.until(lambda: len(world.cloud.narrowed) == 2)
        for _ in range(8):
            gate.release()
        await person.sees("● fresh")
        await person.sees("secret-vault")
        assert "Nodes 11" in person.text()


async def test_the_databases_need_all_nodes() -> None:
    world = narrowed_world()
    async with started(world, filter_text="env=dev") as person:
        await person.sees("others are not read")
        await person.press("2")
        await person.until(lambda: world.cloud.narrowed == [DEV, NOTHING_NARROWED])
        await person.sees("✓")


async def test_nothing_found_says_so() -> None:
    world = small_world()
    world.cloud.told = lambda _node: False
    async with started(world, filter_text="env=nope") as person:
        await person.sees("No node is found by «env=nope».")
        await person.press("escape")
        await person.sees("secret-vault")


class Memory(NoMemory):
    """The rows of an earlier run."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.kept: list[tuple[Node, ...]] = []

    def contexts(self) -> tuple[Context, ...]:
        return (CONTEXT,)

    def recall(self, context: Context) -> Iterator[Snapshot]:
        yield Snapshot(context, "123456789012", NOW, self.nodes)

    def keep(self, snapshot: Snapshot) -> None:
        self.kept.append(snapshot.nodes)


async def test_narrowed_rows_neither_replace_those_of_the_last_run_nor_remove_others() -> None:
    world = narrowed_world()
    gone = node(0xF0, "gone-long-since", tags={"env": "dev"})
    memory = Memory((*NODES, gone))
    world.memory = memory
    async with started(world, filter_text="env=dev") as person:
        await person.sees("web-10")
        # What would match and was not told is not there any more; what does not match was not asked for.
        await person.sees_no("gone-long-since")
        assert memory.kept == []
        await person.press("escape")
        await person.sees("secret-vault")
        await person.until(lambda: memory.kept)
        assert {each.id for each in memory.kept[-1]} == {each.id for each in NODES}


async def test_a_saved_filter_is_named_and_narrows_what_is_read_from_then_on() -> None:
    world = narrowed_world()
    world.filters = {"dev": "env=dev"}
    async with started(world) as person:
        await person.sees("secret-vault")
        await person.press("slash")
        await person.type("@dev")
        await person.sees("saved filter: dev")
        await person.sees("Nodes 2/11")
        assert world.cloud.narrowed == [NOTHING_NARROWED]
        await person.press("enter", "r")
        await person.until(lambda: world.cloud.narrowed == [NOTHING_NARROWED, DEV])
        await person.sees("● fresh")
        # The others stay as they were.
        await person.press("escape")
        await person.sees("secret-vault")
        assert "Nodes 11" in person.text()


async def test_others_are_read_again_after_a_refresh_of_a_saved_filters_nodes_alone() -> None:
    world = narrowed_world()
    moved = node(0xF1, "moved-to-prod", tags={"env": "dev"})
    hidden = node(0xF2, "hidden", tags={"env": "dev"}, ping=Ping.UNMANAGED)
    world.memory = memory = Memory(())
    world.filters = {"dev": "env=dev"}
    pages = world.cloud.pages
    world.cloud.pages = [*pages, NodePage((moved, hidden))]
    async with started(world) as person:
        await person.until(lambda: memory.kept)
        before = memory.kept[-1]
        assert {moved.id, hidden.id} < {each.id for each in before}
        await person.press("slash")
        await person.type("@dev")
        await person.sees("moved-to-prod")
        # It has another tag now, and so is not told of; the other one is gone.
        world.cloud.pages = [*pages, NodePage((replace(moved, tags={"env": "prod"}),))]
        await person.press("enter", "r")
        await person.sees_no("moved-to-prod")
        await person.sees("● fresh")
        assert memory.kept[-1] == before, "what is kept is not made poorer by a narrowed read"
        assert person.home._catalog.node(hidden.key) is None, "nor is what is not listed kept"
        await person.press("escape")
        await person.until(lambda: world.cloud.narrowed == [NOTHING_NARROWED, DEV, NOTHING_NARROWED])
        await person.sees("moved-to-prod")


async def test_a_page_that_tells_nothing_of_a_source_removes_nothing() -> None:
    world = narrowed_world()
    gone = node(0xF0, "perhaps-there", tags={"env": "dev"})
    world.memory = Memory((*NODES, gone))
    world.cloud.pages.append(NodePage((), (Note("EC2 would not say", partial=True),)))
    async with started(world, filter_text="env=dev") as person:
        await person.sees("EC2 would not say")
        await person.sees("perhaps-there")
