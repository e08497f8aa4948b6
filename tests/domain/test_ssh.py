"""What ssh itself makes of the configuration: whatever the nodes are called, each entry leads to its node."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.nodes import Node, Ping, Platform
from ssm_tui.domain.ssh import Entry, Means, any_node, checked_public_key, checked_user, entries
from ssm_tui.errors import UsageError
from tests.builders import HOSTILE, SEOUL, node

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDJ7mC1vY2tlZCBrZXkgb2Ygbm9ib2R5IGF0IGFsbCE= me@laptop"
NAMES = st.text(max_size=30) | st.text(st.sampled_from("ab-가🚀 #=%,*?!\\'\"$`;&|<>(){}[]@:/~^\n\r\t\x00"), max_size=8)


def ask(config: str, *hosts: str) -> list[dict[str, str]]:
    """What `ssh -G HOST` says of each, by keyword."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "config")
        file.write_text(config, encoding="utf-8")
        found = []
        for host in hosts:
            answer = subprocess.run(["ssh", "-F", str(file), "-G", host], capture_output=True, text=True, check=False)
            assert answer.returncode == 0, answer.stderr
            found.append(dict(line.partition(" ")[::2] for line in answer.stdout.splitlines()))
        return found


def text(found: Sequence[Entry]) -> str:
    return "\n".join(line for entry in found for line in entry.lines()) + "\n"


def numbered(names: Sequence[str]) -> list[Node]:
    return [node(f"i-{number:017x}", name=name) for number, name in enumerate(names)]


@settings(max_examples=60, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6))
def test_every_entry_leads_to_its_node_whatever_the_names(names: list[str]) -> None:
    nodes = numbered(names)
    found, left_out = entries(nodes, Means())
    config = text([*found, any_node(("--region", "us-east-1"), Means())])
    asked = [(pattern, each.patterns[-1]) for each in found for pattern in each.patterns]
    for (pattern, id_), answer in zip(asked, ask(config, *(pattern for pattern, _ in asked)), strict=True):
        assert answer["hostname"] == answer["hostkeyalias"] == id_, pattern
        assert answer["proxycommand"] == "ssm-tui proxy %h %p --profile dev --region ap-northeast-2"
    # Every node is there by its id, and by its name or with the reason why not.
    assert [each.patterns[-1] for each in found] == [each.id for each in nodes]
    for each, entry in zip(nodes, found, strict=True):
        assert not each.name or entry.patterns[0] == each.name or each in [out.node for out in left_out]


def test_usual_names_are_carried() -> None:
    names = ["web-1", "결제-api-1", "🚀-deploy", "ip-10-1-4-17.ap-northeast-2.compute.internal", "a#b", "a=b", "50%"]
    found, left_out = entries(numbered(names), Means())
    assert not left_out
    assert [answer["hostname"] for answer in ask(text(found), *names)] == [each.patterns[-1] for each in found]


@pytest.mark.parametrize(
    "name",
    [HOSTILE, "a b", "-oProxyCommand=x", "*", "!web", "a;b", "$(id)", "a@b", "a:b", "a/b", "x\nHost *", "é" * 200],
)
def test_names_that_ssh_cannot_carry_are_left_out(name: str) -> None:
    found, left_out = entries(numbered([name]), Means())
    assert [each.patterns for each in found] == [("i-" + "0" * 17,)]
    assert [each.node.name for each in left_out] == [name]


def test_a_name_stands_for_one_node_alone() -> None:
    nodes = numbered(["web", "web", "i-00000000000000000", "db"])
    found, left_out = entries(nodes, Means())
    assert [each.patterns[0] for each in found] == [nodes[0].id, nodes[1].id, nodes[2].id, "db"]
    assert [each.node for each in left_out] == nodes[:3]


def test_windows_and_unmanaged_nodes_have_no_entry() -> None:
    others = [node("i-1", platform=Platform.WINDOWS), node("i-2", ping=Ping.UNMANAGED), node("i-3", ping=Ping.LOST)]
    assert [each.patterns for each in entries(others, Means())[0]] == [("i-3",)]


def test_user_key_prefix_and_program() -> None:
    means = Means((sys.executable, "-m", "ssm_tui"), "ec2-user", "/keys/my key 50%.pub", "aws-")
    found, _ = entries([node(name="web-1")], means)
    (answer, other) = ask(text([*found, any_node((), means)]), "aws-web-1", "mi-0a1b2c3d4e5f60718")
    assert answer["user"] == other["user"] == "ec2-user"
    words = shlex.split(answer["proxycommand"])
    assert words[:6] == [sys.executable, "-m", "ssm_tui", "proxy", "%h", "%p"]
    assert words[6:10] == ["--profile", "dev", "--region", "ap-northeast-2"]
    assert words[10:] == ["--push-key", "/keys/my key 50%%.pub", "--user", "%r"]
    assert other["hostname"] == "mi-0a1b2c3d4e5f60718"


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=12))
def test_a_profile_reaches_the_shell_as_it_is_or_is_refused(profile: str) -> None:
    try:
        found, _ = entries([node(context=Context(profile, SEOUL.region))], Means())
    except UsageError:
        return
    (answer,) = ask(text(found), "i-0a1b2c3d4e5f60718")
    assert shlex.split(answer["proxycommand"].replace("%%", "%"))[5] == profile


def test_a_user_is_a_name() -> None:
    assert checked_user("ec2-user") == "ec2-user"
    for user in ("", "-l", "a b", "a;b", "%r", "root\nHost *"):
        with pytest.raises(UsageError):
            checked_user(user)


def test_only_a_public_key_is_one() -> None:
    assert checked_public_key(f"{KEY}\n", "id.pub") == KEY
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n"
    for wrong in ("", "hello", private, f"{KEY}\n{KEY}\n"):
        with pytest.raises(UsageError) as refused:
            checked_public_key(wrong, "id.pub")
        assert "c2VjcmV0" not in refused.value.message + refused.value.hint
