"""`-r all` and account aliases on the command line, against the demo cloud."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssm_tui.cli import main
from ssm_tui.config import load
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.errors import ConfigError
from tests.aws.conftest import Administrator, allow

ENABLED = ("ap-northeast-2", "eu-west-1", "us-east-1")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that has enabled three regions: the demo's has them all, and reading thirty takes its time."""
    monkeypatch.setattr("ssm_tui.aws.regions.enabled", lambda _gateway: frozenset(ENABLED))


@pytest.fixture
def admin(demo_cloud: DemoProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Administrator]:
    """The demo's administrator, and this process's environment for its profiles."""
    administrator = Administrator(demo_cloud.environment, tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in administrator.variables().items():
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield administrator
    administrator.clear()


LISTING = ("ssm:DescribeInstanceProperties", "ec2:DescribeInstances", "iam:ListAccountAliases", "ec2:DescribeRegions")


def test_all_regions_are_those_that_are_enabled(
    admin: Administrator, few: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    profile = admin.profile(allow(*LISTING))
    main(["-p", profile, "-r", "all", "ls", "--json"])
    by_option = json.loads(capsys.readouterr().out)
    assert {node["region"] for node in by_option} == {"ap-northeast-2", "us-east-1"}
    assert {node["account_alias"] for node in by_option} == {"ssm-tui-demo"}
    settings = tmp_path / "settings.toml"
    settings.write_text(f'profiles = ["{profile}"]\nregions = ["all"]\n', encoding="utf-8")
    main(["--config", str(settings), "ls", "--json"])
    assert json.loads(capsys.readouterr().out) == by_option


def test_an_alias_that_may_not_be_read_is_null(admin: Administrator, capsys: pytest.CaptureFixture[str]) -> None:
    profile = admin.profile(allow("ssm:DescribeInstanceProperties", "ec2:DescribeInstances"))
    main(["-p", profile, "-r", "us-east-1", "ls", "--json"])
    out, err = capsys.readouterr()
    assert {node["account_alias"] for node in json.loads(out)} == {None}
    assert "Alias" not in err


def test_regions_that_are_not_enabled_are_a_note_where_nobody_named_them(
    admin: Administrator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("ap-northeast-2", "xx-new-1", "xx-new-2")
    monkeypatch.setattr("ssm_tui.aws.regions.enabled", lambda _gateway: frozenset(names))
    profile = admin.profile(allow(*LISTING, "ssm:ListTagsForResource", "ecs:*"))
    assert main(["-p", profile, "-r", "all", "ls", "--json"]) == 0
    out, err = capsys.readouterr()
    assert {node["region"] for node in json.loads(out)} == {"ap-northeast-2"}
    assert "regions that the account has not enabled were left out: xx-new-1, xx-new-2" in err
    assert "ssm-tui: the account" not in err
    assert main(["-p", profile, "-r", "ap-northeast-2", "-r", "xx-new-1", "ls", "--json"]) == 1
    assert "has not enabled the region xx-new-1" in capsys.readouterr().err


def test_all_is_a_region_in_the_settings_and_not_in_a_saved_tunnel(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('regions = ["all"]', encoding="utf-8")
    assert load(file).regions == ("all",)
    file.write_text('[tunnels.x]\ntarget = "i-1"\nport = 1\nregion = "all"\n', encoding="utf-8")
    with pytest.raises(ConfigError):
        load(file)
