"""The copy menu: what can be copied of a row, each with the very text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.copies import Copyable
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from textual.app import ComposeResult


_KEYS = 9  # lines that are chosen by a digit
_WHOLE = 3  # lines of a text that are shown below the list


class CopyMenu(Dialog[Copyable]):
    """Answers with the chosen line."""

    DEFAULT_CSS = """
    CopyMenu > .box { width: 90%; max-width: 110; padding: 0 1; }
    CopyMenu OptionList { height: auto; max-height: 16; border: none; background: $surface; padding: 0; }
    CopyMenu OptionList:focus { border: none; }
    CopyMenu.-told OptionList { max-height: 12; }
    CopyMenu Static { display: none; height: 6; border-top: solid $primary-muted; padding: 0 1; }
    CopyMenu.-told Static { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"pick({number})", show=False) for number in range(1, _KEYS + 1)),
        Binding("y", "enter", "Copy", show=False),
        Binding("j", "cursor(1)", show=False),
        Binding("k", "cursor(-1)", show=False),
    ]

    def __init__(self, title: str, lines: tuple[Copyable, ...]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content(f"Copy · {visible(self._title)}")
        box.border_subtitle = Content("↵ copies · 1-9 at once · Esc leaves")
        with box:
            yield OptionList()
            yield Static(markup=False)

    def on_mount(self) -> None:
        self._fill()

    def on_resize(self) -> None:
        self._fill(self.query_one(OptionList).highlighted or 0)

    def show(self, lines: tuple[Copyable, ...]) -> None:
        """Other lines: a tunnel became ready meanwhile, say. The highlighted one stays, by its label."""
        if lines == self._lines:
            return
        at = self.query_one(OptionList).highlighted or 0
        label = self._lines[at].label
        self._lines = lines
        self._fill(next((place for place, line in enumerate(lines) if line.label == label), 0))

    def _fill(self, at: int = 0) -> None:
        """Each line cut to the box: a wrapped command would read as two lines of the menu."""
        choices = self.query_one(OptionList)
        # Texts that are longer than a line are shown whole below the list, with what is to be known of them.
        self.set_class(any(line.note for line in self._lines), "-told")
        width = max(20, min(int(self.size.width * 0.9), 110) - 8)
        names = max(len(line.label) for line in self._lines)
        choices.clear_options()
        for number, line in enumerate(self._lines, 1):
            text = cut(visible(line.text), width - names - 4)
            key = f"{number} " if number <= _KEYS else "  "
            prompt = Content.assemble((key, "$text-muted"), (f"{line.label:<{names}}  ", "bold"), text)
            choices.add_option(Option(prompt))
        choices.highlighted = at

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index >= len(self._lines):
            return  # of the lines that were there before
        line = self._lines[event.option_index]
        whole = cut(visible(line.text), _WHOLE * self.query_one(Static).size.width)
        self.query_one(Static).update(Content.assemble((f"{line.note}\n" if line.note else "", "$text-muted"), whole))

    def action_pick(self, number: int) -> None:
        """Chooses by number, at once."""
        if number <= len(self._lines):
            self.dismiss(self._lines[number - 1])

    def action_enter(self) -> None:
        """Chooses the highlighted line."""
        self.query_one(OptionList).action_select()

    def action_cursor(self, by: int) -> None:
        """Moves among the lines."""
        choices = self.query_one(OptionList)
        choices.action_cursor_down() if by > 0 else choices.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._lines[event.option_index])
