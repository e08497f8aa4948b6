"""`ssm-tui cache clear`: one command, and nothing is left."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ssm_tui.cli import main
from ssm_tui.commands.arguments import parse
from ssm_tui.commands.program import Program
from ssm_tui.config import load, paths
from ssm_tui.domain.snapshots import Snapshot
from tests.builders import SEOUL, node


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_it_removes_what_the_interface_has_kept(capsys: pytest.CaptureFixture[str]) -> None:
    memory = Program(load()).memory
    assert memory is not None
    memory.keep(Snapshot(SEOUL, "123456789012", datetime.now(UTC), (node(),)))
    memory.found((SEOUL,))
    assert paths().rows.is_dir()
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr() == ("", "ssm-tui: removed the rows of 1 context\n")
    assert not paths().rows.exists()
    assert next(memory.recall(SEOUL), None) is None
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().err == "ssm-tui: there were no rows to remove\n"


def test_what_cannot_be_removed_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    (paths().rows / "somebodys").mkdir(parents=True)
    assert main(["cache", "clear"]) == 1
    message, hint = capsys.readouterr().err.splitlines()
    assert "cannot be removed" in message
    assert hint.startswith("  ")


def test_another_word_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "fill"]) == 2
    assert "fill" in capsys.readouterr().err
    assert parse(["-p", "a", "cache", "-r", "b", "clear"]).region == ["b"]


def test_a_demo_cloud_that_ends_with_the_run_is_not_remembered() -> None:
    assert Program(load(), remember=False).memory is None
