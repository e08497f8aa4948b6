"""Just-in-time access end to end on the demo cloud: asked for, approved, a real shell; and the keys are nowhere."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ssm_tui.demo.order_client import OrderClient
from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import Caller, administrator_of
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

NODE = "검색-index-1"  # the role may not enter it
ROLE = "on-call"
WITH_AWS_CLI = os.pathsep.join([str(Path(sys.executable).parent), BARE_PATH])
# Keys of sessions, and how the demo's session tokens begin.
KEYS = re.compile(rb"ASIA[A-Z0-9]{12,}|FQoGZXIvYXdzE")


class Approver:
    """Decides on the request for the node, once there is one."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.orders = OrderClient(environment, command="a test")
        self._known = {each["AccessRequestId"] for each in self._listed()}

    def _listed(self) -> list[dict[str, str]]:
        listed: list[dict[str, str]] = self.orders.call("ListAccessRequests", {})["AccessRequests"]
        return listed

    def decide(self, decision: str) -> dict[str, str]:
        """The request that has come since."""
        (asked,) = (each for each in self._listed() if each["AccessRequestId"] not in self._known)
        self._known.add(asked["AccessRequestId"])
        self.orders.call("DecideAccessRequest", {"AccessRequestId": asked["AccessRequestId"], "Decision": decision})
        return asked


@pytest.fixture
def approver(demo_cloud: DemoProcess) -> Iterator[Approver]:
    found = Approver(demo_cloud.environment)
    yield found
    found.orders.call("SwitchNodeAccess", {"Enabled": True})


@pytest.fixture
def role_keys(demo_cloud: DemoProcess) -> Iterator[dict[str, str]]:
    """The environment of a session of a role that may list, and ask for what it may not enter."""
    administrator = administrator_of(demo_cloud)
    role = _make_role(administrator)
    keys = administrator.client("sts").assume_role(RoleArn=role, RoleSessionName="ann")["Credentials"]
    token = keys["SessionToken"]
    yield {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": token,
        "AWS_SECURITY_TOKEN": token,
    }
    administrator.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="own")
    administrator.client("iam").delete_role(RoleName=ROLE)


def _make_role(administrator: Caller) -> str:
    iam = administrator.client("iam")
    reading = ["ssm:Describe*", "ssm:ListTagsForResource", "ec2:Describe*", "ecs:List*", "ecs:Describe*", "iam:*"]
    asking = ["ssm:StartAccessRequest", "ssm:GetAccessToken"]
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_document(trust))
    own = _document({"Effect": "Allow", "Action": [*reading, *asking], "Resource": "*"})
    iam.put_role_policy(RoleName=ROLE, PolicyName="own", PolicyDocument=own)
    return str(made["Role"]["Arn"])


def _document(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def on_call(laptop: Laptop, role_keys: dict[str, str]) -> Laptop:
    """The laptop in the role's session."""
    return replace(laptop, environment={**laptop.environment, **role_keys})


@pytest.fixture(params=[BARE_PATH, WITH_AWS_CLI], ids=["direct", "aws cli"])
def either(
    request: pytest.FixtureRequest, demo_cloud: DemoProcess, tmp_path: Path, role_keys: dict[str, str]
) -> Laptop:
    """The same with and without the AWS CLI."""
    return make_laptop({**demo_cloud.environment, **role_keys}, tmp_path, request.param)


def assert_keys_are_nowhere(laptop: Laptop, terminal: Terminal) -> None:
    """Not on the screen, in no file of the home folder, in no command line of this machine."""
    assert not KEYS.search(terminal.raw)
    for path in laptop.home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert not KEYS.search(path.read_bytes()), path
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert not KEYS.search(process.read_bytes()), process
        except OSError:  # it has ended
            continue


def test_a_shell_on_the_command_line_waits_for_its_approval(either: Laptop, approver: Approver) -> None:
    with either.terminal("shell", NODE, "--request", "the disk is full") as terminal:
        terminal.wait_for("waits for an approval")
        assert approver.decide("Approved")["Reason"] == "the disk is full"
        terminal.wait_for("~]$")
        terminal.send("echo $((6*7))-far", "enter")
        terminal.wait_for("42-far")
        assert_keys_are_nowhere(either, terminal)
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0
        assert_keys_are_nowhere(either, terminal)


def test_a_rejection_ends_the_command(on_call: Laptop, approver: Approver) -> None:
    with on_call.terminal("shell", NODE, "--request", "curiosity") as terminal:
        terminal.wait_for("waits for an approval")
        approver.decide("Rejected")
        assert terminal.wait_end() == 1
        assert "was rejected" in terminal.text


def test_waiting_is_left_and_taken_up_again(on_call: Laptop, approver: Approver) -> None:
    with on_call.terminal("shell", NODE, "--request", "later") as terminal:
        terminal.wait_for("waits for an approval")
        terminal.send("ctrl+c")
        assert terminal.wait_end() == 130
        assert "go on with: --request oi-" in terminal.text
    request = approver.decide("Approved")["AccessRequestId"]
    with on_call.terminal("shell", NODE, "--request", request) as terminal:
        terminal.wait_for("~]$")
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0


def test_where_it_is_not_set_up_the_command_says_so(on_call: Laptop, approver: Approver) -> None:
    approver.orders.call("SwitchNodeAccess", {"Enabled": False})
    answer = on_call.run("shell", NODE, "--request", "hope")
    assert answer.returncode == 1
    message, hint = answer.stderr.splitlines()
    assert "just-in-time node access is not set up in this account and region" in message
    assert hint.startswith("  ")


def test_a_user_is_told_that_roles_alone_may_ask(laptop: Laptop) -> None:
    answer = laptop.run("shell", NODE, "--request", "hope")
    assert answer.returncode == 1
    assert "sessions of roles" in answer.stderr


def test_from_the_list_to_the_shell_and_back(on_call: Laptop, approver: Approver) -> None:
    with on_call.terminal() as terminal:
        terminal.wait_for("web-5")
        terminal.send("/", NODE, "enter")
        terminal.wait_for("Nodes 1/")
        terminal.send("A")
        terminal.wait_for("Why do you need a shell")
        terminal.send("the disk is full", "enter")
        terminal.wait_for("waits for an approval")
        request = approver.decide("Approved")["AccessRequestId"]
        terminal.wait_for("~]$")
        terminal.send("echo $((6*7))-far", "enter")
        terminal.wait_for("42-far")
        assert_keys_are_nowhere(on_call, terminal)
        terminal.send("exit", "enter")
        terminal.wait_for("granted just in time")
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert_keys_are_nowhere(on_call, terminal)
        assert request.startswith("oi-")


def test_the_approvers_command(laptop: Laptop, on_call: Laptop, approver: Approver) -> None:
    with on_call.terminal("shell", NODE, "--request", "by command") as terminal:
        terminal.wait_for("waits for an approval")
        listed = [line.split("\t") for line in laptop.run("demo", "access", "list").stdout.splitlines()]
        (request,) = [words[0] for words in listed if words[-1] == "by command"]
        approved = laptop.run("demo", "access", "approve", request)
        assert (approved.returncode, approved.stdout) == (0, f"{request}\tApproved\n"), approved.stderr
        terminal.wait_for("~]$")
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0
    assert laptop.run("demo", "access", "reject", "oi-1").returncode == 1
