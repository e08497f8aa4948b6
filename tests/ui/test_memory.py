"""Rows of the last run at the first paint, read again by key and quietly, and never another account's."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.databases import DatabasePage, Kind
from ssm_tui.domain.lacks import Lack
from ssm_tui.domain.nodes import NodePage
from ssm_tui.domain.snapshots import Snapshot
from ssm_tui.errors import CredentialsError, RegionError
from ssm_tui.store.inventory import KeptRows
from ssm_tui.ui.app import SsmTui
from ssm_tui.ui.catalog import Catalog
from ssm_tui.ui.flows.knowledge import Knowledge, Pace
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.nodes import ping_cell
from tests.ui.fakes import CONTEXT, NETWORK, NOW, FakeCloud, FakeClouds, World, database, node
from tests.ui.fleet import DATABASES, NODES, small_world
from tests.ui.screen import Person, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.domain.sessions import Command

GONE = node(0xF1, "terminated-since")
SINCE = NOW - timedelta(hours=3)


class Rows(KeptRows):
    """The real store, that tells when it was asked to keep and forget."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "all", str)
        self.kept, self.forgotten = threading.Semaphore(0), threading.Event()

    def keep(self, snapshot: Snapshot) -> None:
        super().keep(snapshot)
        self.kept.release()

    def forget(self, context: Context) -> None:
        super().forget(context)
        self.forgotten.set()

    def nodes(self, context: Context = CONTEXT) -> list[str]:
        """The names of the nodes that are kept."""
        return [each.name for portion in self.recall(context) for each in portion.nodes]


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Yesterday's rows: the fleet, and a node that is no more."""
    found = Rows(tmp_path / "rows")
    found.found((CONTEXT,))
    nodes = (*NODES, GONE)
    found.keep(Snapshot(CONTEXT, "123456789012", SINCE, nodes, (*DATABASES, database("dropped")), NETWORK))
    found.kept.acquire()
    return found


@pytest.fixture
def world(rows: Rows) -> World:
    """The fleet with that memory. Pages and contexts come when the test lets them."""
    world = small_world()
    world.memory = rows
    world.cloud.gate = threading.Semaphore(0)
    return world


def let_all_in(world: World) -> None:
    assert world.cloud.gate is not None
    world.cloud.gate.release(1000)


async def test_the_first_paint_shows_the_rows_of_the_last_run_marked_stale(world: World) -> None:
    class Deaf(FakeClouds):
        def contexts(self) -> tuple[Context, ...]:
            threading.Event().wait()
            raise AssertionError

    world.clouds = Deaf({})
    app = SsmTui(world.services())
    painted: list[str] = []
    async with app.run_test(size=(120, 35)) as pilot:
        # Nothing is waited for: what is on the screen is what on_mount has put there.
        person = Person(app, pilot)
        painted.append(person.text())
        assert "dev·eu-west-1 ◌ stale since 3 h" in painted[0]
        assert "terminated-since" in painted[0]
        assert "Nodes 12" in painted[0]
        assert "? ? ?" in person.line_with("web-10"), "what one may do is not known before it is asked"
        await person.press("2")
        await person.sees("dropped")
        assert "reading" in person.line_with("far-away"), "that no node reaches it is not said of old nodes"


def test_the_first_paint_waits_for_no_more_than_the_first_rows() -> None:
    class Counted(KeptRows):
        """As many portions as are asked for."""

        asked_for = 0

        def contexts(self) -> tuple[Context, ...]:
            return (CONTEXT,)

        def recall(self, context: Context) -> Iterator[Snapshot]:
            while True:
                self.asked_for += 1
                if self.asked_for > 1:
                    going_on.set()
                yield Snapshot(context, "123456789012", SINCE, NODES[:1])

    going_on = threading.Event()
    world = small_world()
    world.memory = memory = Counted(Path(), "all", str)
    services = world.services()
    knowledge = Knowledge(services, Catalog(services.clock), lambda _message: None)
    before = set(threading.enumerate())
    try:
        assert knowledge.recall() == (CONTEXT,)
        assert set(threading.enumerate()) <= before, "threads take time from the paint"
        assert memory.asked_for == 1
        knowledge.begin()
        assert going_on.wait(10)
    finally:
        knowledge.close()


async def test_fresh_pages_replace_them_and_what_is_gone_leaves_at_the_end(world: World, rows: Rows) -> None:
    world.cloud.pages[0] = NodePage((replace(NODES[0], ip="10.9.9.9"), *NODES[1:6]))
    async with started(world) as person:
        await person.sees("◐ reading 0, stale since 3 h")
        assert world.cloud.gate is not None
        world.cloud.gate.release()
        await person.sees("reading 6, stale since 3 h")
        await person.sees("10.9.9.9")
        assert "Nodes 12" in person.text()
        world.cloud.gate.release()
        await person.sees("● fresh")
        assert "Nodes 11" in person.text()
        assert "Databases 4" in person.text()
        assert "s f r" in person.line_with("web-10")
        await person.until(lambda: rows.kept.acquire(blocking=False))
    assert GONE.name not in rows.nodes()
    assert len(rows.nodes()) == 12


