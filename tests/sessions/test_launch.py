"""Which process holds a session, by what is on PATH and what the settings say."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from ssm_tui.domain import sessions
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.credentials import Secret
from ssm_tui.domain.just_in_time import TemporaryKeys
from ssm_tui.domain.services import Clouds, Grants
from ssm_tui.domain.sessions import SessionSpec, StartedSession
from ssm_tui.errors import PrerequisiteError
from ssm_tui.sessions import prerequisites
from ssm_tui.sessions.launch import TOKEN_VARIABLE, Launcher, plugin_command
from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice, Programs
from tests.builders import SEOUL, node

STARTED = StartedSession("dev-1", "wss://example/v1", "https://ssm.example", token="t0ken")
AUTO = (LauncherChoice.AUTO, PluginChoice.AUTO)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path: Path, name: str, says: str = "") -> str:
    file = path / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


def test_nothing_installed(path: Path) -> None:
    assert prerequisites.find(*AUTO) == Programs(None, None)


def test_what_is_on_path_is_used(path: Path) -> None:
    aws, plugin = program(path, "aws"), program(path, "session-manager-plugin")
    assert prerequisites.find(*AUTO) == Programs(aws, plugin)
    assert prerequisites.find(LauncherChoice.DIRECT, PluginChoice.OURS) == Programs(None, None)


@pytest.mark.parametrize("choice", [(LauncherChoice.AWS, PluginChoice.AUTO), (LauncherChoice.AUTO, PluginChoice.AWS)])
def test_insisting_on_what_is_missing(path: Path, choice: tuple[LauncherChoice, PluginChoice]) -> None:
    with pytest.raises(PrerequisiteError) as raised:
        prerequisites.find(*choice)
    assert "auto" in raised.value.hint


def spec() -> SessionSpec:
    return sessions.forward(SEOUL, "i-1", 5432, host="db")


def test_our_plugin_is_told_the_token_by_the_environment() -> None:
    command = plugin_command(spec(), STARTED, None)
    assert not any("t0ken" in word for word in command.argv)
    assert json.loads(command.environment[TOKEN_VARIABLE]) == {
        "SessionId": "dev-1",
        "TokenValue": "t0ken",
        "StreamUrl": "wss://example/v1",
    }
    assert "t0ken" not in repr(command)
    assert command.argv[-6:-3] == (TOKEN_VARIABLE, "ap-northeast-2", "StartSession")
    assert command.argv[-3] == "dev"
    assert json.loads(command.argv[-2])["Parameters"]["host"] == ["db"]
    assert command.argv[-1] == "https://ssm.example"


@pytest.mark.parametrize(("version", "hidden"), [("1.2.764.0", True), ("1.2.536.0", True), ("1.2.497.0", False)])
def test_aws_plugin_by_its_version(path: Path, version: str, hidden: bool) -> None:
    plugin = program(path, "session-manager-plugin", version)
    command = plugin_command(spec(), STARTED, plugin)
    assert any("t0ken" in word for word in command.argv) is not hidden


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PrerequisiteError, match="cannot be written"):
        prerequisites.plugin_on_path(tmp_path / "file" / "bin")


def test_a_path_on_which_the_plugin_is_ours(tmp_path: Path) -> None:
    folder = tmp_path / "it's private"
    found = prerequisites.plugin_on_path(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    environment = os.environ | {"PATH": found, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        ["session-manager-plugin", "--version"], env=environment, capture_output=True, text=True, check=True
    )
    assert tuple(map(int, answer.stdout.strip().split("."))) >= (1, 2, 764, 0)
    starter = folder / "session-manager-plugin"
    written = starter.stat().st_mtime_ns
    prerequisites.plugin_on_path(folder)
    assert starter.stat().st_mtime_ns == written


class OneCloud:
    """Starts what it is asked for, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[SessionSpec] = []

    def open(self, _context: object) -> OneCloud:
        return self

    def start_session(self, spec: SessionSpec) -> StartedSession:
        self.asked.append(spec)
        return STARTED


@pytest.mark.parametrize(("choice", "by_aws"), [(LauncherChoice.AUTO, False), (LauncherChoice.AWS, True)])
def test_a_shell_in_a_container_is_ours_unless_the_settings_insist(
    path: Path, tmp_path: Path, choice: LauncherChoice, by_aws: bool
) -> None:
    aws, cloud = program(path, "aws"), OneCloud()
    launcher = Launcher(cast("Clouds", cloud), choice, PluginChoice.OURS, tmp_path / "bin")
    wanted = sessions.shell_on(node("ecs:shop_t1_r1", name="api/app"))
    command = launcher.prepare(wanted)
    if by_aws:
        assert command.argv[:3] == (aws, "ecs", "execute-command")
        assert not cloud.asked
    else:
        assert cloud.asked == [wanted]
        assert json.loads(command.argv[-2]) == {"Target": "ecs:shop_t1_r1"}
        assert not any("t0ken" in word for word in command.argv)


class StartedByGrant:
    """Grants whose sessions all start; the other calls are none of a launcher's."""

    def __init__(self) -> None:
        self.specs: list[SessionSpec] = []

    def opened(self, _context: Context, keys: TemporaryKeys) -> StartedByGrant:
        assert keys is GRANTED
        return self

    def start_session(self, wanted: SessionSpec) -> StartedSession:
        self.specs.append(wanted)
        return STARTED


GRANTED = TemporaryKeys(Secret("ASIAKEY"), Secret("s3cret"), Secret("t0ken-of-aws"), datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize("with_aws", [False, True])
def test_granted_keys_are_in_the_childs_environment_alone(path: Path, tmp_path: Path, with_aws: bool) -> None:
    if with_aws:
        program(path, "aws")
        program(path, "session-manager-plugin", "1.2.700.0")
    grants = StartedByGrant()
    launcher = Launcher(cast("Clouds", None), *AUTO, tmp_path, cast("Grants", grants))
    wanted = sessions.shell(SEOUL, "i-1", reason="why not")
    command = launcher.prepare(wanted, GRANTED)
    assert len(grants.specs) == (0 if with_aws else 1)
    secrets = ("ASIAKEY", "s3cret", "t0ken-of-aws")
    assert not any(secret in word for secret in secrets for word in (*command.argv, repr(command)))
    assert command.environment["AWS_ACCESS_KEY_ID"] == "ASIAKEY"
    # A profile that is named to the AWS CLI or to the plugin stands before the environment's keys.
    assert SEOUL.profile not in command.argv
    assert command.environment.get("AWS_PROFILE") == SEOUL.profile
