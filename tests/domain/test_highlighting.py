"""Which parts of a text a filter has found it by."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.filters import parse
from ssm_tui.domain.highlighting import Place, found
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.errors import FilterError
from tests.builders import node

NAME = Place("name", "Name", words=True)
ENV = Place(tag="env", words=True)


def shown(text: str, place: Place, value: str) -> str:
    """The value with what was found in brackets."""
    for start, end in reversed(found(parse(text, NODE_FIELDS), place, value)):
        value = f"{value[:start]}[{value[start:end]}]{value[end:]}"
    return value


@pytest.mark.parametrize(
    ("text", "place", "value", "marked"),
    [
        ("", NAME, "web-1", "web-1"),
        ("WEB", NAME, "a-web-web1", "a-[web]-[web]1"),
        ("web eb-1", NAME, "web-1", "[web-1]"),
        ("w|1", NAME, "web-1", "[w]eb-[1]"),
        ("-web", NAME, "web-1", "web-1"),
        ("aa", NAME, "aaaaa", "[aaaa]a"),
        ("w*-1", NAME, "web-1", "[w]eb[-1]"),
        ("w?b-1", NAME, "web-1", "[w]e[b-1]"),
        ("w?b", NAME, "web-1", "web-1"),
        ("name:eb", NAME, "web-1", "w[eb]-1"),
        ("id:eb", NAME, "web-1", "web-1"),
        ("Name=WEB-1", NAME, "web-1", "[web-1]"),
        ("Name=web", NAME, "web-1", "web-1"),
        ("env=pro*", ENV, "prod", "[pro]d"),
        ("ENV=dev|prod", ENV, "prod", "[prod]"),
        ("team=prod", ENV, "prod", "prod"),
        ("prod", ENV, "preprod", "pre[prod]"),
        ('"v=pr"', ENV, "prod", "[pr]od"),
        ("env", ENV, "prod", "prod"),
        ("env=*", ENV, "prod", "prod"),
        ("tag:env", ENV, "prod", "prod"),
        ("10.1.", Place("ip", words=True), "10.1.1.1", "[10.1.]1.1"),
        ("10.1.", Place("vpc"), "10.1.1.1", "10.1.1.1"),
        ("ping:online", Place("ping"), "Online", "[Online]"),
        ("strasse", NAME, "Straße 1", "[Straße] 1"),
        ("s", NAME, "aßb", "a[ß]b"),
        ("i", NAME, "xİy", "x[İ]y"),
        ("결제", NAME, "결제-api", "[결제]-api"),
        ('"a b"', NAME, "a\nb", "[a\nb]"),
    ],
)
def test_what_is_found(text: str, place: Place, value: str, marked: str) -> None:
    assert shown(text, place, value) == marked


TEXTS = st.text(st.sampled_from("abAİßſsSK- 한ﬁf\n"), max_size=8)


@given(TEXTS.filter(lambda text: text.strip()), TEXTS)
def test_a_part_is_marked_where_the_word_is_and_nowhere_else(word: str, value: str) -> None:
    try:
        wanted = parse(f'name:"{word}"', NODE_FIELDS)
    except FilterError:
        return
    spans = found(wanted, NAME, value)
    assert bool(spans) == bool(value and wanted.matches(node(name=value)))
    for start, end in spans:
        assert word.casefold() in value[start:end].casefold()
    rest = [(0, 0), *spans, (len(value), len(value))]
    for (_, end), (start, _) in pairwise(rest):
        assert end <= start
        assert word.casefold() not in value[end:start].casefold()


@given(st.text(max_size=12), TEXTS)
def test_spans_are_in_order_and_within_the_text(text: str, value: str) -> None:
    try:
        wanted = parse(text, NODE_FIELDS)
    except FilterError:
        return
    for place in (NAME, ENV, Place("os")):
        spans = found(wanted, place, value)
        assert all(0 <= start < end <= len(value) for start, end in spans)
        assert all(one[1] < other[0] for one, other in pairwise(spans))
