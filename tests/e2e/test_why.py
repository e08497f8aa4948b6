"""From a denied row to a shell on it: why, the request copied out of a real terminal, attached, entered."""

from __future__ import annotations

import base64
import json
import re

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import administrator_of
from tests.e2e.conftest import Laptop
from tests.e2e.terminal import Terminal
from tests.e2e.test_tui import PROMPT, filtered, listed

pytestmark = pytest.mark.e2e

NODE = "검색-index-2"


def copied(terminal: Terminal) -> str:
    """What was copied last by OSC 52."""
    (*_, last) = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)", bytes(terminal.raw))
    return base64.b64decode(last).decode()


def test_what_is_copied_of_a_denied_node_opens_it(laptop: Laptop, demo_cloud: DemoProcess) -> None:
    with laptop.terminal() as terminal:
        listed(terminal)
        filtered(terminal, NODE, "Nodes 1/")
        terminal.send("w")
        terminal.wait_for("What stands in the way")
        terminal.send("s", "y")
        terminal.wait_for("request copied")
        request = json.loads(copied(terminal))
        terminal.send("q")
        terminal.wait_for(lambda screen: "Why ·" not in screen)
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert len(request["Statement"]) == 1
    assert laptop.run("shell", NODE).returncode == 1
    iam = administrator_of(demo_cloud).client("iam")
    iam.put_user_policy(UserName="developer", PolicyName="AskedFor", PolicyDocument=json.dumps(request))
    try:
        with laptop.terminal("shell", NODE) as terminal:
            terminal.wait_for(PROMPT)
            terminal.send("exit", "enter")
            assert terminal.wait_end() == 0
        explained = json.loads(laptop.run("access", NODE, "--json").stdout)
    finally:
        iam.delete_user_policy(UserName="developer", PolicyName="AskedFor")
    assert explained["kinds"]["shell"]["verdict"] == "allowed"
    assert {each["policy"] for each in explained["kinds"]["shell"]["policies"]} == {"AskedFor"}
