"""Every context with its state: how many of its nodes are listed, whose it is, and why it could not be read."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.contexts import ContextRow, context_columns, counted, summary_cell
from ssm_tui.ui.widgets.bars import content
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from ssm_tui.domain.contexts import Context


class Next(Enum):
    """What the user wants to do from here."""

    PROFILES = "profiles"
    REGIONS = "regions"


class ContextsDialog(Dialog[Next]):
    """Follows what is read. `read_again` begins to read one context, `sign_in` to sign in to it."""

    DEFAULT_CSS = """
    ContextsDialog > .box { width: 90%; max-width: 120; height: 80%; padding: 0 1; }
    ContextsDialog Table { background: $surface; }
    ContextsDialog .why { height: auto; max-height: 6; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "read_again", show=False),
        Binding("i", "sign_in", show=False),
        Binding("p", "next('PROFILES')", show=False),
        Binding("P", "next('REGIONS')", show=False),
        Binding("c,q", "leave", show=False),
    ]

    def __init__(
        self,
        rows: Sequence[ContextRow],
        read_again: Callable[[Context], None],
        sign_in: Callable[[Context], None],
    ) -> None:
        super().__init__()
        self._rows, self._read_again, self._sign_in = rows, read_again, sign_in
        self._table = Table[ContextRow](context_columns(), Form(lambda row: row.context), id="contexts")
        self._table.empty_text = "No context is open. p chooses profiles."

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_subtitle = Content("r reads again · i signs in · p profiles · P regions · Esc leaves")
        with box:
            yield self._table
            yield Static(classes="why")

    def on_mount(self) -> None:
        self._fill()
        self._table.focus()

    def show(self, rows: Sequence[ContextRow]) -> None:
        """How they stand now."""
        if rows != self._rows:
            self._rows = rows
            self._fill()

    def _fill(self) -> None:
        box = self.query_one(".box", Vertical)
        title = summary_cell((row.kind for row in self._rows), counted(len(self._rows)))
        box.border_title = Content("".join(text for text, _ in title))
        self._table.renew(self._rows)
        self._tell()

    @on(Table.Highlighted)
    def _tell(self) -> None:
        """What the row has no room for."""
        row = self._table.row
        lines = [content(line) for line in row.lines()] if row is not None else []
        self.query_one(".why", Static).update(Content("\n").join(lines))

    @on(Table.Chosen)
    def action_read_again(self) -> None:
        """The highlighted one."""
        if (row := self._table.row) is not None:
            self._read_again(row.context)

    def action_sign_in(self) -> None:
        """To the highlighted one, where it waits for that."""
        if (row := self._table.row) is not None:
            self._sign_in(row.context)

    def action_next(self, name: str) -> None:
        """Leaves for a picker."""
        self.dismiss(Next[name])
