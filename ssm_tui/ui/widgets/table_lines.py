"""The lines of a table as strips: heading, rows, banners. Each is made when it is shown, and kept while it is the same.

Widths are counted in cells, and every line fills exactly its width.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from ssm_tui.ui.presentation.cells import ARROWS, GAP, Placed, Tone, arrange, fitted, natural_widths
from ssm_tui.ui.presentation.highlights import NOTHING_FOUND, marked
from ssm_tui.ui.presentation.text import Cut, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from rich.style import Style

    from ssm_tui.ui.presentation.cells import Cell, Column, Piece, Widths
    from ssm_tui.ui.presentation.highlights import Found

R = TypeVar("R")

SAMPLE = 48  # rows that are measured for the widths of columns, at each key of a filter: 30 µs each
CACHED = 2000  # strips kept before the cache starts afresh
LIT = "▌"
NO_SIGN: Piece = (" ", Tone.PLAIN)


@dataclass(frozen=True, slots=True)
class Form(Generic[R]):
    """What a table knows of its rows: what tells them apart, which of them are banners over the whole width (those with
    a cell), and the sign before each, one cell wide. `sought` finds a row by its key, faster than one by one; `found`
    is what a filter has found of a row in a column."""

    key: Callable[[R], Hashable]
    banner: Callable[[R], Cell] = lambda _row: ()
    sign: Callable[[R], Piece] | None = None
    sought: Callable[[Sequence[R], Hashable], int | None] | None = None
    found: Callable[[R, Column[R]], Found] = lambda _row, _column: NOTHING_FOUND

    @property
    def margin(self) -> int:
        """Cells before the first column: the highlighted row's mark, the sign, a blank."""
        return 2 if self.sign is None else 3

    def find(self, rows: Sequence[R], wanted: Hashable, guess: int) -> int | None:
        """Where the row with this key is; it often still is where it was."""
        if wanted is None:
            return None
        if guess < len(rows) and self.key(rows[guess]) == wanted:
            return guess
        if self.sought is not None:
            return self.sought(rows, wanted)
        return next((at for at, other in enumerate(rows) if self.key(other) == wanted), None)


@dataclass(frozen=True, slots=True)
class _Painted(Generic[R]):
    row: R
    sign: Piece
    strip: Strip


