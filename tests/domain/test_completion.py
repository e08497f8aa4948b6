"""What may stand where a filter is being typed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.completion import SHOWN, Choice, Completer, Completion
from ssm_tui.domain.filters import parse
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.errors import FilterError
from tests.builders import HOSTILE, node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssm_tui.domain.nodes import Node


class Words:
    """A vocabulary of some nodes."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self._kept: dict[tuple[str, str], Mapping[str, int]] = {}

    def _count(self, what: str, key: str, texts: list[str]) -> Mapping[str, int]:
        return self._kept.setdefault((what, key), Counter(texts))

    def tag_keys(self) -> Mapping[str, int]:
        return self._count("keys", "", [key for n in self.nodes for key in n.tags])

    def tag_values(self, key: str) -> Mapping[str, int]:
        values = [v for n in self.nodes for k, v in n.tags.items() if k.casefold() == key.casefold()]
        return self._count("tag", key, values)

    def field_values(self, name: str) -> Mapping[str, int]:
        return self._count("field", name, [text for n in self.nodes for text in n.values(name)])


FLEET = (
    node("i-1", name="web-1", tags={"env": "prod", "team": "web", "Cost Center": "Seoul 1"}),
    node("i-2", name="web-2", tags={"env": "prod", "team": "pay", "aws:group:Name": "a"}),
    node("i-3", name="api-1", tags={"env": "preprod", "team": "a|b", "ping:x": "y", "Empty": ""}),
    node("i-4", name="db", tags={"env": "dev", "team": HOSTILE, "quote": 'it\'s "so"'}),
)
SAVED = {"mine": "env=prod", "two words": "web"}


def at(text: str) -> tuple[str, int]:
    """The text without the bar that stands for the cursor, and its place."""
    before, _, behind = text.partition("▏")
    return before + behind, len(before)


def complete(text: str, fleet: Sequence[Node] = FLEET) -> Completion:
    return Completer(lambda: Words(fleet), NODE_FIELDS).complete(*at(text), SAVED)


def labels(text: str) -> list[str]:
    return [choice.label for choice in complete(text).choices]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("▏", []),
        ("e▏", ["env=", "Empty="]),
        ("EN▏", ["env="]),
        ("web e▏", ["env=", "Empty="]),
        ("-te▏", ["team="]),
        ("p▏", ["ping:", "platform:", "profile:", "ping:x="]),
        ("aws:g▏", ["aws:group:Name="]),
        ("web ▏", []),
        ("w▏eb", []),
        ("env=▏", ["prod", "dev", "preprod"]),
        ("ENV=▏", ["prod", "dev", "preprod"]),
        ("env=p▏", ["prod", "preprod"]),
        ("env=pro▏", ["prod", "preprod"]),
        ("env=prod▏", ["preprod"]),
        ("env=preprod▏", []),
        ("env=x▏", []),
        ("env=dev|p▏", ["prod", "preprod"]),
        ("-env=d▏", ["dev", "prod", "preprod"]),
        ("tag:e▏", ["env", "Empty", "team", "Cost Center", "aws:group:Name", "quote"]),
        ("tag:env=▏", ["prod", "dev", "preprod"]),
        ('tag:"Cost Center="▏', ["Seoul 1"]),
        ('"Cost Center"=▏', ["Seoul 1"]),
        ('"Cost Center"="se▏', ["Seoul 1"]),
        ("name:we▏", ["web-1", "web-2"]),
        ("name:1▏", ["api-1", "web-1"]),
        ("ping:▏", ["Online"]),
        ("access:s▏", ["shell", "ssh"]),
        ("nope:▏", []),
        ("@▏", ["@mine", "@two words"]),
        ("web @w▏", ["@two words"]),
        ('"@▏', []),
    ],
)
def test_what_is_offered(text: str, offered: list[str]) -> None:
    assert labels(text) == offered


