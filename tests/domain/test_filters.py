"""The filter language, from text to matches."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ssm_tui.domain.access import Access, everywhere
from ssm_tui.domain.filters import Filter, Term, check_saved, names_saved, parse, saved_name
from ssm_tui.domain.highlighting import Place
from ssm_tui.domain.highlighting import found as parts_found
from ssm_tui.domain.matching import Kind, Scope, matches_text
from ssm_tui.domain.nodes import NODE_FIELDS, Node, Ping, Platform
from ssm_tui.domain.tokens import in_quotes, tokens
from ssm_tui.errors import FilterError
from tests.builders import NO, YES, node

WEB = node(
    "i-0aaa",
    name="web-7",
    platform=Platform.LINUX,
    os="Amazon Linux 2023",
    ip="10.1.4.61",
    az="ap-northeast-2a",
    vpc="vpc-0e1",
    tags={"Name": "web-7", "env": "prod", "team": "web", "Cost Center": "Seoul 1"},
)
PAY = node(
    "i-0bbb",
    name="결제-api-1",
    ping=Ping.LOST,
    platform=Platform.WINDOWS,
    os="Windows Server 2022",
    ip="10.2.4.17",
    az="ap-northeast-2c",
    tags={"Name": "결제-api-1", "env": "dev", "team": "pay"},
    access=Access(shell=NO, forward=YES, remote=YES, ssh=YES),
)
BARE = node("mi-0ccc", tags={}, access=everywhere(NO))
FLEET = (WEB, PAY, BARE)


SAVED = {"mine": "team=pay env=dev", "two words": "web", "old": "engine:postgres"}


def found(text: str) -> set[str]:
    wanted = parse(text, NODE_FIELDS, SAVED)
    return {n.id for n in FLEET if wanted.matches(n)}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", {"i-0aaa", "i-0bbb", "mi-0ccc"}),
        ("web", {"i-0aaa"}),
        ("WEB", {"i-0aaa"}),
        ("결제", {"i-0bbb"}),
        ("10.1.", {"i-0aaa"}),
        ("seoul", {"i-0aaa"}),
        ("web prod", {"i-0aaa"}),
        ("web dev", set()),
        ("env=prod", {"i-0aaa"}),
        ("ENV=Prod", {"i-0aaa"}),
        ("env=pro", set()),
        ("env=pro*", {"i-0aaa"}),
        ("env=prod|dev", {"i-0aaa", "i-0bbb"}),
        ("-env=prod", {"i-0bbb", "mi-0ccc"}),
        ("env=", {"mi-0ccc"}),
        ("team=*", {"i-0aaa", "i-0bbb", "mi-0ccc"}),
        ("tag:team", {"i-0aaa", "i-0bbb"}),
        ("-tag:team", {"mi-0ccc"}),
        ("tag:team=pay", {"i-0bbb"}),
        ('tag:"Cost Center"', {"i-0aaa"}),
        ('"tag:Cost Center"', {"i-0aaa"}),
        ('tag:"Cost Center=Seoul 1"', {"i-0aaa"}),
        ('"Cost Center"="Seoul 1"', {"i-0aaa"}),
        ("ping:online", {"i-0aaa", "mi-0ccc"}),
        ("ping:connectionlost", {"i-0bbb"}),
        ("ping:Lost", {"i-0bbb"}),  # as the list says it
        ("ping:on", set()),
        ("os:windows", {"i-0bbb"}),
        ("os:amazon", {"i-0aaa"}),
        ("az:2a", {"i-0aaa"}),
        ("ip:10.?.4.17", {"i-0bbb"}),
        ("vpc:vpc-0e1", {"i-0aaa"}),
        ("region:ap-northeast-2", {"i-0aaa", "i-0bbb", "mi-0ccc"}),
        ("access:shell", {"i-0aaa"}),
        ("access:forward", {"i-0aaa", "i-0bbb"}),
        ("access:denied", {"i-0bbb", "mi-0ccc"}),
        ("access:denied-remote", {"mi-0ccc"}),
        ("-access:denied-shell", {"i-0aaa"}),
        ("-access:shell env=dev", {"i-0bbb"}),
        ("web|결제", {"i-0aaa", "i-0bbb"}),
        ("'web-7'", {"i-0aaa"}),
        ('"web*"', set()),
        ("[web", set()),
        ('"-7"', {"i-0aaa"}),
        ("-'web-7'", {"i-0bbb", "mi-0ccc"}),
        ("we'b-'7", {"i-0aaa"}),
        ('"web 7"|"Seoul 1"', {"i-0aaa"}),
        ('"결제|web"', set()),
        ("w?b-7", {"i-0aaa"}),
        ("w?b", set()),
        ("*api*", {"i-0bbb"}),
        ("-w*7", {"i-0bbb", "mi-0ccc"}),
        ("team=w*|PAY", {"i-0aaa", "i-0bbb"}),
        ("-team=web|pay", {"mi-0ccc"}),
        ("owner=|me", {"i-0aaa", "i-0bbb", "mi-0ccc"}),
        ("aws:group:Name=x", set()),
        ("-aws:group:Name=x", {"i-0aaa", "i-0bbb", "mi-0ccc"}),
        ("tag:t*", {"i-0aaa", "i-0bbb"}),
        ("tag:env|owner", {"i-0aaa", "i-0bbb"}),
        ("TAG:ENV", {"i-0aaa", "i-0bbb"}),
        ("OS:Windows|linux", {"i-0aaa", "i-0bbb"}),
        ("ip:10.1.*|10.2.*", {"i-0aaa", "i-0bbb"}),
        ("name:web id:0a", {"i-0aaa"}),
        ("@mine", {"i-0bbb"}),
        ("@mine web", set()),
        ("@'two words'", {"i-0aaa"}),
        ('"@mine"', set()),
    ],
)
def test_matches(text: str, ids: set[str]) -> None:
    assert found(text) == ids


@pytest.mark.parametrize(
    ("text", "wrong", "says"),
    [
        ('env="prod', '"prod', "not closed"),
        ("it's", "'s", "not closed"),
        ("colour:red", "colour", "'colour' is not a field"),
        ("web colour:red", "colour", "write a tag as colour=red"),
        ('"a b" -colour:red', "colour", "not a field"),
        ("ping:", "", "ping: has no value"),
        ("=prod", "=prod", "name is missing"),
        ("web -", "-", "stands alone"),
        ("web|", "", "missing beside |"),
        ("web |api", "", "missing beside |"),
        ("tag:a||b", "", "missing beside |"),
        ("web @nobody", "@nobody", "saved are mine, two words, old"),
        ("@", "@", "stands alone"),
        ("web -@mine", "-@mine", "cannot be negated"),
        ("@old", "@old", "the saved filter old cannot be used here: 'engine' is not a field"),
    ],
)
def test_an_error_knows_its_place(text: str, wrong: str, says: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text, NODE_FIELDS, SAVED)
    error = raised.value
    assert text[error.column : error.end] == wrong
    if wrong:
        assert error.column == text.rindex(wrong)
    assert says in f"{error.message} {error.hint}"
    assert error.hint


@pytest.mark.parametrize(("text", "column"), [("ping:", 5), ("web|", 4), ("web |api", 4), ("tag:a||b", 6)])
def test_what_is_missing_has_a_place_too(text: str, column: int) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text, NODE_FIELDS)
    assert (raised.value.column, raised.value.end) == (column, column)


@pytest.mark.parametrize(
    ("text", "name"),
    [("@mine", "mine"), ("@'two words'", "two words"), (" team=pay  env=dev", "mine"), ("team=pay", ""), ("", ""),
     ("@mine web", ""), ("@nobody", ""), ('"@mine"', "")],
)  # fmt: skip
def test_a_saved_filter_has_a_name(text: str, name: str) -> None:
    assert saved_name(text, SAVED) == name


@pytest.mark.parametrize(("text", "named"), [("web @mine", True), ('"@mine"', False), ("a@mine", False), ("", False)])
def test_whether_a_saved_filter_is_named(text: str, named: bool) -> None:
    assert names_saved(text) is named


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("web @mine", "cannot stand for another"), ("@", "another"), (" ", "nothing to save"), ("nope:x", "not a field")],
)
def test_what_cannot_be_saved_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(FilterError, match=wrong):
        check_saved(text, NODE_FIELDS)
    check_saved('env=prod "@mine"', NODE_FIELDS)


def test_a_filter_without_a_field_finds_no_less() -> None:
    wanted = parse("web access:shell -access:remote", NODE_FIELDS)
    assert wanted.without("access").terms == parse("web", NODE_FIELDS).terms


@given(st.text(max_size=40))
def test_any_text_parses_or_says_where(text: str) -> None:
    column = end = 0
    try:
        wanted = parse(text, NODE_FIELDS)
        for subject in FLEET:
            wanted.matches(subject)
    except FilterError as error:
        column, end = error.column, error.end
    assert 0 <= column <= end <= len(text)


@given(st.text(max_size=20))
def test_what_is_put_in_quotes_means_itself(text: str) -> None:
    read = list(tokens(in_quotes(text)))
    assert "".join(token.text for token in read) == text
    assert all(all(token.quoted) for token in read)
    assert len(read) == 1


@given(st.text("ab |=:-@\"'", max_size=20))
def test_pieces_know_where_they_were_typed(text: str) -> None:
    for token in tokens(text):
        assert [text[place] for place in token.places[:-1]] == list(token.text)
        assert token.start < token.end <= len(text)
        assert "".join(part.text for part in token.alternatives()) == "".join(
            c for c, quoted in zip(token.text, token.quoted, strict=True) if c != "|" or quoted
        )


@given(st.text(st.characters(exclude_characters="\"'", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_quoted_tag_value_finds_exactly_its_node(value: str) -> None:
    wanted = parse(f'key="{value}"', NODE_FIELDS)
    has: Node = node(tags={"key": value})
    has_more = node(tags={"key": value + "x"})
    assert wanted.matches(has)
    assert not wanted.matches(has_more)


def _globbed(pattern: str, text: str) -> bool:
    """What a glob means, as plainly as it can be said."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return _globbed(pattern[1:], text) or (bool(text) and _globbed(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and _globbed(pattern[1:], text[1:])


@given(st.text("ab*?", max_size=7), st.text("ab", max_size=8))
def test_a_glob_finds_what_it_says(pattern: str, text: str) -> None:
    assume("*" in pattern or "?" in pattern)
    for scope in Scope:
        assert matches_text(pattern, scope, text) is _globbed(pattern, text)


@pytest.mark.parametrize("pattern", ["*" * 40 + "b", "*a" * 40 + "*b", "*?a" * 20 + "b"])
def test_many_stars_and_a_long_text_take_no_longer_than_others(pattern: str) -> None:
    """Each star once took as many times as long as the text has letters: these would not end."""
    for scope in Scope:
        assert not matches_text(pattern, scope, "a" * 256)
    assert parts_found(Filter((Term(Kind.TAG, "env", (pattern,)),)), Place(tag="env"), "a" * 256) == ()
