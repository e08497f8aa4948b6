"""A thousand hostile names and tags, from the wire to what is painted and printed: harmless, whole, in their places.

The texts are drawn at random from what terminals, markup and formats act on, and from all of Unicode; a seed each test.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from rich.cells import cell_len

from ssm_tui.cli import main
from ssm_tui.ui.presentation.text import visible
from tests.listing.conftest import at
from tests.listing.screen import on_screen
from tests.ui.screen import Person
from tests.wire import Fleet, Wire

SEEDS, NODES = 4, 250
# What terminals, markup, spreadsheets, JSON and XML act on.
PIECES = (
    "[red]", "[/]", "[/x]", "[@click=app.quit]x[/]", "[link=http://x]", "\\[", "[[", "]]", "{0}", "%s", "$(id)", "`id`",
    "\x1b[31m", "\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\x07", "\x00", "\r", "\n", "\t", "\x7f", "\x85",
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\ufe0f", "\u0301", "\u0e33", "\u1160",
    "결제", "日本語", "ﷺ", "👩\u200d👩\u200d👧", "🇰🇷", "👍🏽", "🚀", "é", "e\u0301", "</Name>", "&amp;", "<![CDATA[",
    "]]>", '"', "'",
    " ", "  ", "=1+1", "-", "*", "?", "|", "…", "▌", "●",
)  # fmt: skip
_NOT_IN_XML = {*map(chr, range(0x20)), "\ufffe", "\uffff"} - {"\t", "\n", "\r"}


def hostile(dice: random.Random, *, xml: bool) -> str:
    """A text of up to 20 pieces and characters; such as XML can hold where it is EC2 that tells it."""
    while True:
        drawn = [dice.choice(PIECES) if dice.random() < 0.6 else _character(dice) for _ in range(dice.randint(1, 20))]
        text = "".join(drawn)
        if not (xml and set(text) & _NOT_IN_XML):
            return text


def _character(dice: random.Random) -> str:
    while True:
        char = chr(dice.choice([dice.randrange(0x250), dice.randrange(0x3000), dice.randrange(0x110000)]))
        if unicodedata.category(char) != "Cs":
            return char


def hostile_fleet(seed: int) -> Fleet:
    """Half of the nodes are EC2's, half hybrid: SSM tells those in JSON, which may hold anything."""
    dice = random.Random(seed)
    fleet = Fleet(NODES, hybrid=0.5, unmanaged=0.0)
    for number in range(NODES):
        xml = not fleet.machine(number).hybrid
        tags = {hostile(dice, xml=xml): hostile(dice, xml=xml), "env": hostile(dice, xml=xml)}
        fleet.change(number, tags={**tags, "Name": hostile(dice, xml=xml)}, name=hostile(dice, xml=False))
    return fleet


@pytest.mark.parametrize("seed", range(SEEDS))
def test_hostile_names_and_tags_are_harmless_whole_and_in_their_place(seed: int) -> None:
    fleet = hostile_fleet(seed)
    with Wire(fleet) as wire, at(wire):
        told = {each["id"]: each for each in json.loads(_printed("ls", "--json"))}
        lines = _printed("ls").splitlines()
        painted = asyncio.run(_painted())
    for machine in map(fleet.machine, range(NODES)):
        assert told[machine.id]["tags"] == machine.tags
        assert told[machine.id]["name"] == machine.tags["Name"]
    _check_table(lines, told)
    _check_screen(painted, told)


def _printed(*words: str) -> str:
    """What the command says on a stdout that is no terminal."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(list(words)) == 0
    return out.getvalue()


async def _painted() -> list[str]:
    """The screen with all rows on it."""
    async with on_screen(size=(200, NODES + 30)) as person:
        await person.sees(" fresh")
        await person.sees(f"Nodes {NODES}")
        await person.until(lambda: _ids(person) >= NODES, "every row")
        return person.lines()


def _ids(person: Person) -> int:
    return sum("i-0" in line for line in person.lines())


def harmless(line: str) -> bool:
    """Nothing in it that a terminal acts on, or that takes no place on it."""
    return not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co") for char in line)


def _check_table(lines: list[str], told: Mapping[str, Mapping[str, Any]]) -> None:
    assert len(lines) == NODES
    places = set()
    for line in lines:
        assert harmless(line), repr(line)
        node_id = next(each for each in told if f" {each} " in line)
        name = told[node_id]["name"]
        assert line.startswith(visible(name).rstrip())
        # Tags in the order of their keys, none swallowed.
        for key, value in told[node_id]["tags"].items():
            assert key == "Name" or f"{visible(key)}={visible(value)}".strip() in line
        places.add(cell_len(line[: line.index(f" {node_id} ")]))
    assert len(places) == 1, "the ids stand below each other"


def _check_screen(lines: list[str], told: Mapping[str, Mapping[str, Any]]) -> None:
    for line in lines:
        assert harmless(line), repr(line)
        assert cell_len(line) == 200, repr(line)
    for node_id, node in told.items():
        (row,) = [line for line in lines if f" {node_id} " in line[:80]]  # the details name one too
        assert visible(node["name"]).strip()[:8] in row
