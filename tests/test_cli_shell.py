"""`shell` as a program: what reaches the far shell, and what a refusal looks like with and without the AWS CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess

BARE = "/usr/bin:/bin"
# The dev group brings the AWS CLI; it stands beside this Python.
WITH_AWS_CLI = os.pathsep.join([str(Path(sys.executable).parent), BARE])


def shell(cloud: DemoProcess, home: Path, path: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`ssm-tui shell` to its end, with this on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "ssm_tui", "shell", *words],
        env={
            **os.environ,
            **cloud.environment,
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


def test_an_ambiguous_target_lists_the_candidates(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    answer = shell(demo_cloud, tmp_path, BARE, "pay-worker")
    message, hint = answer.stderr.splitlines()
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "any of 2" in message
    assert hint.count("(pay-worker)") == 2
