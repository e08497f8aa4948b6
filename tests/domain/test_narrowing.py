"""What AWS is asked for: never less than the filter finds, and within AWS's limits."""

from __future__ import annotations

import re
import string
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ssm_tui.domain.filters import parse
from ssm_tui.domain.matching import pieces
from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing, narrowing
from ssm_tui.domain.nodes import NODE_FIELDS, Node, Ping, Platform
from ssm_tui.domain.spellings import _unfolded, spellings
from ssm_tui.errors import FilterError
from tests.builders import node

if TYPE_CHECKING:
    from collections.abc import Callable


def narrowed(text: str) -> Narrowing:
    return narrowing(parse(text, NODE_FIELDS))


def asked(text: str) -> dict[str, tuple[str, ...]]:
    found = narrowed(text)
    return dict((*found.ec2, *found.ssm))


@pytest.mark.parametrize(
    "text",
    ["", "web", "-env=prod", "owner=", "env=*", "env=prod|", "name:web", "ip:10.1.*", "access:shell", "-ping:online",
     "ping:unmanaged", "ping:*", "ping:nonsense", "platform:windows", "platform:linux|windows", "state:terminated",
     "tag:*", "vpc:*", "vpc:ü", "id:i-0a", "role:app", "profile:dev"],
)  # fmt: skip
def test_what_aws_cannot_apply_is_not_sent(text: str) -> None:
    assert narrowed(text) == NOTHING_NARROWED
    assert not narrowed(text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("ping:online", {"PingStatus": ("Online",)}),
        ("PING:Online|ConnectionLost", {"PingStatus": ("Online", "ConnectionLost")}),
        ("ping:*lost", {"PingStatus": ("ConnectionLost",)}),
        ("ping:lost", {"PingStatus": ("ConnectionLost",)}),
        ("platform:linux", {"PlatformTypes": ("Linux",)}),
        ("state:stop*", {"instance-state-name": ("stopping", "stopped")}),
        ("vpc:0E1", {"vpc-id": ("*0e1*",)}),
        ("vpc:vpc-0e1*", {"vpc-id": ("vpc-0e1*",)}),
        ("az:2a|2c", {"availability-zone": ("*2a*", "*2c*")}),
        ("sg:sg-1 subnet:subnet-2", {"instance.group-id": ("*sg-1*",), "subnet-id": ("*subnet-2*",)}),
        ("team=결제", {"tag-value": ("결제",)}),
        ("no=1", {"tag-key": ("no", "nO", "No", "NO"), "tag-value": ("1",)}),
        ("tag:42", {"tag-key": ("42",)}),
        ('n=1 "n"="a*[1]\\"', {"tag-value": ("a??1??", "A??1??")}),
        ("vpc:a vpc:abc", {"vpc-id": ("*abc*",)}),
    ],
)
def test_what_is_sent(text: str, sent: dict[str, tuple[str, ...]]) -> None:
    assert asked(text).items() >= sent.items()


def test_a_tag_is_asked_for_in_every_case_of_its_letters() -> None:
    values = asked("env=prod")["tag-value"]
    assert {value.lower() for value in values} == {"prod"}
    assert len(values) == 16


@given(st.lists(st.text(string.ascii_lowercase + "ßſ*?", min_size=1, max_size=400), min_size=1, max_size=30))
def test_no_call_has_more_values_than_aws_allows(values: list[str]) -> None:
    found = narrowed(" ".join(f'k{at}="{value}"' for at, value in enumerate(values)) + " k=" + "|".join(values))
    assert sum(len(values) for _, values in found.ec2) < 200
    assert all(1 <= len(value) <= 255 for _, values in found.ec2 for value in values)
    assert len({name for name, _ in found.ec2}) == len(found.ec2)


def test_more_alternatives_than_fit_are_not_sent_at_all() -> None:
    assert "tag-value" not in asked("env=" + "|".join(f"v{number}" for number in range(300)))


def test_every_character_with_case_is_known() -> None:
    everything: dict[str, set[str]] = {}
    for char in map(chr, range(sys.maxunicode + 1)):
        if char.casefold() != char:
            everything.setdefault(char.casefold(), set()).add(char)
    assert {folded: set(chars) for folded, chars in _unfolded().items()} == everything


# An AWS that does what its documentation says: exact case, `*` any characters, `?` exactly one.

LETTERS = st.sampled_from("aeksStTfFiIlLßſKİﬆÅ1-. 한*?[\\")
WORDS = st.text(LETTERS, max_size=5)


def aws_finds(pattern: str, text: str) -> bool:
    signs = {"*": ".*", "?": "."}
    return re.fullmatch("".join(signs.get(c) or re.escape(c) for c in pattern), text, re.DOTALL) is not None


@given(WORDS, WORDS)
@example("ß", "sS")
@example("?ß", "1ß")
@example("s*", "\N{LATIN SMALL LIGATURE ST}")
@example("?", "ß")
def test_spellings_find_whatever_folds_to_the_same(pattern: str, text: str) -> None:
    wanted = parse(f'"k"={pattern.replace(" ", "x")}', NODE_FIELDS)
    if wanted.matches(node(tags={"k": text})):
        for most in (1, 7, 150):
            parts = pieces(wanted.terms[0].alternatives[0].casefold())
            found = spellings(parts, most)
            assert len(found) <= most
            assert any(aws_finds(each, text) for each in found)


