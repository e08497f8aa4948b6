"""Foreign text in cells: harmless, and exactly as wide as it is asked to be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ssm_tui.ui.presentation.cells import Column, Tone, arrange, fitted, natural_widths, shortened, width_of
from ssm_tui.ui.presentation.nodes import Look, default_columns, node_columns
from ssm_tui.ui.presentation.text import Cut, cut, fit, visible, wrapped
from tests.ui.fakes import HOSTILE, NOW
from tests.ui.fleet import NODES

# Letters of every width, and all that means trouble: controls, joiners, directions, combining marks, markup.
TEXTS = st.text(st.characters() | st.sampled_from("[]/결제🚀👩\u200d💻\ufe0f\u0301\u202e\x1b\x07\x9b\n\t"))
CUTS = st.sampled_from(Cut)


@given(TEXTS)
def test_nothing_a_terminal_acts_on_is_left(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")]
    assert visible(shown) == shown


@given(TEXTS, st.integers(0, 40), CUTS)
def test_cut_text_fits_and_fitted_text_fills(text: str, width: int, where: Cut) -> None:
    shown = visible(text)
    assert cell_len(cut(shown, width, where)) <= width
    assert cell_len(fit(shown, width, where)) == width


@given(TEXTS, CUTS)
def test_text_that_fits_is_left_alone(text: str, where: Cut) -> None:
    shown = visible(text)
    assert cut(shown, cell_len(shown), where) == shown


@given(st.lists(st.tuples(TEXTS.map(visible), st.sampled_from(Tone)), max_size=4), st.integers(1, 40), CUTS)
def test_a_cell_fills_its_column(pieces: list[tuple[str, Tone]], width: int, where: Cut) -> None:
    assert width_of(fitted(tuple(pieces), width, where)) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("i-0a1b2c3d4e5f60789", 12, "i-0a1…f60789"),
        ("결제서버", 5, "결제…"),
        ("결제서버", 6, "결제…"),
        ("web", 3, "web"),
        ("web-1", 1, "…"),
    ],
)
def test_cutting(text: str, width: int, shown: str) -> None:
    where = Cut.MIDDLE if text.startswith("i-") else Cut.END
    assert cut(text, width, where) == shown


@given(TEXTS.map(visible), st.integers(2, 40), st.integers(1, 5))
def test_wrapped_lines_fit(text: str, width: int, most: int) -> None:
    lines = list(wrapped(text, width, most))
    assert 1 <= len(lines) <= most
    assert all(cell_len(line) <= width for line in lines)


def test_a_word_is_broken_only_where_it_has_no_room_on_a_line_of_its_own() -> None:
    text = "asked for fewer calls (ssm:StartSession: ThrottlingException)"
    assert list(wrapped(text, 38, 9)) == ["asked for fewer calls", "(ssm:StartSession:", "ThrottlingException)"]
    assert list(wrapped("at orders.abc123.rds.amazonaws.com", 16, 9)) == ["at orders.abc123", ".rds.amazonaws.c", "om"]


def test_a_cell_that_is_too_long_loses_its_last_pieces_before_any_is_cut() -> None:
    cell = (("prod ", Tone.PLAIN), ("●", Tone.GOOD), (" fresh", Tone.DIM), (" 31 s", Tone.DIM))
    texts = {width: "".join(text for text, _ in shortened(cell, width)) for width in (17, 16, 12, 11, 4, 0)}
    assert texts == {
        17: "prod ● fresh 31 s",
        16: "prod ● fresh    ",
        12: "prod ● fresh",
        11: "prod ●     ",
        4: "pro…",
        0: "",
    }


def test_a_hostile_name_is_shown_as_it_is_written() -> None:
    assert visible(HOSTILE) == "[/x]␛]0;pwned␇"


def test_at_80_columns_name_id_access_and_ping_remain() -> None:
    columns = node_columns(default_columns(("env", "team")), Look(lambda: NOW, naming=lambda context: context.label))
    placed = arrange(columns, natural_widths(columns, NODES, {}), 77)
    widths = {p.column.title: p.width for p in placed}
    assert {"NAME", "ID", "ACCESS", "PING"} <= set(widths)
    assert widths["ID"] >= 12
    assert sum(widths.values()) + 2 * (len(widths) - 1) <= 77
    assert [p.column.title for p in placed] == [c.title for c in columns if c.title in widths]


@given(st.integers(1, 300))
def test_columns_never_take_more_than_there_is(width: int) -> None:
    columns: list[Column[str]] = [
        Column(f"C{i}", lambda row: ((row, Tone.PLAIN),), rank=i, least=4, most=30) for i in range(1, 9)
    ]
    placed = arrange(columns, natural_widths(columns, ["a" * 25], {}), width)
    assert sum(p.width for p in placed) + 2 * max(0, len(placed) - 1) <= width


def test_columns_do_not_shrink_while_rows_change() -> None:
    columns = node_columns(default_columns(()), Look(lambda: NOW))
    wide = natural_widths(columns, NODES, {})
    assert natural_widths(columns, NODES[:1], wide) == wide
