"""The reader: what it posts, from its own threads, and when it falls silent."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import RegionError
from ssm_tui.ui.actions import View
from ssm_tui.ui.catalog import Catalog
from ssm_tui.ui.reader import Reader
from ssm_tui.ui.reads import (
    PORTION,
    AccessRead,
    CallerKnown,
    ContextsFailed,
    ContextsFound,
    NodesRead,
    NodesSettled,
    PartEnded,
    Read,
)
from tests.ui.fakes import CONTEXT, NOW, FakeCloud, FakeClouds, node
from tests.ui.fleet import small_world
from tests.ui.screen import LIMIT, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.message import Message


class Listener:
    """Takes in what is told, as the screen does, when asked to."""

    def __init__(self) -> None:
        self.told: queue.Queue[Message] = queue.Queue()
        self.catalog = Catalog(lambda: NOW)
        self.catalog.begin(CONTEXT)

    def next(self) -> Message:
        message = self.told.get(timeout=LIMIT)
        if isinstance(message, Read):
            message.taken_in(self.catalog)
        return message

    def until_the_end(self) -> list[Message]:
        """Everything until all parts have ended."""
        seen: list[Message] = []
        while len([m for m in seen if isinstance(m, PartEnded)]) < 3:
            seen.append(self.next())
        return seen


async def test_what_was_on_its_way_of_a_superseded_search_or_a_stopped_read_does_not_count() -> None:
    other = Context("other", "us-east-1")
    world = small_world()
    async with started(world) as person:
        await person.sees("● fresh")
        account = person.home._catalog.readings[CONTEXT].account
        late = [ContextsFound((other,)), ContextsFailed(RegionError("none", "")), CallerKnown(CONTEXT, "999999999999")]
        for message in late:
            message.stopped = threading.Event()
            message.stopped.set()
            person.home.post_message(message)
        taken = NodesRead(CONTEXT, NodePage(()), ())
        person.home.post_message(taken)
        await person.until(taken.taken.is_set)
        assert list(person.home._catalog.readings) == [CONTEXT]
        assert person.home._catalog.readings[CONTEXT].account == account
        assert "secret-vault" in person.text()


def test_a_search_that_is_superseded_says_so_of_what_it_has_told() -> None:
    listener = Listener()
    reader = Reader(FakeClouds({CONTEXT: FakeCloud()}), listener.told.put)
    reader.find_contexts()
    first = listener.next()
    assert isinstance(first, ContextsFound)
    assert first.counts
    reader.find_contexts()
    assert not first.counts


def test_parts_end_in_order_and_pages_come_one_by_one() -> None:
    listener = Listener()
    cloud = FakeCloud(pages=[NodePage((node(1),)), NodePage((node(2),))])
    reader = Reader(FakeClouds({CONTEXT: cloud}), listener.told.put)
    reader.find_contexts()
    assert listener.next() == ContextsFound((CONTEXT,))
    reader.read(CONTEXT)
    seen = listener.until_the_end()
    assert len([m for m in seen if isinstance(m, NodesRead)]) == 2
    ends = [m.part for m in seen if isinstance(m, PartEnded)]
    assert set(ends) == {"nodes", "access", "databases"}
    assert ends.index("nodes") < ends.index("access")


def test_a_large_page_is_told_in_portions_each_after_the_last_has_been_taken() -> None:
    listener = Listener()
    nodes = tuple(node(number) for number in range(1, 2 * PORTION + 2))
    note = Note("ssm refused")
    cloud = FakeCloud(pages=[NodePage(nodes, (note,), "throttled")])
    reader = Reader(FakeClouds({CONTEXT: cloud}), listener.told.put)
    reader.read(CONTEXT)
    sizes: list[int] = []
    notes: list[Note] = []
    portions: list[AccessRead] = []
    ended: set[str] = set()
    while len(ended) < 3:
        message = listener.told.get(timeout=LIMIT)
        if isinstance(message, NodesRead):
            assert not [m for m in listener.told.queue if isinstance(m, NodesRead)]
            assert [row.node for row in message.rows] == list(message.page.nodes)
            assert message.page.waiting == "throttled"
            sizes.append(len(message.rows))
            notes += message.page.notes
        portions += [message] if isinstance(message, AccessRead) else []
        ended |= {message.part} if isinstance(message, PartEnded) else set()
        if isinstance(message, Read):
            message.taken_in(listener.catalog)
    assert (sizes, notes) == ([PORTION, PORTION, 1], [note])
    assert max(len(each.access) for each in portions) <= PORTION
    assert len(listener.catalog.answered(CONTEXT)) == len(nodes)


def test_what_is_gone_goes_in_portions_too() -> None:
    listener = Listener()
    nodes = tuple(node(number) for number in range(1, 2 * PORTION + 2))
    listener.catalog.add_nodes(CONTEXT, NodePage(nodes))
    listener.catalog.end(CONTEXT, "nodes", None)
    listener.catalog.begin(CONTEXT)
    reader = Reader(FakeClouds({CONTEXT: FakeCloud(pages=[NodePage(nodes[:1])])}), listener.told.put)
    reader.read(CONTEXT)
    left: list[int] = []
    while not left or left[-1] > 1:
        if isinstance(listener.next(), NodesSettled):
            left.append(listener.catalog.count(View.NODES))
    assert left == [PORTION + 1, 1]


def test_what_nobody_wants_any_more_keeps_no_read_waiting() -> None:
    listener = Listener()
    reader = Reader(FakeClouds({CONTEXT: FakeCloud(pages=[NodePage((node(1),))])}), listener.told.put)
    listener.catalog.keep_only([])
    reader.read(CONTEXT)
    seen = listener.until_the_end()
    assert [m for m in seen if isinstance(m, NodesRead)]
    assert not listener.catalog.readings


def test_a_closed_reader_reads_no_further() -> None:
    told: queue.Queue[Message] = queue.Queue()
    gate = threading.Semaphore(1)
    over = threading.Event()

    class Endless(FakeCloud):
        def node_pages(self, narrowing: Narrowing = NOTHING_NARROWED) -> Iterator[NodePage]:
            try:
                while True:
                    gate.acquire()
                    yield NodePage((node(1),))
            finally:
                over.set()

    reader = Reader(FakeClouds({CONTEXT: Endless()}), told.put)
    reader.read(CONTEXT)
    while not isinstance(message := told.get(timeout=LIMIT), NodesRead):
        pass
    reader.close()
    message.taken.set()
    gate.release()
    assert over.wait(LIMIT)
    assert not [m for m in told.queue if isinstance(m, NodesRead)]


class Broken(FakeCloud):
    """Has a mistake of ours in it."""

    def node_pages(self, narrowing: Narrowing = NOTHING_NARROWED) -> Iterator[NodePage]:
        raise KeyError("NextToken")


async def test_a_mistake_of_our_own_is_shown_and_ends_the_reading() -> None:
    world = small_world()
    world.cloud = Broken(database_list=world.cloud.database_list)
    world.clouds = FakeClouds({CONTEXT: world.cloud})
    async with started(world) as person:
        await person.sees("reading nodes failed in node_pages: KeyError")
        await person.sees("✗ failed")
        assert "Databases 4" in person.text()
