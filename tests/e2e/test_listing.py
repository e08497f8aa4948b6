"""Ten thousand nodes in a real terminal: filter, sort, page, mark, a shell on one of them, and the list as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import administrator_of
from tests.e2e.conftest import BARE_PATH, make_laptop
from tests.e2e.terminal import PATIENCE, Terminal
from tests.e2e.test_tui import PROMPT, first_cell, highlighted
from tests.wire import Fleet, Machine, Trouble, Wire

pytestmark = pytest.mark.e2e

FLEET = 10_000
FILTER = "env=prod service=pay-worker ping:online"
COLUMNS, ROWS = 130, 40
PAGE_DOWN, END = "\x1b[6~", "\x1b[F"
MARKS = 2


class Film:
    """The screens of a test by what was done, oldest first; a failure shows the last ones."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.frames: list[tuple[str, str]] = []

    def shot(self, done: str, *wanted: str, within: float = PATIENCE) -> str:
        """Waits until the screen says all of this, and keeps it."""
        try:
            screen = self._terminal.wait_for(lambda screen: all(each in screen for each in wanted), within=within)
        except AssertionError as error:
            before = "\n".join(f"--- {what}\n{screen}" for what, screen in self.frames[-2:])
            raise AssertionError(f"after {done!r}: {error}\nbefore that:\n{before}") from None
        self.frames.append((done, screen))
        return screen


def shown(screen: str) -> list[str]:
    """The names in the rows of the list, from the top."""
    return re.findall(r"^[▌ ]\W (\S+) +i-0", screen, re.MULTILINE)


def names(machines: list[Machine]) -> list[str]:
    return [machine.tags["Name"] for machine in machines]


@pytest.fixture
def wire(demo_cloud: DemoProcess) -> Iterator[Wire]:
    """The fleet before the demo cloud: whoever starts a session comes to that."""
    with Wire(Fleet(FLEET, hybrid=0.0, unmanaged=0.0), behind=demo_cloud.environment["AWS_ENDPOINT_URL"]) as running:
        running.plan.add(Trouble.DENIED, "iam:*")  # a hundred simulations would only take time
        yield running


def wanted(fleet: Fleet) -> list[Machine]:
    """What the filter finds, in the order of their names backwards."""
    found = [
        machine
        for machine in map(fleet.machine, range(FLEET))
        if machine.ping == "Online" and (machine.tags["env"], machine.tags["service"]) == ("prod", "pay-worker")
    ]
    return sorted(found, key=lambda machine: machine.tags["Name"], reverse=True)


def test_ten_thousand_nodes_and_a_shell_on_one(demo_cloud: DemoProcess, wire: Wire, tmp_path: Path) -> None:
    real = administrator_of(demo_cloud).client("ec2")
    (reservation,) = real.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-1"]}])["Reservations"]
    chosen = wanted(wire.fleet)[45]
    wire.fleet.change(chosen.number, id=reservation["Instances"][0]["InstanceId"])
    expected = names(wanted(wire.fleet))
    laptop = make_laptop({**demo_cloud.environment, "AWS_ENDPOINT_URL": wire.url}, tmp_path, BARE_PATH)
    with laptop.terminal(columns=COLUMNS, rows=ROWS) as terminal:
        film = Film(terminal)
        film.shot("start", "Nodes 10,000", " fresh", within=90)
        terminal.send("/", FILTER)
        screen = film.shot("filter", f"Nodes {len(expected)}/10,000")
        assert shown(screen)[:10] == sorted(expected)[:10], screen
        terminal.send("enter", "S")
        film.shot("sort", "type to filter")
        terminal.send("name")
        film.shot("sort by name", "name")
        terminal.send("enter")
        screen = film.shot("the other way round", f"▌  {min(expected)}", expected[-2])
        _goes_on_from_the_top(terminal, film, expected)
        _shell_and_back(terminal, film, chosen.tags["Name"])
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert [done for done, _ in film.frames][-1] == "back in the list"


def _goes_on_from_the_top(terminal: Terminal, film: Film, expected: list[str]) -> None:
    """From the last row, where the highlighted node has gone with the order, to the top; then page by page."""
    terminal.send("g")
    screen = film.shot("top", f"▌  {expected[0]}")
    rows = len(shown(screen))
    assert shown(screen) == expected[:rows]
    terminal.send(PAGE_DOWN)
    terminal.wait_for(lambda screen: first_cell(screen) not in ("", expected[0]))
    screen = film.shot("page down")
    at = expected.index(first_cell(screen))
    assert rows - 3 <= at <= rows
    assert shown(screen) == expected[expected.index(shown(screen)[0]) :][:rows]


def _shell_and_back(terminal: Terminal, film: Film, name: str) -> None:
    """Marks two, takes that back, goes on to the node, and has a shell there."""
    terminal.send(" ", "down", " ")
    film.shot("mark", f"{MARKS} marked")
    terminal.send("escape")
    terminal.wait_for(lambda screen: "marked" not in screen)
    while first_cell(terminal.text) != name:
        here = first_cell(terminal.text)
        terminal.send("down")
        terminal.wait_for(lambda screen, here=here: first_cell(screen) not in ("", here))  # type: ignore[misc]
    before = film.shot("go to the node", name)
    terminal.send("enter")
    film.shot("shell", PROMPT)
    terminal.send("echo far-$((40+2))-$(hostname)", "enter")
    film.shot("a command", "far-42-ip-10-1-")
    terminal.send("exit", "enter")
    terminal.wait_for(lambda screen: name in highlighted(screen) and PROMPT not in screen)
    after = film.shot("back in the list", "/10,000")
    assert shown(after) == shown(before)
    assert first_cell(after) == first_cell(before)