async def test_a_read_that_fails_or_is_partly_denied_leaves_them(world: World, rows: Rows) -> None:
    world.cloud.error = CredentialsError("the SSO session of profile dev has expired", "run: aws sso login")
    let_all_in(world)
    async with started(world) as person:
        await person.sees("✗ failed, stale since 3 h")
        await person.sees("has expired")
        assert "terminated-since" in person.text()
        world.cloud.error = None
        bare = tuple(replace(each, tags={}, vpc=None, name="") for each in NODES[:3])
        world.cloud.pages = [NodePage(bare, (Note("you may not call ec2:DescribeInstances", "ask for it"),))]
        await person.press("r")
        await person.sees("ec2:DescribeInstances")
        await person.sees("● fresh")
        assert "Nodes 12" in person.text()
        assert "web-1 " in person.text(), "with the name that it had"
        await person.until(lambda: rows.kept.acquire(blocking=False))
    assert GONE.name in rows.nodes()


async def test_hybrid_tags_that_may_not_be_read_keep_no_instance_that_is_gone(world: World, rows: Rows) -> None:
    note = Note("the tags of 1 hybrid node are not known", "ask for it", lack=Lack.TAGS)
    world.cloud.pages.append(NodePage((), (note,)))
    let_all_in(world)
    async with started(world) as person:
        await person.sees("● fresh")
        await person.sees("the tags of 1 hybrid node")
        assert GONE.name not in person.text()
        await person.until(lambda: rows.kept.acquire(blocking=False))
    assert GONE.name not in rows.nodes()


async def test_rows_of_another_account_are_gone_before_anything_is_read(world: World, rows: Rows) -> None:
    world.cloud.account = "999999999999"
    world.cloud.pages = [NodePage((node(1, "theirs", account=world.cloud.account),))]
    world.cloud.database_list = []
    async with started(world) as person:
        await person.sees("Nodes 0")
        await person.sees("Databases 0")
        assert "stale" not in person.text()
        assert "web-10" not in person.text()
        await person.until(rows.forgotten.is_set)
        assert rows.nodes() == []
        let_all_in(world)
        await person.sees("theirs")
        await person.until(lambda: rows.kept.acquire(blocking=False))
    assert rows.nodes() == ["theirs"]


async def test_rows_that_are_recalled_late_never_replace_what_has_been_read(world: World) -> None:
    async with started(world) as person:
        let_all_in(world)
        await person.sees("● fresh")
        catalog = person.home._catalog
        catalog.recall(Snapshot(CONTEXT, "123456789012", SINCE, (GONE, replace(NODES[2], ip="1.1.1.1"))))
        catalog.recall(Snapshot(CONTEXT, "999999999999", SINCE, (GONE,)))
        assert catalog.node(GONE.key) is None
        assert catalog.node(NODES[2].key) != replace(NODES[2], ip="1.1.1.1")
        assert not catalog.readings[CONTEXT].stale


async def test_a_row_is_old_until_a_page_has_told_of_it(world: World) -> None:
    async with started(world) as person:
        await person.sees("◐ reading 0, stale")
        old = person.home._catalog.is_old
        assert all(map(old, NODES))
        assert world.cloud.gate is not None
        world.cloud.gate.release()
        await person.sees("reading 6")
        assert [old(each) for each in NODES] == [False] * 6 + [True] * 6
        let_all_in(world)
        await person.sees("● fresh")
        assert not any(map(old, NODES))
        world.cloud.error, world.cloud.pages = CredentialsError("expired", ""), [NodePage(NODES[:1])]
        await person.press("r")
        await person.sees("✗ failed, stale since 0 s")
        assert [old(each) for each in NODES] == [False] + [True] * 11
        assert ping_cell(NODES[2], NOW, old=True) == (("●", Tone.DIM), (" 12 s", Tone.DIM))


async def test_thousands_of_rows_come_in_portions(world: World, rows: Rows) -> None:
    many = tuple(node(number, f"n-{number:05}") for number in range(5000))
    rows.keep(Snapshot(CONTEXT, "123456789012", SINCE, many))
    async with started(world) as person:
        assert "n-00000" in person.text()
        await person.sees("Nodes 5,000")


async def test_contexts_that_are_not_asked_for_any_more_leave(world: World, rows: Rows) -> None:
    other = Context("dev", "us-east-1")
    rows.found((CONTEXT, other))
    rows.keep(Snapshot(other, "123456789012", SINCE, (node(7, "elsewhere", context=other),)))
    world.clouds = FakeClouds({CONTEXT: world.cloud})
    let_all_in(world)
    async with started(world, size=(160, 35)) as person:
        await person.sees("● fresh")
        await person.sees_no("elsewhere")
        assert "us-east-1" not in person.text()
        await person.until(lambda: rows.contexts() == (CONTEXT,))


async def test_contexts_that_cannot_be_found_out_leave_the_rows_and_r_asks_again(world: World) -> None:
    world.clouds = FakeClouds({CONTEXT: world.cloud}, RegionError("no region is set", "give one with -r"))
    let_all_in(world)
    async with started(world) as person:
        await person.sees("no region is set")
        assert "web-10" in person.text()
        assert "stale since 3 h" in person.text()
        world.clouds.error = None
        await person.press("r")
        await person.sees("● fresh")