class Lines(Generic[R]):
    """Strips for rows in the columns that have a place. `style` tells the style of a part of the table by its name,
    with `partial` only what that part changes."""

    def __init__(self, form: Form[R], columns: Sequence[Column[R]], style: Callable[[str, bool], Style]) -> None:
        self._form = form
        self.columns = tuple(columns)
        self._look_up = style
        self._naturals: Widths = {}
        self._strips: dict[tuple[Hashable, bool], _Painted[R]] = {}
        self._styles: dict[str, Style] = {}
        self._tones: dict[tuple[Tone, bool, bool], Style] = {}
        self._order: tuple[str, bool] | None = None
        self._width = 0
        self.placed: tuple[Placed[R], ...] = ()
        self.painted = 0  # rows turned into strips so far: what the tests count

    # What lines are made of

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Other columns."""
        self.columns, self._naturals = tuple(columns), {}
        self._strips.clear()

    def set_order(self, by: str, *, descending: bool) -> None:
        """The heading of the column with this name says that rows stand in its order."""
        self._order = (by, descending)

    def measure(self, rows: Sequence[R], width: int) -> None:
        """Widths from a sample of the rows, so that the cost does not grow with the list."""
        sample = (row for row in rows[:: max(1, -(-len(rows) // SAMPLE))] if not self._form.banner(row))
        self._naturals = natural_widths(self.columns, sample, self._naturals)
        placed = arrange(self.columns, self._naturals, width - self._form.margin)
        if (placed, width) != (self.placed, self._width):
            self.placed, self._width = placed, width
            self._strips.clear()

    def forget(self) -> None:
        """What cells say has changed without the rows: the time, what a filter finds."""
        self._strips.clear()

    def restyle(self) -> None:
        """Styles have changed: the theme, the focus."""
        self._strips.clear()
        self._styles.clear()
        self._tones.clear()

    def column_at(self, x: int) -> Column[R] | None:
        """Whose heading is at this cell; the gap behind a column is part of it."""
        start = self._form.margin
        for placed in self.placed:
            if start <= x < start + placed.width + GAP:
                return placed.column
            start += placed.width + GAP
        return None

    # Lines

    def row(self, row: R, *, lit: bool, width: int) -> Strip:
        """A row or a banner; `lit` is the highlighted one."""
        key = self._form.key(row), lit
        sign = self._form.sign(row) if self._form.sign is not None else NO_SIGN
        known = self._strips.get(key)
        if known is not None and known.sign == sign and (known.row is row or known.row == row):
            return known.strip
        if len(self._strips) > CACHED:
            self._strips.clear()
        strip = self._paint(row, sign, lit=lit, width=width)
        self._strips[key] = _Painted(row, sign, strip)
        return strip

    def _paint(self, row: R, sign: Piece, *, lit: bool, width: int) -> Strip:
        self.painted += 1
        base, tone_of = self._style("table--highlight" if lit else ""), self._tone
        pieces = [(LIT if lit else " ", base), (sign[0], tone_of(sign[1], lit=lit))]
        if self._form.margin > 2:
            pieces.append((" ", base))
        if banner := self._form.banner(row):
            shown = fitted(banner, width - self._form.margin, Cut.END)
            pieces += [(text, tone_of(tone, lit=lit)) for text, tone in shown]
            return _joined(pieces, width, base, filled=width)
        filled = self._form.margin - GAP
        for placed in self.placed:
            if filled >= self._form.margin:
                pieces.append((" " * GAP, base))
            filled += GAP + placed.width
            column = placed.column
            cell = column.cell(row)
            shown = fitted(cell, placed.width, column.cut)
            for text, tone, found in marked(cell, shown, self._form.found(row, column)):
                pieces.append((text, tone_of(tone, lit=lit, found=found)))
        return _joined(pieces, width, base, filled=max(filled, self._form.margin))

    def heading(self, width: int) -> Strip:
        """The titles; an arrow behind the one by which rows are ordered, in the gap where its column is narrow."""
        spare = width - self._form.margin - sum(placed.width + GAP for placed in self.placed) + GAP
        # The last has no gap behind it, but perhaps room.
        titles = [
            self._title(each, GAP if each is not self.placed[-1] else max(0, min(spare, GAP))) for each in self.placed
        ]
        style = self._style("table--heading")
        return Strip([Segment(" " * self._form.margin + "".join(titles), style)]).adjust_cell_length(width, style)

    def _title(self, placed: Placed[R], gap: int) -> str:
        column, room = placed.column, placed.width + gap
        if self._order is None or column.name != self._order[0]:
            return fit(fit(column.title, placed.width), room)
        arrow = ARROWS[self._order[1]]
        title = fit(column.title, min(cell_len(column.title), placed.width - (0 if gap else 1)))
        return fit(f"{title}{arrow}" if cell_len(title) >= placed.width - 1 else f"{title} {arrow}", room)

    def note(self, text: str, width: int) -> Strip:
        """A line that stands where rows would."""
        style = self._tone(Tone.DIM, lit=False)
        return Strip([Segment(fit(f"  {text}", width), style)])

    def blank(self, width: int) -> Strip:
        """A line without anything."""
        return Strip.blank(width, self._style(""))

    # Styles

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self._look_up(name, False)
        return self._styles[name]

    def _tone(self, tone: Tone, *, lit: bool, found: bool = False) -> Style:
        """Kept too: adding styles takes longer than all else about a piece."""
        known = self._tones.get((tone, lit, found))
        if known is None:
            known = self._style("table--highlight" if lit else "")
            for name in (*([tone] if tone is not Tone.PLAIN else []), *(["found"] if found else [])):
                style = self._look_up(f"table--{name}", True)
                # On the highlight's background only its own foreground is sure to be read.
                known += style.without_color if lit else style
            self._tones[tone, lit, found] = known
        return known


def _joined(pieces: Iterable[tuple[str, Style]], width: int, base: Style, *, filled: int) -> Strip:
    """One segment for neighbours of the same style, filled up to the width: `filled` cells are taken by the pieces."""
    segments: list[Segment] = []
    for style, same in groupby(chain(pieces, [(" " * (width - filled), base)]), key=itemgetter(1)):
        if text := "".join([text for text, _ in same]):
            segments.append(Segment(text, style))
    if filled > width:  # even the columns that always stay have no room
        return Strip(segments).adjust_cell_length(width, base)
    return Strip(segments, width)
