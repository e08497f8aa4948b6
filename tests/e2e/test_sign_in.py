"""Signing in against the demo cloud's IAM Identity Center and its role with MFA, in a real terminal and without one."""

from __future__ import annotations

import json
import re
import stat
import sys
import urllib.parse
import urllib.request

import pytest

from ssm_tui.demo.callers import MFA_CODE
from ssm_tui.demo.runner import DemoProcess
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

SERIAL = "arn:aws:iam::123456789012:mfa/developers-phone"
WRONG = "654321"

# What the tests need of the AWS CLI of version 2, which pip does not have: its user says yes at once.
AWS_CLI = """
import sys, threading, urllib.parse, urllib.request
from ssm_tui.aws import sso
if sys.argv[1:] == ["--version"]:
    sys.exit(print("aws-cli/2.31.0 Python/3.13.7 Linux/6.8"))
assert sys.argv[1:] == ["sso", "login", "--profile", "demo-sso"], sys.argv
login = sso.begin(sso.source("demo-sso").sso)
form = urllib.parse.urlencode({"user_code": login.code.user_code, "decision": "allow"})
urllib.request.urlopen(login.code.uri, form.encode()).close()
assert login.wait(threading.Event())
print("Successfully logged into Start URL")
"""


def approve(terminal: Terminal) -> None:
    """Says yes in the browser, to what the screen shows."""
    screen = terminal.wait_for("and say yes if it shows the code")
    address = re.search(r"(http://127\.0\.0\.1:\d+/device)\?user_code=(\S+)", screen)
    assert address is not None, screen
    with urllib.request.urlopen(
        address[1], urllib.parse.urlencode({"user_code": address[2], "decision": "allow"}).encode()
    ) as page:
        assert "goes on by itself" in page.read().decode()


