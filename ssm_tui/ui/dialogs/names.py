"""Names of fields and tags to choose from: one to sort or group by, or which are shown and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType

from ssm_tui.ui.dialogs.finding import Finder
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import NO_SIGN, Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssm_tui.ui.presentation.cells import Piece

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Named:
    """A name as it is meant, what it is called, what else there is to say of it, and the sign before it."""

    name: str
    label: str
    note: str = ""
    sign: str = ""


class _Names(Finder[A, Named]):
    """Names, each with its sign and a note."""

    DEFAULT_CSS = """
    _Names > .box { width: 64; height: 80%; max-height: 26; }
    """

    def __init__(self, title: str, keys: str, names: Iterable[Named]) -> None:
        super().__init__(title, keys)
        self._names = list(names)
        columns = (
            Column("", _label, rank=0, least=20, most=40, steady=30),
            Column(" ", _note, rank=1, least=6, most=24),
        )
        self._table = Table[Named](columns, Form(lambda each: each.name, sign=self._sign), id="names")

    def _sign(self, each: Named) -> Piece:
        return (each.sign, Tone.ACCENT) if each.sign else NO_SIGN

    def _matching(self, wanted: str) -> Sequence[Named]:
        return [each for each in self._names if wanted in each.label.casefold() or wanted in each.name.casefold()]


def _label(each: Named) -> Cell:
    return plain(each.label)


def _note(each: Named) -> Cell:
    return plain(each.note, Tone.DIM)


class NameMenu(_Names[str]):
    """Answers with the name that was chosen."""

    @on(Table.Chosen)
    async def action_accept(self) -> None:
        """The highlighted one."""
        await self._typed_ahead()
        if (row := self._table.row) is not None:
            self.dismiss(row.name)


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The names of the columns in their order; None for the settings'."""

    names: tuple[str, ...] | None


class ColumnMenu(_Names[ChosenColumns]):
    """Which are shown, and in what order. `shown` are those that are now, `standard` those of the settings; the name
    itself always stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "show_or_hide", show=False, priority=True),
        Binding("shift+up,K", "shift(-1)", show=False, priority=True),
        Binding("shift+down,J", "shift(1)", show=False, priority=True),
        Binding("ctrl+r", "reset", show=False, priority=True),
    ]
    KEYS = ("space", "J", "K")

    def __init__(self, names: Iterable[Named], shown: Sequence[str], standard: Sequence[str]) -> None:
        keys = "space shows or hides · ⇧↑ ⇧↓ move · ^r resets · ↵ done"
        known = {each.name: each for each in names}
        first = [known.get(name) or Named(name, visible(name)) for name in shown]
        rest = [each for each in known.values() if each.name not in shown]
        super().__init__("Columns", keys, [*first, *rest])
        self._shown, self._standard = set(shown), tuple(standard)

    def _sign(self, each: Named) -> Piece:
        return ("✓", Tone.GOOD) if each.name in self._shown else NO_SIGN

    async def action_show_or_hide(self) -> None:
        """Shows the highlighted one, or hides it."""
        await self._typed_ahead()
        if (row := self._table.row) is not None:
            self._shown ^= {row.name}
            self._table.refresh()

    async def on_table_chosen(self) -> None:
        """A double click."""
        await self.action_show_or_hide()

    async def action_shift(self, by: int) -> None:
        """Changes places with its neighbour in the list as it is filtered."""
        await self._typed_ahead()
        row, shown = self._table.row, self._table.rows
        place = self._table.place + by
        if row is None or not 0 <= place < len(shown):
            return
        here, there = self._names.index(row), self._names.index(shown[place])
        self._names[here], self._names[there] = self._names[there], self._names[here]
        self._fill()

    def action_reset(self) -> None:
        """As the settings have them, at once."""
        self.dismiss(ChosenColumns(None))

    async def action_accept(self) -> None:
        """As they are now."""
        names = tuple(each.name for each in self._names if each.name in self._shown)
        self.dismiss(ChosenColumns(None if names == self._standard else names))
