"""The reader: what it posts, from its own threads, and when it falls silent."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing
from ssm_tui.domain.nodes import NodePage
from ssm_tui.ui.reader import ContextsFound, NodesRead, PartEnded, Reader
from tests.ui.fakes import CONTEXT, FakeCloud, FakeClouds, node
from tests.ui.fleet import small_world
from tests.ui.screen import LIMIT, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.message import Message


def test_parts_end_in_order_and_pages_come_one_by_one() -> None:
    told: queue.Queue[Message] = queue.Queue()
    cloud = FakeCloud(pages=[NodePage((node(1),)), NodePage((node(2),))])
    reader = Reader(FakeClouds({CONTEXT: cloud}), told.put)
    reader.find_contexts()
    assert told.get(timeout=LIMIT) == ContextsFound((CONTEXT,))
    reader.read(CONTEXT)
    seen: list[Message] = []
    while len([m for m in seen if isinstance(m, PartEnded)]) < 3:
        seen.append(told.get(timeout=LIMIT))
    assert len([m for m in seen if isinstance(m, NodesRead)]) == 2
    ends = [m.part for m in seen if isinstance(m, PartEnded)]
    assert set(ends) == {"nodes", "access", "databases"}
    assert ends.index("nodes") < ends.index("access")


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
    while not isinstance(told.get(timeout=LIMIT), NodesRead):
        pass
    reader.close()
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
