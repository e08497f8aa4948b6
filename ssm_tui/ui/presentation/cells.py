"""What a table shows: cells of toned pieces, columns, and how columns share a width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from rich.cells import cell_len

from ssm_tui.ui.presentation.text import Cut, cut, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

R = TypeVar("R")

GAP = 2
ARROWS = {False: "▲", True: "▼"}
"""Which way a column is sorted; the second is descending."""


class Tone(StrEnum):
    """What a piece of text says by its colour, which is never the only thing that says it."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    ACCENT = "accent"


Piece = tuple[str, Tone]
Cell = tuple[Piece, ...]


def plain(text: str | None, tone: Tone = Tone.PLAIN) -> Cell:
    """A cell of one piece of foreign text; nothing for None."""
    return ((visible(text), tone),) if text else ()


def width_of(cell: Cell) -> int:
    """How many columns of the terminal the cell takes when nothing is cut."""
    return sum(cell_len(text) for text, _ in cell)


def fitted(cell: Cell, width: int, where: Cut) -> Cell:
    """The cell in exactly `width` columns. Cells of several pieces are cut at the end alone."""
    shown: list[Piece] = []
    left = width
    for text, tone in cell:
        part = cut(text, left, where if len(cell) == 1 else Cut.END)
        if part:
            shown.append((part, tone))
            left -= cell_len(part)
    if left > 0:
        shown.append((" " * left, Tone.PLAIN))
    return tuple(shown)


def shortened(cell: Cell, width: int) -> Cell:
    """The cell in exactly `width` columns: pieces beyond its first two are left out whole before any is cut."""
    while len(cell) > 2 and width_of(cell) > width:
        cell = cell[:-1]
    return fitted(cell, max(0, width), Cut.END)


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: how a row becomes a cell, and how it gives way where there is little room.

    Below `least` cells it is of no use and is left out, the highest `rank` first; rank 0 always stays. It is never
    wider than `most`, and from the beginning as wide as `steady`, so that what comes later moves nothing aside. `name`
    is the field or tag that it shows, by which rows can be ordered; without one they cannot.
    """

    title: str
    cell: Callable[[R], Cell]
    rank: int
    least: int = 8
    most: int = 24
    cut: Cut = Cut.END
    steady: int = 0
    name: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from other columns: a tag may be called like a heading."""
        return self.title, self.name


Widths = Mapping[tuple[str, str], int]
"""How wide columns would like to be, by their keys."""


@dataclass(frozen=True, slots=True)
class Placed(Generic[R]):
    """A column with the width it got."""

    column: Column[R]
    width: int


def natural_widths(columns: Sequence[Column[R]], rows: Iterable[R], known: Widths) -> dict[tuple[str, str], int]:
    """How wide each column would like to be for these rows: never narrower than before, so that columns stay put."""
    widths: dict[tuple[str, str], int] = {}
    sample = list(rows)
    for column in columns:
        widest = max(known.get(column.key, 0), cell_len(column.title), column.steady)
        for row in sample:
            if widest >= column.most:
                break
            widest = max(widest, min(width_of(column.cell(row)), column.most))
        widths[column.key] = widest
    return widths


def arrange(columns: Sequence[Column[R]], natural: Widths, width: int) -> tuple[Placed[R], ...]:
    """The columns that fit into `width` cells with a gap between them, in their own order.

    By rank each gets its least; what is left goes by rank up to what each would like.
    """
    by_rank = sorted(columns, key=lambda column: column.rank)
    got: dict[tuple[str, str], int] = {}
    left = width
    for column in by_rank:
        need = min(column.least, natural[column.key])
        taken = need + (GAP if got else 0)
        if taken <= left or column.rank == 0:
            got[column.key] = need
            left -= taken
    for column in by_rank:
        if column.key in got and left > 0:
            more = min(natural[column.key] - got[column.key], left)
            got[column.key] += more
            left -= more
    return tuple(Placed(column, got[column.key]) for column in columns if column.key in got)