# Quiet reads


def test_the_pace_slows_down_while_nobody_is_there() -> None:
    pace, now = Pace(60.0), NOW
    assert not pace.due(now), "nothing has been read yet"
    waits = []
    for _ in range(6):
        pace.ended(now)
        waited = 0
        while not pace.due(now):
            waited += 5
            now += timedelta(seconds=5)
        waits.append(waited)
    assert waits == [60, 120, 240, 480, 600, 600]
    pace.ended(now)
    pace.touched()
    assert not pace.due(now + timedelta(seconds=55))
    assert pace.due(now + timedelta(seconds=60))
    assert not Pace(0.0).due(now)
    never = Pace(0.0)
    never.ended(now)
    assert not never.due(now + timedelta(days=1))


def quiet_world() -> World:
    world = small_world()
    world.clouds = FakeClouds({CONTEXT: world.cloud})
    return world


async def test_a_quiet_read_brings_what_is_new_and_asks_only_for_its_access() -> None:
    world = quiet_world()
    async with started(world) as person:
        await person.sees("● fresh")
        new, changed = node(0xF2, "brand-new"), replace(NODES[2], tags={"env": "dev"})
        world.cloud.pages = [NodePage((*NODES[:2], changed, *NODES[3:], new))]
        person.home._tick()
        assert "reading" not in person.text()
        world.now += timedelta(seconds=61)
        await person.press("down")  # somebody is there
        person.home._tick()
        await person.sees("brand-new")
        await person.sees("s f r")
        await person.until(lambda: len(world.cloud.asked) == 2)
    half_known = NODES[11]
    assert set(world.cloud.asked[1]) == {new.id, changed.id, half_known.id}
    assert len(world.cloud.asked[0]) == 12


@pytest.mark.parametrize("by", ["key", "mouse"])
async def test_keys_and_mouse_keep_the_pace_up(by: str) -> None:
    world = quiet_world()
    async with started(world) as person:
        await person.sees("● fresh")
        for round_ in range(1, 4):
            world.now += timedelta(seconds=61)
            await (person.press("down") if by == "key" else person.click(5, 8))
            person.home._tick()
            await person.until(lambda: len(world.cloud.asked) > round_)  # noqa: B023 - awaited within the round
            await person.sees("● fresh 0 s")


async def test_nothing_is_read_while_a_shell_has_the_terminal() -> None:
    import asyncio

    world = quiet_world()
    shell, over = asyncio.Event(), asyncio.Event()

    class LongShell:
        async def __call__(self, app: object, command: Command, title: str) -> int:
            shell.set()
            await over.wait()
            return 0

    world.hand_over = LongShell()  # type: ignore[assignment] # a hand-over of the test's own
    async with started(world) as person:
        await person.sees("● fresh")
        await person.press("enter")
        await shell.wait()
        world.now += timedelta(hours=1)
        person.home._tick()
        assert not person.home._catalog.readings[CONTEXT].busy
        over.set()
        await person.until(lambda: not (person.home._given_away and person.home._given_away.now))
        person.home._tick()
        assert person.home._catalog.readings[CONTEXT].busy
        await person.sees("● fresh 0 s")


async def test_notices_stay_while_the_same_is_read_again() -> None:
    world = quiet_world()
    refused = Note("EC2 would not list instances", "ask for ec2:DescribeInstances")
    world.cloud.pages = [NodePage(NODES, (refused,))]
    async with started(world) as person:
        await person.sees("EC2 would not list instances")
        await person.sees("● fresh")
        world.cloud.gate, world.cloud.pages = threading.Semaphore(0), [NodePage(NODES)]
        await person.press("r")
        await person.sees("◐ reading 0")
        assert "EC2 would not list instances" in person.text()
        world.cloud.gate.release(5)
        await person.sees("● fresh")
        await person.sees_no("EC2 would not")


async def test_databases_of_the_last_run_leave_only_when_all_services_have_answered(world: World) -> None:
    denied = Note("you may not call rds:DescribeDBInstances", "ask")
    world.cloud.database_list = [DatabasePage(notes=(denied,), unread=frozenset(Kind))]
    let_all_in(world)
    async with started(world) as person:
        await person.sees("rds:DescribeDBInstances")
        await person.sees("● fresh")
        assert "Databases 5" in person.text()


async def test_a_failing_service_keeps_no_good_rows_from_being_kept(world: World, rows: Rows) -> None:
    class NoDatabases(FakeCloud):
        def database_pages(self):  # type: ignore[no-untyped-def] # as the protocol has it
            raise CredentialsError("no", "")

    world.cloud = NoDatabases(pages=[NodePage(NODES[:2])])
    world.clouds = FakeClouds({CONTEXT: world.cloud})
    async with started(world) as person:
        await person.sees("✗ failed")
        await person.until(lambda: rows.kept.acquire(blocking=False))
    assert len(rows.nodes()) == 2
