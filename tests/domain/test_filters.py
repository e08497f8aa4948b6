"""The filter language, from text to matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.access import Access
from ssm_tui.domain.filters import parse
from ssm_tui.domain.nodes import NODE_FIELDS, Node, Ping, Platform
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
    access=Access(shell=NO, forward=YES, remote=YES),
)
BARE = node("mi-0ccc", tags={}, access=Access(shell=NO, forward=NO, remote=NO))
FLEET = (WEB, PAY, BARE)


def found(text: str) -> set[str]:
    wanted = parse(text, NODE_FIELDS)
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
        ("-access:shell env=dev", {"i-0bbb"}),
        ("web|결제", {"i-0aaa", "i-0bbb"}),
        ("'web-7'", {"i-0aaa"}),
        ('"web*"', set()),
    ],
)
def test_matches(text: str, ids: set[str]) -> None:
    assert found(text) == ids


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('env="prod', 4),
        ("colour:red", 0),
        ("web colour:red", 4),
        ("ping:", 5),
        ("=prod", 0),
        ("web -", 4),
    ],
)
def test_an_error_knows_its_place(text: str, column: int) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text, NODE_FIELDS)
    assert raised.value.column == column
    assert raised.value.hint


@given(st.text(max_size=40))
def test_any_text_parses_or_says_where(text: str) -> None:
    column = 0
    try:
        wanted = parse(text, NODE_FIELDS)
        for subject in FLEET:
            wanted.matches(subject)
    except FilterError as error:
        column = error.column
    assert 0 <= column <= len(text)


@given(st.text(st.characters(exclude_characters="\"'", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_quoted_tag_value_finds_exactly_its_node(value: str) -> None:
    wanted = parse(f'key="{value}"', NODE_FIELDS)
    has: Node = node(tags={"key": value})
    has_more = node(tags={"key": value + "x"})
    assert wanted.matches(has)
    assert not wanted.matches(has_more)
