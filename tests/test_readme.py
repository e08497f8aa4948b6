"""The README says what the program does: keys, settings, command line, filter fields."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from ssm_tui.cli import parse
from ssm_tui.config import Settings
from ssm_tui.domain.connection import formats
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.ui.actions import ACTIONS, Action
from ssm_tui.ui.themes import THEMES
from tests.builders import database

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_key(action: Action) -> None:
    assert f"| `{action.shown_keys}` | {action.label}: {action.help} |" in README


def test_every_setting() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert set(tomllib.loads(example)) == {field.name for field in fields(Settings)}
    assert ", ".join(theme.name for theme in THEMES) in example


@pytest.mark.parametrize("command", ["ls", "db", "shell", "forward", "proxy", "ssh-config", "tunnel", "demo"])
def test_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(rf"^    ssm-tui (\[GLOBAL\] )?{command}\b", README, re.MULTILINE)
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    said = capsys.readouterr().out
    usage = next(line for line in README.splitlines() if re.match(rf"    ssm-tui (\[GLOBAL\] )?{command}\b", line))
    assert all(option in said for option in re.findall(r"--[a-z-]+", usage))


def test_the_fields_it_shows_exist() -> None:
    shown = set(re.findall(r"`([a-z]+):[^`]+`", README))
    assert shown - {"tag", "field"} <= set(NODE_FIELDS)
    assert len(shown) > 3


def test_the_formats_of_connection_strings() -> None:
    (listed,) = re.findall(r"Formats of `--show`: (.*?)\.\n", README, re.DOTALL)
    for engine in ("postgres", "mysql", "redis"):
        assert ", ".join(formats(database(engine=engine))) in " ".join(listed.split())


def test_the_files_it_names_exist() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)|`((?:tests|ssm_tui)/[\w/.]+)`", README)
    assert named
    for picture, file in named:
        assert (Path(__file__).parents[1] / (picture or file)).exists()
