"""`shell` as a program: what reaches the far shell, and what a refusal looks like with and without the AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import administrator_of

BARE = "/usr/bin:/bin"
# The dev group brings the AWS CLI; it stands beside this Python.
WITH_AWS_CLI = os.pathsep.join([str(Path(sys.executable).parent), BARE])


def shell(cloud: DemoProcess, home: Path, path: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`ssm-tui shell` to its end, with this on its standard input."""
    return run(cloud, home, path, "shell", *words, typed=typed)


def run(
    cloud: DemoProcess, home: Path, path: str, *words: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """`ssm-tui` to its end, in the demo's environment with some of its variables otherwise."""
    return subprocess.run(
        [sys.executable, "-m", "ssm_tui", *words],
        env={
            **os.environ,
            **cloud.environment,
            **environment,
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "PATH": path,
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        cwd=home,
        input=typed,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize("path", [BARE, WITH_AWS_CLI], ids=["direct", "aws cli"])
def test_what_is_typed_reaches_the_far_shell(demo_cloud: DemoProcess, tmp_path: Path, path: str) -> None:
    answer = shell(demo_cloud, tmp_path, path, "web-1", "--reason", "a test", typed="echo $((6*7))-far\nexit\n")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "42-far" in answer.stdout


@pytest.mark.parametrize("path", [BARE, WITH_AWS_CLI], ids=["direct", "aws cli"])
def test_a_refusal_has_a_hint_and_our_status(demo_cloud: DemoProcess, tmp_path: Path, path: str) -> None:
    answer = shell(demo_cloud, tmp_path, path, "검색-index-1")
    assert answer.returncode == 1
    assert "ssm:StartSession" in answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("  ")
    assert "Traceback" not in answer.stderr


def test_what_a_refusal_taught_is_known_in_the_next_run(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    """By a caller whom IAM's simulation tells nothing."""
    with caller_of(demo_cloud, "ssm:Describe*", "ec2:Describe*", "ssm:ListTagsForResource") as keys:
        before = listed(demo_cloud, tmp_path, keys)
        assert before["access"]["shell"] == "unknown"
        answer = run(demo_cloud, tmp_path, BARE, "shell", "web-1", **keys)
        assert answer.returncode == 1
        after = listed(demo_cloud, tmp_path, keys)
    assert set(after["access"].values()) == {"denied"}
    assert "no identity-based policy allows the ssm:StartSession action" in after["access_reasons"]["shell"]


def listed(cloud: DemoProcess, home: Path, keys: Mapping[str, str]) -> dict[str, Any]:
    """The node web-1, as `ls` has it."""
    answer = run(cloud, home, BARE, "ls", "--json", "-f", "name:web-1", **keys)
    nodes = json.loads(answer.stdout)
    return next(node for node in nodes if node["name"] == "web-1")


@contextmanager
def caller_of(cloud: DemoProcess, *actions: str) -> Iterator[dict[str, str]]:
    """A user who may do this and nothing else, as what its environment says."""
    iam, name = administrator_of(cloud).client("iam"), f"user-{uuid.uuid4().hex[:8]}"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="Own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="Own")
        iam.delete_user(UserName=name)


def test_an_ambiguous_target_lists_the_candidates(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    answer = shell(demo_cloud, tmp_path, BARE, "pay-worker")
    message, hint = answer.stderr.splitlines()
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "any of 2" in message
    assert hint.count("(pay-worker)") == 2
