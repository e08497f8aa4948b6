"""The table: which lines it renders, and which row stays highlighted."""

from __future__ import annotations

from dataclasses import replace

from textual.app import App, ComposeResult

from ssm_tui.domain.nodes import Node
from ssm_tui.ui.presentation.nodes import Look, default_columns, node_columns
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form
from tests.ui.fakes import NOW, node

MANY = [node(i, f"web-{i:05}") for i in range(10_000)]
HEIGHT = 20


class Bench(App[None]):
    """A table alone."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table[Node](
            node_columns(default_columns(()), Look(lambda: NOW)), Form(lambda n: n.key), id="nodes"
        )

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
