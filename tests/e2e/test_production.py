"""Production on the command line, against the demo cloud: a person is asked, a program must say --yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Laptop, own_port

pytestmark = pytest.mark.e2e


@pytest.fixture
def settings(tmp_path: Path) -> str:
    file = tmp_path / "settings.toml"
    file.write_text('production = "env=prod"\n', encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("words", [("shell", "결제-api-1"), ("forward", "결제-api-1", "7"), ("tunnel", "orders")])
def test_where_nobody_can_be_asked_nothing_starts(laptop: Laptop, settings: str, words: tuple[str, ...]) -> None:
    answer = laptop.run("--config", settings, *words)
    message, hint = answer.stderr.splitlines()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "is production (env=prod)" in message
    assert "--yes" in hint


def test_yes_goes_on_without_a_question(laptop: Laptop, settings: str) -> None:
    with laptop.ready("--config", settings, "tunnel", "orders", "--yes", "--local-port", own_port()) as (process, _):
        assert process.poll() is None


def test_a_person_is_asked(laptop: Laptop, settings: str) -> None:
    with laptop.terminal("--config", settings, "shell", "결제-api-1") as terminal:
        terminal.wait_for("is production (env=prod). Go on? [y/N]")
        terminal.send("enter")
        terminal.wait_for("nothing was started")
        assert terminal.wait_end() == 1
    with laptop.terminal("--config", settings, "shell", "결제-api-1") as terminal:
        terminal.wait_for("Go on? [y/N]")
        terminal.send("y", "enter")
        terminal.wait_for("~]$")
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0