def test_rows_of_one_profile_are_there_while_another_signs_in_by_a_code_and_then_goes_on(laptop: Laptop) -> None:
    with laptop.terminal("-p", "developer", "-p", "demo-sso", columns=160) as terminal:
        screen = terminal.wait_for(lambda screen: "web-12" in screen and "i signs in" in screen)
        assert "demo-sso" in screen
        terminal.wait_for("✗ failed")
        terminal.wait_for("the sign-in of profile 'demo-sso' has expired or is missing")
        terminal.send("i")
        terminal.wait_for("sign in by a code, in a browser on any machine")
        terminal.send("y")
        approve(terminal)
        terminal.wait_for(lambda screen: screen.count("● fresh") == 2)
        assert "i signs in" not in terminal.text
        terminal.send("q")
        assert terminal.wait_end() == 0
        shown = bytes(terminal.raw).decode(errors="replace")
    (file,) = (laptop.home / ".aws" / "sso" / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = json.loads(file.read_text(encoding="utf-8"))
    assert not any(token[name] in shown for name in ("accessToken", "refreshToken", "clientSecret"))
    # The command line goes on with it, and so it does in the next run.
    answer = laptop.run("-p", "demo-sso", "ls", "--json", "-f", "web-1")
    assert answer.returncode == 0, answer.stderr
    assert {node["profile"] for node in json.loads(answer.stdout)} == {"demo-sso"}


def test_the_aws_cli_signs_in_in_the_same_terminal_where_it_can(laptop: Laptop, demo_cloud: DemoProcess) -> None:
    folder = laptop.home / "bin"
    folder.mkdir()
    (folder / "aws").write_text(f"#!/bin/sh\nexec {sys.executable} -c '{AWS_CLI}' \"$@\"\n", encoding="utf-8")
    (folder / "aws").chmod(0o755)
    equipped = make_laptop(demo_cloud.environment, laptop.home, f"{folder}:{BARE_PATH}")
    with equipped.terminal("-p", "demo-sso", columns=160) as terminal:
        terminal.wait_for("i signs in")
        terminal.send("i")
        # The command itself has the folder's whole path, and is wrapped anywhere in it.
        terminal.wait_for("y run it here; then they go on")
        terminal.send("y")
        terminal.wait_for("● fresh")
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert b"Successfully logged into Start URL" in terminal.raw


def test_a_sign_in_by_another_program_is_noticed(laptop: Laptop) -> None:
    with laptop.terminal("-p", "demo-sso", columns=160) as waiting, laptop.terminal("-p", "demo-sso") as other:
        for terminal in (waiting, other):
            terminal.wait_for("i signs in")
        other.send("i")
        other.wait_for("sign in by a code")
        other.send("y")
        approve(other)
        for terminal in (waiting, other):
            terminal.wait_for("● fresh")


def test_a_code_is_asked_for_once_for_two_regions_and_again_when_it_is_wrong(laptop: Laptop) -> None:
    regions = ("-r", "ap-northeast-2", "-r", "us-east-1")
    with laptop.terminal("-p", "demo-mfa", *regions, columns=160) as terminal:
        terminal.wait_for(SERIAL)
        terminal.send(WRONG, "enter")
        terminal.wait_for("MultiFactorAuthentication failed with invalid MFA one time pass code")
        terminal.send(MFA_CODE, "enter")
        terminal.wait_for(lambda screen: screen.count("● fresh") == 2)
        assert SERIAL not in terminal.text
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert not (laptop.home / ".aws").exists(), "what a code has bought is kept in memory alone"


def test_escape_leaves_the_context_without_and_i_asks_again(laptop: Laptop) -> None:
    with laptop.terminal("-p", "demo-mfa", columns=160) as terminal:
        terminal.wait_for(SERIAL)
        terminal.send("escape")
        terminal.wait_for("needs an MFA code")
        terminal.wait_for("i signs in")
        terminal.send("i")
        terminal.wait_for(SERIAL)
        terminal.send(MFA_CODE, "enter")
        terminal.wait_for("● fresh")


def test_leaving_while_the_question_is_open_hangs_nothing(laptop: Laptop) -> None:
    with laptop.terminal("-p", "demo-mfa") as terminal:
        terminal.wait_for(SERIAL)
        terminal.process.terminate()
        assert terminal.wait_end(15) in (143, -15)


def test_a_command_asks_on_its_terminal(laptop: Laptop) -> None:
    with laptop.terminal("-p", "demo-mfa", "-r", "ap-northeast-2", "-r", "us-east-1", "ls", "-f", "web-1") as terminal:
        terminal.wait_for(f"MFA code for demo-mfa, device {SERIAL}:")
        terminal.send("12x", "enter")
        terminal.wait_for("an MFA code has 6 digits; the code:")
        terminal.send(WRONG, "enter")
        terminal.wait_for("invalid MFA one time pass code.")
        terminal.send(MFA_CODE, "enter")
        assert terminal.wait_end() == 0
        assert terminal.text.count("MFA code for demo-mfa") == 2
        assert "web-1" in terminal.text


def test_ctrl_c_at_the_question_ends_a_command(laptop: Laptop) -> None:
    with laptop.terminal("-p", "demo-mfa", "ls") as terminal:
        terminal.wait_for("MFA code for demo-mfa")
        terminal.send("ctrl+c")
        assert terminal.wait_end() == 130
        assert "Traceback" not in terminal.text
        assert "Fatal" not in terminal.text


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("demo-mfa", "profile 'demo-mfa' needs an MFA code"),
        ("demo-sso", "the sign-in of profile 'demo-sso' has expired or is missing"),
    ],
)
def test_without_a_terminal_a_command_fails_in_a_line_and_a_hint(laptop: Laptop, profile: str, said: str) -> None:
    answer = laptop.run("-p", profile, "ls")
    assert (answer.returncode, answer.stdout) == (1, "")
    message, hint = answer.stderr.strip().splitlines()
    assert said in message
    assert f"--profile {profile}" in hint