EC2_VALUES: dict[str, Callable[[Node], tuple[str | None, ...]]] = {
    "vpc-id": lambda n: (n.vpc,),
    "subnet-id": lambda n: (n.subnet,),
    "availability-zone": lambda n: (n.az,),
    "instance.group-id": lambda n: n.security_groups,
    "instance-state-name": lambda n: (n.state,),
    "tag-key": lambda n: tuple(n.tags),
    "tag-value": lambda n: tuple(n.tags.values()),
}
SSM_VALUES: dict[str, Callable[[Node], tuple[str | None, ...]]] = {
    "PingStatus": lambda n: (n.ping.value,),
    "PlatformTypes": lambda n: ({"linux": "Linux", "macos": "MacOS", "windows": "Windows"}.get(n.platform or ""),),
}


def told_by_ec2(each: Node, asked_for: Narrowing) -> bool:
    return not each.hybrid and all(
        any(aws_finds(value, text) for value in values for text in EC2_VALUES[name](each) if text)
        for name, values in asked_for.ec2
    )


def told_by_ssm(each: Node, asked_for: Narrowing) -> bool:
    return each.managed and all(
        any(value == text for value in values for text in SSM_VALUES[name](each)) for name, values in asked_for.ssm
    )


def read(fleet: list[Node], asked_for: Narrowing, denied: str) -> list[Node]:
    """The fleet as it is read and joined, with one source denied or none: what a narrowed source does not tell is left
    out, where that source was not denied."""
    found = []
    for each in fleet:
        ec2 = denied != "ec2" and told_by_ec2(each, asked_for)
        ssm = denied != "ssm" and told_by_ssm(each, asked_for)
        if asked_for.ec2 and denied != "ec2" and not ec2 and not each.hybrid:
            continue
        if asked_for.ssm and denied != "ssm" and not ssm:
            continue
        if ec2 and ssm:
            found.append(each)
        elif ec2:
            ping = Ping.UNKNOWN if denied == "ssm" else Ping.UNMANAGED
            platform = each.platform if each.platform is Platform.WINDOWS else None
            found.append(replace(each, ping=ping, platform=platform))
        elif ssm:
            nothing = {} if not each.hybrid else each.tags
            found.append(replace(each, vpc=None, subnet=None, az=None, security_groups=(), tags=nothing))
    return found


NODES = st.builds(
    lambda number, hybrid, **facts: node(f"{'mi' if hybrid else 'i'}-{number:x}", **facts),
    number=st.integers(0, 99),
    hybrid=st.booleans(),
    ping=st.sampled_from([Ping.ONLINE, Ping.LOST, Ping.INACTIVE, Ping.UNMANAGED]),
    platform=st.sampled_from([None, *Platform]),
    state=st.sampled_from(["running", "stopped", "stopping", None]),
    vpc=st.sampled_from([None, "vpc-0e1", "vpc-0e2"]),
    az=st.sampled_from([None, "eu-west-1a", "eu-west-1b"]),
    security_groups=st.sampled_from([(), ("sg-1",), ("sg-1", "sg-2")]),
    tags=st.dictionaries(st.text(LETTERS, min_size=1, max_size=3), WORDS, max_size=3),
).filter(lambda each: not (each.hybrid and each.ping is Ping.UNMANAGED))
QUOTED = WORDS.map(lambda text: f'"{text}"')
TERMS = st.one_of(
    st.builds("{}{}={}".format, st.sampled_from(["", "-"]), st.text(LETTERS, min_size=1, max_size=3), WORDS | QUOTED),
    st.builds('tag:"{}"'.format, st.text(LETTERS, min_size=1, max_size=3)),
    st.sampled_from(["ping:online", "ping:*o*", "platform:linux|macos", "platform:windows", "state:running|stopped"]),
    st.sampled_from(["vpc:E1", "vpc:vpc-*", "az:1a", "az:*a", "sg:2", "sg:sg-1", "-vpc:0e1", "i-1", "ping:unmanaged"]),
)


@given(st.lists(NODES, max_size=8, unique_by=lambda n: n.id), st.lists(TERMS, min_size=1, max_size=3), st.data())
def test_with_or_without_it_the_result_is_the_same(fleet: list[Node], terms: list[str], data: st.DataObject) -> None:
    try:
        wanted = parse(" ".join(terms), NODE_FIELDS)
    except FilterError:
        return
    # Terms like those of the fleet's own tags are the ones that find something.
    tags = [f'"{k}"="{v}"' for each in fleet for k, v in each.tags.items() if '"' not in k + v]
    if tags:
        wanted = parse(f"{data.draw(st.sampled_from(tags)).swapcase()} {terms[0]}", NODE_FIELDS)
    for denied in ("", "ec2", "ssm"):
        whole = [each for each in read(fleet, NOTHING_NARROWED, denied) if wanted.matches(each)]
        assert [each for each in read(fleet, narrowing(wanted), denied) if wanted.matches(each)] == whole


@given(st.lists(NODES, max_size=8), st.sampled_from(["a=s*", "s=ss", "k=k", "ping:online vpc:0e1", "f=fi|ﬁ", "tag:st"]))
def test_what_matches_is_among_what_is_told(fleet: list[Node], text: str) -> None:
    wanted = parse(text, NODE_FIELDS)
    for each in fleet:
        if wanted.matches(each):
            assert each.hybrid or told_by_ec2(each, narrowing(wanted))
            assert not narrowing(wanted).ssm or told_by_ssm(each, narrowing(wanted))
