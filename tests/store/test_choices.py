"""What was chosen about the list is there in the next run, and never in the way of one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.domain.choices import Choices
from ssm_tui.domain.listing import Arrangement, Sort
from ssm_tui.store.choices import KeptChoices

if TYPE_CHECKING:
    from pathlib import Path

CHOSEN = Choices(
    Arrangement(
        Sort("env", descending=True), "team", frozenset({"pay", ""}), frozenset({"i-1", "mi-2"}), unmanaged=True
    ),
    ("ip", "Cost Center", "결제"),
    {"prod": "env=prod ping:online"},
)


def test_choices_are_kept_from_run_to_run(tmp_path: Path) -> None:
    KeptChoices(tmp_path).change(lambda _: CHOSEN)
    assert KeptChoices(tmp_path).read() == CHOSEN
    assert (tmp_path / "choices.json").stat().st_mode & 0o777 == 0o600


def test_two_windows_keep_each_others_choices(tmp_path: Path) -> None:
    one, other = KeptChoices(tmp_path), KeptChoices(tmp_path)
    one.change(lambda kept: replace(kept, columns=("ip",)))
    other.change(lambda kept: replace(kept, filters={"prod": "env=prod"}))
    assert one.read() == Choices(columns=("ip",), filters={"prod": "env=prod"})


def test_what_is_not_ours_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "choices.json"
    for foreign in (b"", b"\xff", b"[]", b'{"file": "ssm-tui choices", "version": 1, "kept": {"columns": 7}}'):
        file.write_bytes(foreign)
        kept = KeptChoices(tmp_path)
        assert kept.read() == Choices()
        assert (tmp_path / "choices.json.broken").read_bytes() == foreign
        kept.change(lambda _: CHOSEN)
        assert kept.read() == CHOSEN


def test_what_a_later_version_adds_or_an_earlier_one_lacks_is_no_obstacle(tmp_path: Path) -> None:
    kept = b'{"arrangement": {"sort": {"by": "ip"}, "new": 1}, "newer": []}'
    (tmp_path / "choices.json").write_bytes(b'{"file": "ssm-tui choices", "version": 1, "kept": ' + kept + b"}")
    assert KeptChoices(tmp_path).read() == Choices(Arrangement(Sort("ip")))
