"""The saved filters: one to use, a name for the present one, names changed or given up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.cells import Column, Tone, plain
from ssm_tui.ui.presentation.text import cut, visible
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import NO_SIGN, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from ssm_tui.ui.presentation.cells import Piece

LONGEST = 60  # characters of a name


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter by its name; `own` ones were saved here, the others stand in the settings. `used` is in force."""

    name: str
    text: str
    own: bool
    used: bool = False


class Deed(Enum):
    """What is to be done."""

    USE = "use"
    SAVE = "save"
    RENAME = "rename"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A deed, and the filter's name; none where the present one is to be saved."""

    deed: Deed
    name: str = ""


class FilterMenu(Dialog[FilterChoice]):
    """Answers with what is to be done. `present` is the filter in force, which can be saved."""

    DEFAULT_CSS = """
    FilterMenu > .box { width: 90; height: auto; max-height: 80%; padding: 0 1; }
    FilterMenu Table { height: auto; max-height: 16; background: $surface; }
    FilterMenu .keys { color: $text-muted; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"pick({number})", show=False) for number in range(1, 10)),
        Binding("enter", "use", show=False),
        Binding("s", "save", show=False),
        Binding("e", "rename", show=False),
        Binding("x,delete", "forget", show=False),
    ]

    def __init__(self, filters: Sequence[SavedFilter], present: str) -> None:
        super().__init__()
        self._filters, self._present = filters, present
        columns: tuple[Column[SavedFilter], ...] = (
            Column("NAME", lambda each: plain(each.name, Tone.STRONG), rank=0, least=12, most=30, steady=12),
            Column("FILTER", lambda each: plain(each.text), rank=0, least=20, most=70, steady=30),
            Column("", lambda each: () if each.own else plain("settings", Tone.DIM), rank=1, least=8, most=8),
        )
        self._table = Table[SavedFilter](columns, Form(lambda each: each.name, sign=_sign), id="filters")
        self._table.empty_text = "No filter is saved yet."

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content("Saved filters")
        box.border_subtitle = Content("↵ uses · e renames · x forgets · Esc leaves")
        with box:
            yield self._table
            if self._present.strip():
                yield Static(Content(f"s saves «{cut(visible(self._present.strip()), 60)}»"), classes="keys")

    def on_mount(self) -> None:
        self._table.styles.height = min(16, max(3, len(self._filters) + 1))
        self._table.set_rows(self._filters)
        used = next((at for at, each in enumerate(self._filters) if each.used), 0)
        self._table.highlight(used)
        self._table.focus()

    @on(Table.Chosen)
    def action_use(self) -> None:
        """The highlighted one."""
        self._answer(Deed.USE)

    def action_pick(self, number: int) -> None:
        """By its place."""
        if number <= len(self._filters):
            self.dismiss(FilterChoice(Deed.USE, self._filters[number - 1].name))

    def action_save(self) -> None:
        """The present filter, under a name that is asked for."""
        if self._present.strip():
            self.dismiss(FilterChoice(Deed.SAVE))

    def action_rename(self) -> None:
        """The highlighted one."""
        self._answer(Deed.RENAME)

    def action_forget(self) -> None:
        """The same."""
        self._answer(Deed.FORGET)

    def _answer(self, deed: Deed) -> None:
        row = self._table.row
        if row is None:
            return
        if deed is not Deed.USE and not row.own:
            self.notify(f"{visible(row.name)} stands in the settings: change it there.", markup=False)
            return
        self.dismiss(FilterChoice(deed, row.name))


def _sign(each: SavedFilter) -> Piece:
    return ("●", Tone.ACCENT) if each.used else NO_SIGN


class NameQuestion(Dialog[str]):
    """Asks for a name. `wrong` tells what speaks against one, empty where nothing does."""

    DEFAULT_CSS = """
    NameQuestion > .box { width: 64; }
    NameQuestion Input { background: $surface; padding: 0 1; height: 1; border: none; }
    NameQuestion .wrong { color: $text-error; height: 1; }
    """

    def __init__(self, title: str, name: str, wrong: Callable[[str], str]) -> None:
        super().__init__()
        self._title, self._name, self._wrong = title, name, wrong

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content(self._title)
        box.border_subtitle = Content("↵ keeps · Esc leaves")
        with box:
            yield Input(self._name, placeholder="a name, used as @NAME", compact=True, max_length=LONGEST)
            yield Static(classes="wrong", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one(".wrong", Static).update(
            Content(self._wrong(event.value.strip()) if event.value.strip() else "")
        )

    @on(Input.Submitted)
    def _accepted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if name and not self._wrong(name):
            self.dismiss(name)
