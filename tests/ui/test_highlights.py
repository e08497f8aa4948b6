"""What a filter has found, in texts as they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.filters import parse
from ssm_tui.domain.highlighting import Place, Spans, found
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.relays import Relay
from ssm_tui.ui.actions import View
from ssm_tui.ui.catalog import parse_filter
from ssm_tui.ui.presentation.cells import Tone, fitted, plain
from ssm_tui.ui.presentation.databases import DatabaseRow
from ssm_tui.ui.presentation.highlights import after_cut, found_in_database, found_in_node, in_visible, marked
from ssm_tui.ui.presentation.text import ELLIPSIS, Cut, cut, visible
from tests.ui.fakes import database, node


def bracketed(text: str, spans: Spans) -> str:
    for start, end in reversed(spans):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        ("web-1", "eb", "w[eb]-1"),
        ("a\x1bb", "b", "a␛[b]"),
        ("a\x1bb", "\x1b", "a[␛]b"),
        ("\u200bweb", "web", "‹200b›[web]"),
        ("👩\u200d💻 web", "web", "👩💻 [web]"),
        ("cafe\u0301 web", "e", "caf[é] w[e]b"),
        ("cafe\u0301", "caf", "[caf]é"),
        ("\u1112\u1161\u11ab", "\u1161", "[한]"),
        ("결제-api", "제", "결[제]-api"),
    ],
)
def test_what_is_found_is_marked_in_what_is_shown(text: str, word: str, shown: str) -> None:
    spans = found(parse(f'name:"{word}"', NODE_FIELDS), Place("name"), text)
    assert bracketed(visible(text), in_visible(text, spans)) == shown


SHOWN = st.text(st.sampled_from("ab-1한…\u0301\u200b\x1be\u1112\u1161👩\u200d"), max_size=12)


@given(SHOWN, st.data())
def test_the_spans_stay_on_their_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    whole = visible(text)
    for first, last in in_visible(text, ((start, end),) if start < end else ()):
        assert 0 <= first < last <= len(whole)
        assert visible(text[start:end]) in whole[first:last] or visible(text) == whole
        assert len(visible(text[:start])) >= first
        assert len(visible(text[end:])) >= len(whole) - last


@given(st.text(st.sampled_from("abc한…"), max_size=14), st.integers(0, 16), st.sampled_from(Cut), st.data())
def test_the_spans_stay_right_when_a_text_is_cut(text: str, width: int, where: Cut, data: st.DataObject) -> None:
    flags = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    spans = tuple((at, at + 1) for at, flag in enumerate(flags) if flag)
    part = cut(text, width, where)
    shown = after_cut(text, part, spans)
    lit = {at for start, end in shown for at in range(start, end)}
    assert all(0 <= at < len(part) for at in lit)
    if part == text:
        assert lit == {at for at, flag in enumerate(flags) if flag}
    elif part:
        # There is a place for the ellipsis at which everything fits.
        places = [at for at, char in enumerate(part) if char == ELLIPSIS]
        assert any(_fits(text, part, at, flags, lit) for at in places)


def _fits(text: str, part: str, at: int, flags: list[bool], lit: set[int]) -> bool:
    tail = len(part) - at - 1
    if not (text.startswith(part[:at]) and text.endswith(part[at + 1 :]) and at + tail <= len(text)):
        return False
    hidden = any(flags[at : len(text) - tail])
    wanted = [*flags[:at], hidden, *(flags[len(flags) - tail :] if tail else [])]
    return [place in lit for place in range(len(part))] == wanted


@given(st.text(max_size=20), st.text(min_size=1, max_size=4), st.integers(0, 20), st.sampled_from(Cut))
def test_marking_changes_no_letter(text: str, word: str, width: int, where: Cut) -> None:
    cell = plain(text, Tone.STRONG)
    shown = fitted(cell, width, where)
    spans = in_visible(text, found(parse(f'name:"{word.replace(chr(34), "x")}"', NODE_FIELDS), Place("name"), text))
    pieces = list(marked(cell, shown, (visible(text), spans)))
    assert "".join(part for part, _, _ in pieces) == "".join(part for part, _ in shown)
    assert all(part for part, _, _ in pieces)


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ("web", "name", "[web]-7"),
        ("Name=web-7", "name", "[web-7]"),
        ("name:7", "name", "web-[7]"),
        ("0", "id", "i-[000000000000000]a1"),
        ("10.1", "ip", "[10.1].0.162"),
        ("os:linux", "os", "Amazon [Linux] 2023"),
        ("az:1a", "az", "[1a]"),
        ("az:west-1a", "az", "[1a]"),
        ("vpc:1", "vpc", "vpc-[1]"),
        ("prod", "env", "[prod]"),
        ("env=p*", "env", "[p]rod"),
        ("team=prod", "env", ""),
        ("-web", "name", ""),
        ("web", "nothing", ""),
    ],
)
def test_a_nodes_columns(text: str, column: str, shown: str) -> None:
    each = node(0xA1, "web-7", tags={"Name": "web-7", "env": "prod"})
    assert bracketed(*found_in_node(parse(text, NODE_FIELDS), each, column)) == shown


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ("ord", "DATABASE", "[ord]ers"),
        ("ord", "ENDPOINT", "[ord]ers.abc123.eu-west-1.rds.amazonaws.com"),
        ("vpc:vpc", "VPC", "[vpc]-1"),
        ("ord", "RELAY", ""),
    ],
)
def test_a_databases_columns(text: str, column: str, shown: str) -> None:
    row = DatabaseRow(database("orders"), Relay(None, Reachable.UNKNOWN, ""))
    assert bracketed(*found_in_database(parse_filter(View.DATABASES, text), row, column)) == shown
