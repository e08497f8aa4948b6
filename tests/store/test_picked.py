"""What was picked while running, kept by how the program was started."""

from __future__ import annotations

from pathlib import Path

from ssm_tui.domain.accounts import AS_STARTED, Choice
from ssm_tui.store import picked
from ssm_tui.store.picked import LastPicked

CHOICE = Choice(("prod", None), ("all",))


def test_a_choice_holds_for_runs_that_are_started_alike(tmp_path: Path) -> None:
    assert LastPicked(tmp_path, "a").last() == AS_STARTED
    LastPicked(tmp_path, "a").keep(CHOICE)
    LastPicked(tmp_path, "b").keep(Choice(None, ("us-east-1",)))
    assert LastPicked(tmp_path, "a").last() == CHOICE
    assert LastPicked(tmp_path, "b").last() == Choice(None, ("us-east-1",))
    assert LastPicked(tmp_path, "c").last() == AS_STARTED


def test_taking_it_back_leaves_nothing(tmp_path: Path) -> None:
    LastPicked(tmp_path, "a").keep(CHOICE)
    LastPicked(tmp_path, "a").keep(AS_STARTED)
    assert LastPicked(tmp_path, "a").last() == AS_STARTED
    assert "prod" not in (tmp_path / "contexts.json").read_text()


def test_the_oldest_are_forgotten_first_and_a_broken_file_is_none(tmp_path: Path) -> None:
    for number in range(picked.MOST + 1):
        LastPicked(tmp_path, str(number)).keep(CHOICE)
    assert LastPicked(tmp_path, "0").last() == AS_STARTED
    assert LastPicked(tmp_path, "1").last() == CHOICE
    (tmp_path / "contexts.json").write_text('{"file": "ssm-tui contexts", "version": 1, "kept": {"1": 7}}')
    assert LastPicked(tmp_path, "1").last() == AS_STARTED
    LastPicked(tmp_path, "1").keep(CHOICE)
    assert LastPicked(tmp_path, "1").last() == CHOICE
