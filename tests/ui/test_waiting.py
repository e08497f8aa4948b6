"""What AWS makes us wait for stands beside the context while it lasts."""

from __future__ import annotations

import threading

import pytest

from ssm_tui.domain.nodes import NodePage
from tests.ui.fakes import FakeCloud, World
from tests.ui.fleet import NODES
from tests.ui.screen import started

WORDS = "throttled: ssm DescribeInstanceProperties, next try in 3 s"


async def test_what_is_waited_for_is_shown_until_it_goes_on() -> None:
    gate = threading.Semaphore(2)
    pages = [NodePage(NODES[:2]), NodePage((), waiting=WORDS), NodePage(NODES[2:4])]
    async with started(World(cloud=FakeCloud(pages=pages, gate=gate))) as person:
        await person.sees(f"reading 2, {WORDS}")
        gate.release()
        await person.sees("● fresh")
        assert "throttled" not in person.text()
        assert "Nodes 4" in person.text()


@pytest.mark.parametrize(
    ("words", "shown"),
    [(WORDS, "throttled"), ("no good answer to ssm DescribeInstanceInformation yet, trying again", "no good answer")],
)
async def test_that_it_waits_is_said_where_there_is_no_room_for_all_of_it(words: str, shown: str) -> None:
    gate = threading.Semaphore(2)
    pages = [NodePage(NODES[:2]), NodePage((), waiting=words), NodePage(NODES[2:4])]
    async with started(World(cloud=FakeCloud(pages=pages, gate=gate)), size=(80, 24)) as person:
        await person.sees(f"reading 2, {shown}")
        gate.release()
        await person.sees("● fresh")
