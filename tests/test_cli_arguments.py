"""The command line's grammar: options on either side of the subcommand, usage errors, and a quick --version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ssm_tui import __version__
from ssm_tui.cli import main
from ssm_tui.commands.arguments import parse
from ssm_tui.errors import UsageError
from tests.e2e.terminal import Terminal


def test_global_options_stand_on_either_side() -> None:
    options = parse(["-p", "a", "--region", "r1", "ls", "-p", "b", "--json", "--profile", "c"])
    assert (options.profile, options.region, options.command, options.json) == (["a", "b", "c"], ["r1"], "ls", True)
    for words in (["--demo", "--config", "x", "db"], ["db", "--demo", "--config", "x"]):
        assert (parse(words).demo, parse(words).config) == (True, Path("x"))


def test_two_runs_of_the_parser_do_not_share_lists() -> None:
    parse(["-p", "a", "ls"])
    assert parse(["ls"]).profile == []


def test_the_filter_of_the_interface_and_of_lists() -> None:
    assert parse(["-f", "env=prod"]).filter == "env=prod"
    assert parse(["ls", "-f", "env=dev"]).filter == "env=dev"
    assert parse(["ls"]).filter == ""


def test_what_follows_the_demo_is_its_command() -> None:
    options = parse(["demo", "--", "psql", "-c", "select 1", "--demo"])
    assert (options.command, options.words) == ("demo", ["--", "psql", "-c", "select 1", "--demo"])


@pytest.mark.parametrize("dashes", [["--"], []])
@pytest.mark.parametrize("theirs", [["psql", "-c", "select 1", "--demo"], ["sh", "--", "-h"], ["x", "--exec", "y"], []])
def test_what_follows_exec_is_another_programs(dashes: list[str], theirs: list[str]) -> None:
    options = parse(["tunnel", "orders", "--local-port", "5", "--exec", *dashes, *theirs])
    assert (options.name, options.local_port, options.demo, options.exec) == ("orders", 5, False, theirs)
    assert parse(["tunnel", "orders"]).exec is None


def test_exec_may_be_of_another_of_us_in_the_demo() -> None:
    words = ["ssm-tui", "tunnel", "orders", "--exec", "--", "psql"]
    assert parse(["demo", "--", *words]).words == ["--", *words]
    with pytest.raises(UsageError, match="unrecognized arguments: --exec"):
        parse(["ls", "--exec", "x"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "frobnicate"),
        (["ls", "--jso"], "--jso"),
        (["shell"], "TARGET"),
        (["forward", "web"], "PORT"),
        (["forward", "web", "0"], "'0' is not a port"),
        (["forward", "web", "65536"], "'65536' is not a port"),
        (["forward", "web", "http"], "'http' is not a port"),
        (["forward", "web", "٣"], "is not a port"),
        (["forward", "web", "80", "--local-port", "-1"], "--local-port"),
        (["tunnel"], "name one tunnel"),
        (["tunnel", "a", "--group", "b"], "name one tunnel"),
        (["tunnel", "--group", "b", "--show", "url"], "--show is for one tunnel"),
        (["tunnel", "a", "--width", "9"], "'9' is not a width"),
        (["tunnel", "a", "--bind", "eth0"], "'eth0' is not an address"),
        (["--demo", "tunnel", "a", "--detach"], "--demo ends with this command"),
        (["tunnels", "stop"], "--all"),
        (["tunnels", "stop", "a", "--all"], "--all"),
        (["ls", "-f", "colour:red"], "colour"),
        (["db", "-f", "tag:"], "tag"),
        (["ls", "-f", '"open'], "quote"),
    ],
)
def test_wrong_usage_is_two_lines_and_status_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    out, err = capsys.readouterr()
    message, hint = err.splitlines()
    assert out == ""
    assert message.startswith("ssm-tui: ")
    assert said in message
    assert hint.startswith("  ")


def test_usage_errors_name_the_command_to_ask_for_help() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["forward", "web"])
    assert caught.value.hint == "see: ssm-tui forward --help"


def test_the_interface_needs_a_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("", encoding="utf-8")
    assert main(["--config", str(tmp_path / "config.toml")]) == 2
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--version"], ["forward", "--help"], ["ls", "--wrong"]])
def test_nothing_heavy_is_loaded_for_it(words: list[str]) -> None:
    code = f"""
import json, sys
from ssm_tui.cli import main
try:
    main({words!r})
except SystemExit:
    pass
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(answer.stdout.splitlines()[-1]))
    assert "ssm_tui" in loaded
    assert not loaded & {"textual", "botocore", "boto3", "asyncio", "msgspec", "websockets", "moto"}


def test_version() -> None:
    answer = subprocess.run([sys.executable, "-m", "ssm_tui", "--version"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"ssm-tui {__version__}\n", "")


def test_a_demo_for_one_run_is_not_led_astray_by_the_users_own_settings(tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text('profiles = ["work"]\nregions = ["eu-west-1"]', encoding="utf-8")
    astray = {"AWS_PROFILE": "work", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SESSION_TOKEN": "t"}
    answer = subprocess.run(
        [sys.executable, "-m", "ssm_tui", "--demo", "--config", str(settings), "ls", "--json", "-f", "name:web-1"],
        env={**os.environ, **astray, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert {node["region"] for node in json.loads(answer.stdout)} == {"ap-northeast-2"}


def test_an_unknown_theme_is_named_before_the_screen_is_taken(tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text('theme = "pink"', encoding="utf-8")
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    with Terminal([sys.executable, "-m", "ssm_tui", "--config", str(settings)], environment, columns=160) as terminal:
        assert terminal.wait_end() == 2
        assert "theme = 'pink' is not allowed" in terminal.text
        assert "one of ssm-dark" in terminal.text
        assert b"\x1b[?1049h" not in terminal.raw


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_a_terminal_that_has_gone_does_not_change_the_status() -> None:
    import pty

    ours, theirs = pty.openpty()
    os.close(ours)
    try:
        ended = subprocess.run([sys.executable, "-m", "ssm_tui", "no-such"], stdout=theirs, stderr=theirs, check=False)
    finally:
        os.close(theirs)
    assert ended.returncode == 2


def test_ssh_commands() -> None:
    options = parse(["-p", "dev", "proxy", "web-1", "22", "--push-key", "id.pub", "--user", "ubuntu"])
    assert (options.command, options.target, options.port, options.profile) == ("proxy", "web-1", 22, ["dev"])
    assert (options.push_key, options.user) == (Path("id.pub"), "ubuntu")
    options = parse(["ssh-config", "-f", "env=prod", "--prefix", "aws-", "-r", "us-east-1"])
    assert (options.filter, options.prefix, options.user, options.push_key) == ("env=prod", "aws-", "", None)
    for wrong in (["proxy", "web-1"], ["proxy", "web-1", "0"], ["proxy", "web-1", "ssh"], ["ssh-config", "web-1"]):
        with pytest.raises(UsageError):
            parse(wrong)


@pytest.mark.parametrize("key", ["no-such-file", "private"])
def test_what_is_no_public_key_is_refused_before_anything_starts(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "private").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n")
    assert main(["proxy", "i-0a1b2c3d4e5f60718", "22", "--user", "me", "--push-key", str(tmp_path / key)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "c2VjcmV0" not in err
