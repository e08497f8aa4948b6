"""The README says what the program does: keys, settings, command line, filter fields."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from ssm_tui.commands.arguments import parse
from ssm_tui.config import Settings
from ssm_tui.domain.connection import formats
from ssm_tui.domain.databases import DATABASE_FIELDS
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.actions import ACTIONS, Action
from ssm_tui.ui.themes import THEMES
from tests.builders import database

GLOBAL = {"--help", "--profile", "--region", "--demo", "--config"}
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_key(action: Action) -> None:
    assert f"| `{action.shown_keys}` | {action.label}: {action.help} |" in README


def test_every_setting() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert set(tomllib.loads(example)) == {field.name for field in fields(Settings)}
    assert ", ".join(theme.name for theme in THEMES) in example


COMMANDS = [
    "ls",
    "db",
    "access",
    "shell",
    "forward",
    "proxy",
    "ssh-config",
    "tunnel",
    "tunnels",
    "tunnels stop",
    "cache",
    "ca fetch",
    "demo",
]


def usages(command: str) -> str:
    """Every line of the README that shows how the command is called, without what it says of it."""
    lines = re.findall(rf"^    ssm-tui (?:\[GLOBAL\] )?{command} (?!stop).*", README, re.MULTILINE)
    return "\n".join(re.split(" {3,}", line.strip())[0] for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With all its options, each by one of its names, and none that it has not."""
    with pytest.raises(SystemExit):
        parse([*command.split(), "--help"])
    listed = re.findall(r"^  (--?[a-z].*?)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
    options = [set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)) for line in listed]
    shown = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", usages(command)))
    assert usages(command)
    assert shown <= set().union(*options)
    assert [names for names in options if not names & (shown | GLOBAL)] == []


def test_no_command_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    listed = re.findall(r"^    ([a-z-]+) ", capsys.readouterr().out, re.MULTILINE)
    assert set(listed) == {command.partition(" ")[0] for command in COMMANDS}


def test_every_state_of_a_tunnel() -> None:
    table = README.partition("| state | means |")[2].partition("\n\n")[0]
    rows = {state for cell in re.findall(r"^\| ([a-z, ]+) \|", table, re.MULTILINE) for state in cell.split(", ")}
    assert rows == {state.value for state in TunnelState}


def test_the_fields_it_shows_exist() -> None:
    before, _, rest = README.partition("\n## Databases\n")
    section, _, behind = rest.partition("\n## ")
    of_nodes, of_databases = (set(re.findall(r"`([a-z]+):[^`A-Z]+`", text)) for text in (before + behind, section))
    assert of_nodes - {"tag", "field"} <= set(NODE_FIELDS)
    assert of_databases <= {*DATABASE_FIELDS, "reachable"}
    assert min(len(of_nodes), len(of_databases)) > 3


def test_the_formats_of_connection_strings() -> None:
    table = README.partition("| of | formats of `--show` |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| [A-Z].*? \| (.*) \|$", table, re.MULTILINE)
    engines = ("postgres", "redshift", "mysql", "sqlserver-se", "oracle-ee", "docdb", "redis", "memcached", "neptune")
    wanted = [formats(database(engine=engine)) for engine in engines]
    assert listed == [", ".join(name for name in names if name != "address") for names in wanted]


def test_the_files_it_names_exist() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)|`((?:tests|ssm_tui)/[\w/.]+)`", README)
    assert named
    for picture, file in named:
        assert (Path(__file__).parents[1] / (picture or file)).exists()