def test_choices_tell_how_many_nodes_have_them() -> None:
    assert complete("env=▏").choices[0] == Choice("prod", "prod", 2)
    assert complete("te▏").choices[0] == Choice("team=", "team=", 4, name=True)
    assert complete("ping:▏").choices[0].count == 4
    assert complete("pi▏").choices[0] == Choice("ping:", "ping:", None, name=True)


@pytest.mark.parametrize(
    ("typed", "label", "becomes"),
    [
        ("-e▏ web", "env=", "-env=▏ web"),
        ("env=dev|p▏ web", "prod", "env=dev|prod▏ web"),
        ("co▏", "Cost Center=", '"Cost Center"=▏'),
        ('"cost c▏', "Cost Center=", '"Cost Center"=▏'),
        ("tag:co▏", "Cost Center", 'tag:"Cost Center"▏'),
        ("ping:▏", "Online", "ping:Online▏"),
        ("ping▏", "ping:x=", 'tag:"ping:x"=▏'),
        ("aws▏", "aws:group:Name=", "aws:group:Name=▏"),
        ("team=a▏", "a|b", 'team="a|b"▏'),
        ("quote=▏", 'it\'s "so"', 'quote="it\'s "\'"\'"so"\'"\'▏'),
        ("@t▏", "@two words", '@"two words"▏'),
        ("team=[▏", HOSTILE, 'team="[/x]"?"]0;pwned"?▏'),
    ],
)
def test_a_choice_takes_the_place_of_what_was_typed(typed: str, label: str, becomes: str) -> None:
    text, _ = at(typed)
    completion = complete(typed)
    choice = next(each for each in completion.choices if each.label == label)
    assert completion.applied(text, choice) == at(becomes)


TEXTS = st.text(st.sampled_from("ab :=|*?-@\"'[]\n\x1bé한"), min_size=1, max_size=6)


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_chosen_finds_its_node_and_no_other(key: str, value: str, other: str) -> None:
    """Whatever a tag holds: by its key, then by its value."""
    fleet = (node("i-1", tags={key: value}), node("i-2", tags={key: other + "x"}))
    completer = Completer(lambda: Words(fleet), NODE_FIELDS)
    typed = completer._key(key) + "="
    found = completer.complete(typed, len(typed))
    choice = next(each for each in found.choices if each.label == value)
    text, cursor = found.applied(typed, choice)
    assert cursor == len(text)
    wanted = parse(text, NODE_FIELDS)
    assert wanted.matches(fleet[0])
    if value.isprintable() and key.isprintable():
        assert not wanted.matches(node(tags={key: value + "x"}))
        assert not wanted.matches(node(tags={key + "x": value}))


@given(st.text(max_size=30), st.integers(0, 30))
def test_any_text_is_completed_to_one_that_parses_no_worse(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    completion = Completer(lambda: Words(FLEET), NODE_FIELDS).complete(text, cursor, SAVED)
    assert 0 <= completion.start <= completion.end == cursor
    try:
        parse(text, NODE_FIELDS, SAVED)
    except FilterError:
        return
    for choice in completion.choices:
        after, place = completion.applied(text, choice)
        assert after[:place].endswith(choice.text)
        parse(after + ("x" if choice.name else ""), NODE_FIELDS, SAVED)


def test_a_keystroke_among_ten_thousand_values_looks_at_each_once_and_sorts_none() -> None:
    words = Words([node(f"i-{n}", tags={"Name": f"Web-{n % 9_999}"}) for n in range(10_000)])
    completer = Completer(lambda: words, NODE_FIELDS)
    assert completer.complete("Name=", 5).choices[0] == Choice("Web-0", "Web-0", 2)
    ordered = completer._sorted["tag", "Name"]
    for typed in ("Name=w", "Name=we", "Name=web-12"):
        before = completer.compared
        found = completer.complete(typed, len(typed))
        assert completer.compared - before <= 9_999
        assert len(found.choices) == SHOWN
        assert completer._sorted["tag", "Name"] is ordered
    assert found.more == 10 + 100 - SHOWN
