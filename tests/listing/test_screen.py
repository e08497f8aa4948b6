"""What a person sees of a list that is slow, refused, cut off or changing while it is being read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.listing.conftest import Stand, with_profiles
from tests.listing.screen import on_screen
from tests.ui.screen import Person
from tests.wire import Fleet, Trouble

FLEET = 240
LISTS = ("ec2:DescribeInstances", "ssm:DescribeInstanceProperties")


def fleet() -> Fleet:
    return Fleet(FLEET, hybrid=0.0, unmanaged=0.0)


def highlighted(person: Person) -> str:
    """The name in the row with the cursor."""
    return cursor_row(person).removeprefix("▌").strip().split("  ")[0]


def cursor_row(person: Person) -> str:
    return next((line for line in person.lines() if line.startswith("▌")), "")


async def all_shown(person: Person) -> None:
    await person.sees(" fresh")
    await person.sees(f"Nodes {FLEET}")


async def test_rows_are_there_before_the_last_page(stand: Stand) -> None:
    wire = stand(fleet())
    wire.plan.page_bounds = dict.fromkeys(LISTS, 100)
    gates = [wire.plan.hold(operation, 2) for operation in LISTS]
    async with on_screen() as person:
        await person.sees("api-0")
        await person.sees("reading")
        await person.press("end")
        last = highlighted(person)
        assert last
        for gate in gates:
            gate.open()
        await all_shown(person)
        assert highlighted(person) == last


async def test_throttling_is_shown_while_it_lasts_and_the_list_is_whole_then(stand: Stand) -> None:
    wire = stand(fleet())
    wire.plan.add(Trouble.THROTTLED, "ssm:DescribeInstanceProperties", times=2)
    async with on_screen() as person:
        await person.sees("throttled")
        await all_shown(person)
        await person.sees_no("throttled")
        assert wire.plan.counted()["ssm:DescribeInstanceProperties"] == 3


async def test_credentials_that_expire_between_pages_leave_what_came_and_r_goes_on(stand: Stand) -> None:
    wire = stand(fleet())
    wire.plan.page_bounds = dict.fromkeys(LISTS, 100)
    for operation in LISTS:
        wire.plan.add(Trouble.EXPIRED, operation, first=2)
    async with on_screen() as person:
        await person.sees("expired")
        await person.sees("api-0")
        assert "Nodes 240" not in person.text()
        wire.plan.reset()
        await person.press("r")
        await all_shown(person)
        await person.sees_no("expired")


@pytest.mark.parametrize("operation", LISTS)
async def test_a_page_that_never_comes_is_told_beside_the_rows(stand: Stand, operation: str) -> None:
    wire = stand(fleet())
    wire.plan.page_bounds = dict.fromkeys(LISTS, 100)
    wire.plan.add(Trouble.DENIED, operation, first=2)
    wire.plan.add(Trouble.DENIED, "ssm:DescribeInstanceInformation")
    async with on_screen() as person:
        await person.sees(operation)
        await person.sees(f"Nodes {FLEET}")  # the other list has all of them


async def test_a_node_that_loses_its_connection_between_two_reads(stand: Stand) -> None:
    wire = stand(fleet())
    machine = next(m for m in map(wire.fleet.machine, range(50)) if m.ping == "Online")
    name = machine.tags["Name"]
    async with on_screen(filter_text=name) as person:
        await person.sees(" fresh")
        await person.sees(f"1/{FLEET}")
        assert "lost" not in cursor_row(person)
        wire.fleet.change(machine.number, ping="ConnectionLost")
        await person.press("r")
        await person.until(lambda: "lost" in cursor_row(person))
        assert highlighted(person) == name


async def test_of_two_profiles_the_expired_one_says_so_and_the_other_is_listed(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = stand(fleet())
    with_profiles(tmp_path, monkeypatch, {"good": "AKIAGOOD", "late": "AKIALATE"})
    wire.plan.add(Trouble.EXPIRED, "*", access_key="AKIALATE")
    async with on_screen(["good", "late"]) as person:
        await all_shown(person)
        await person.sees("expired")
        header = person.lines()[0]
        assert re.search(r"good·ap-northeast-2 .*● fresh", header)
        assert re.search(r"late·ap-northeast-2 .*✗", header)
        wire.plan.reset()
        await person.press("r")
        await person.sees(f"Nodes {2 * FLEET}")
        await person.sees_no("expired")
