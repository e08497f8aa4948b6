"""The table: which lines it renders, and which row stays highlighted."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.listing import Group
from ssm_tui.ui.presentation.node_rows import MARKED, NodeRow, group_cell, listed, place_of, row_key
from ssm_tui.ui.presentation.nodes import Look, default_columns, node_columns
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import NO_SIGN, Form, Lines
from tests.ui.fakes import CONTEXT, NOW, node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssm_tui.ui.presentation.cells import Column

MANY = [node(i, f"web-{i:05}") for i in range(10_000)]
HEIGHT = 20


FORM = Form(row_key, group_cell, None, place_of)


class Bench(App[None]):
    """A table alone."""

    def __init__(self, form: Form[NodeRow] = FORM) -> None:
        super().__init__()
        columns = node_columns(default_columns(()), Look(lambda: NOW))
        self.table = Table[NodeRow](cast("tuple[Column[NodeRow], ...]", columns), form, id="nodes")

    def compose(self) -> ComposeResult:
        yield self.table


async def test_filling_and_filtering_render_only_what_is_seen() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows(MANY)
        await pilot.pause()
        assert 0 < app.table.painted <= HEIGHT
        before = app.table.painted
        app.table.set_rows([n for n in MANY if "77" in n.name], restart=True)
        await pilot.pause()
        assert app.table.painted - before <= HEIGHT


async def test_a_refresh_renders_only_the_rows_that_changed() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows(MANY)
        await pilot.pause()
        before = app.table.painted
        # What a refresh brings: equal values that are other objects, and one of them different.
        rows = [replace(n) for n in MANY]
        rows[3] = replace(rows[3], ip="10.9.9.9")
        app.table.set_rows(rows)
        await pilot.pause()
        assert app.table.painted - before == 1


async def test_moving_renders_two_rows() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.focus()
        app.table.set_rows(MANY)
        await pilot.pause()
        before = app.table.painted
        await pilot.press("down")
        assert app.table.painted - before == 2


async def test_the_highlighted_row_stays_at_its_place_while_rows_arrive_above() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.focus()
        app.table.set_rows(MANY[5000:])
        await pilot.press("pagedown", "pagedown", "up")
        row, line = app.table.row, app.table.place - app.table.scroll_offset.y
        app.table.set_rows(MANY)
        await pilot.pause()
        assert app.table.row is row
        assert app.table.place - app.table.scroll_offset.y == line
        app.table.set_rows(MANY[4990:5100])
        await pilot.pause()
        assert app.table.row is row


async def test_a_list_seen_from_its_top_stays_there_and_follows_the_row() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows(MANY[5:])
        await pilot.pause()
        app.table.set_rows(MANY)
        await pilot.pause()
        assert (app.table.row, app.table.scroll_offset.y) == (MANY[5], 0)


async def test_a_row_that_is_gone_leaves_its_place_to_the_next() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.focus()
        app.table.set_rows(MANY[:10])
        await pilot.press("down", "down")
        app.table.set_rows(MANY[:2] + MANY[3:10])
        assert app.table.row is MANY[3]
        app.table.set_rows([])
        assert not app.table.rows
        app.table.set_rows(MANY[:10])
        assert app.table.row is MANY[3]


async def test_keys_and_mouse_move_the_highlight() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.focus()
        app.table.set_rows(MANY)
        await pilot.press("end")
        assert app.table.row is MANY[-1]
        await pilot.press("home", "pagedown")
        assert app.table.place == HEIGHT - 1
        await pilot.press("home")
        await pilot.click(offset=(10, 7))
        assert app.table.place == 6
        await pilot.click(offset=(10, 0))
        assert app.table.place == 6


async def test_a_list_scrolled_away_by_the_wheel_stays_where_it_is_looked_at() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.focus()
        app.table.set_rows(MANY[100:])
        await pilot.pause()
        app.table.scroll_to(y=500, animate=False, immediate=True)
        await pilot.pause()
        app.table.set_rows(MANY)
        await pilot.pause()
        assert (app.table.row, app.table.scroll_offset.y) == (MANY[100], 600)
        await pilot.press("down")
        assert app.table.scroll_offset.y == 101


NAMES = st.text(st.characters() | st.sampled_from("결제🚀👩\u200d💻\ufe0f\u0301\u202e\x1b\t[/]🇰🇷e"), max_size=30)
ROWS = st.lists(
    st.builds(
        lambda number, name, tag: node(number, name, tags={"env": tag, "결제 🚀": name}),
        st.integers(0, 9999),
        NAMES,
        NAMES,
    )
    | st.builds(Group, NAMES, NAMES, st.integers(0, 10**6), st.booleans()),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(24, 160), st.sampled_from(["name", "id", "az", "env", "결제 🚀"]), st.booleans())
def test_every_line_is_exactly_as_wide_as_the_table(rows: list[NodeRow], width: int, by: str, descending: bool) -> None:
    look = Look(lambda: NOW, lambda context: context.label, pinned=lambda n: len(n.name) % 2 == 0)
    columns = node_columns(default_columns(("env", "결제 🚀")), look)
    form = Form(row_key, group_cell, lambda _row: MARKED, place_of)
    lines = Lines(form, cast("tuple[Column[NodeRow], ...]", columns), lambda _name, _partial: Style())
    lines.set_order(by, descending=descending)
    lines.measure(rows, width)
    strips = [lines.heading(width), lines.note(by, width)]
    strips += [lines.row(row, lit=lit, width=width) for row in rows for lit in (False, True)]
    for strip in strips:
        assert cell_len(strip.text) == width
        assert not [char for char in strip.text if unicodedata.category(char) in ("Cc", "Cf", "Cs")]


async def test_the_heading_tells_the_order_without_moving_a_column() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows(MANY)
        await pilot.pause()
        before = app.table.render_line(0).text
        for by in ("name", "id", "access", "az"):
            app.table.set_order(by, descending=True)
            after = app.table.render_line(0).text
            assert after.count("▼") == 1
            assert after.replace("▼", " ") == before


class Watched(list[NodeRow]):
    """Rows that count how many of them are looked at."""

    def __init__(self, rows: Iterable[NodeRow]) -> None:
        super().__init__(rows)
        self.seen = 0

    def __iter__(self) -> Iterator[NodeRow]:
        for row in super().__iter__():
            self.seen += 1
            yield row

    def __getitem__(self, place: Any) -> Any:
        self.seen += len(range(*place.indices(len(self)))) if isinstance(place, slice) else 1
        return super().__getitem__(place)


async def test_a_row_that_stays_is_found_without_looking_for_it() -> None:
    app = Bench()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows(MANY)
        await pilot.pause()
        same = Watched(MANY)
        app.table.set_rows(same)
        await pilot.pause()
        assert same.seen < 200, "a sample for the widths, and what is on the screen"
        gone = Watched(MANY[1:])
        app.table.set_rows(gone)
        await pilot.pause()
        assert gone.seen < len(gone) + 200, "one search for the row that is gone"


async def test_one_node_of_two_contexts_is_found_in_each() -> None:
    west = Context("dev", "us-west-2")
    rows: list[NodeRow] = [node(1, "a"), Group("env", "x", 2), node(2, "b"), node(2, "b", context=west), node(3, "c")]
    for at in (0, 2, 3, 4):
        assert place_of(rows, row_key(rows[at])) == at
    assert place_of(rows, row_key(rows[1])) == 1
    assert place_of(rows, row_key(node(4))) is None
    assert listed(rows, {west: {rows[3].id}}) == [rows[3]]
    assert listed(rows, {west: {rows[3].id}, CONTEXT: {rows[0].id}}) == [rows[0], rows[3]]


async def test_marking_renders_one_row() -> None:
    marked: set[object] = set()
    form = Form(row_key, group_cell, lambda row: MARKED if row_key(row) in marked else NO_SIGN, place_of)
    app = Bench(form)
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows(MANY)
        await pilot.pause()
        before = app.table.painted
        marked.add(MANY[3].key)
        app.table.refresh()
        await pilot.pause()
        assert app.table.painted - before == 1


async def test_a_click_on_a_heading_names_its_column_and_one_on_a_banner_chooses_it() -> None:
    heard: list[object] = []

    class Hearing(Bench):
        def on_table_heading_clicked(self, message: Table.HeadingClicked) -> None:
            heard.append(message.name)

        def on_table_chosen(self) -> None:
            heard.append(self.table.row)

    group = Group("env", "prod", 2)
    app = Hearing()
    async with app.run_test(size=(100, HEIGHT)) as pilot:
        app.table.set_rows([group, *MANY[:2]])
        await pilot.pause()
        await pilot.click(offset=(app.table.render_line(0).text.index("PING"), 0))
        await pilot.click(offset=(1, 0))
        await pilot.click(offset=(5, 1))
        await pilot.click(offset=(5, 2))
        await pilot.click(offset=(5, 3), times=2)
        assert heard == ["ping", group, MANY[1]]
