"""The details pane: what gives way when there is little room, and what does not when there is enough."""

from __future__ import annotations

import pytest

from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.details import Details, Fact, Finding
from ssm_tui.ui.widgets.details import lines

REASON = " ".join(f"reason{number}" for number in range(40))
COMMAND = "aws ssm start-session --target i-1 --parameters " + "x" * 90
DETAILS = Details(
    "orders",
    "rds",
    tuple(Fact(f"fact{number}", "value") for number in range(14)),
    (Finding("✓", Tone.GOOD, "relay", REASON),),
    COMMAND,
)


def shown(width: int, height: int) -> list[str]:
    return [line.plain for line in lines(DETAILS, width, height)]


@pytest.mark.parametrize("width", [50, 54, 116])
def test_reasons_and_commands_stand_in_full_where_there_is_room(width: int) -> None:
    text = " ".join(" ".join(shown(width, 45)).split())
    assert REASON in text
    assert COMMAND in text.replace("x x", "xx").replace("x x", "xx")
    assert "fact13" in text
    assert "…" not in text


@pytest.mark.parametrize(("width", "height"), [(116, 11), (78, 11), (50, 12), (36, 6)])
def test_in_little_room_something_of_everything_is_left(width: int, height: int) -> None:
    found = shown(width, height)
    assert len(found) <= height
    for part in ("orders", "fact0", "reason0", "$ aws ssm"):
        assert any(part in line for line in found), part
