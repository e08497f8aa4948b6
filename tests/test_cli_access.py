"""`access` against the demo cloud: for people and for programs, whatever the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ssm_tui.cli import main
from tests.test_cli_listing import developer

__all__ = ["developer"]


def explained(capsys: pytest.CaptureFixture[str], target: str) -> dict[str, Any]:
    """The JSON, printed by a command that says nothing else."""
    assert main(["access", target, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_what_is_denied(developer: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(capsys, "검색-index-1")
    assert found["caller"]["arn"].endswith(":user/developer")
    assert found["caller"]["account_alias"] == "ssm-tui-demo"
    assert set(found["kinds"]) == {"shell", "forward", "remote", "ssh"}
    assert {each["verdict"] for each in found["kinds"].values()} == {"denied"}
    assert found["tags"]["team"] == "search"
    node = f"arn:aws:ec2:{found['region']}:123456789012:instance/{found['node']}"
    assert found["request"]["Statement"] == [{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": node}]
    assert found["kinds"]["shell"]["request"] == found["request"]
    assert found["requests"] == {"identity": found["request"], "boundary": None, "organization": None}


def test_what_is_allowed(developer: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(capsys, "web-1")
    assert {each["verdict"] for each in found["kinds"].values()} == {"allowed"}
    assert found["request"] is None
    assert found["obstacles"] == []


def test_a_database(developer: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(capsys, "orders")
    assert found["database"] == "orders"
    assert found["node"].startswith("i-")
    assert found["kinds"]["remote"]["verdict"] == "allowed"
    assert "shell" not in found["kinds"]


def test_for_people(developer: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "검색-index-1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("검색-index-1 (i-")
    assert "you         arn:aws:iam::123456789012:user/developer" in out
    assert "– shell     denied" in out
    asked_for = out.partition("To ask for, in a policy of yours\n")[2]
    assert json.loads(asked_for)["Version"] == "2012-10-17"


def test_an_unknown_node(developer: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "no-such-node"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 2
