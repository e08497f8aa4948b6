"""The filter line: text in, announced with every keystroke; what is wrong with it is shown under its column."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ssm_tui.errors import FilterError

LONGEST = 400  # characters: what is pasted here by mistake must not be taken in letter by letter for minutes
SIGN = 3  # cells before the text
PLACEHOLDER = "filter: web  env=prod  ping:online  access:shell  -test"


class FilterInput(Input):
    """Leaves on Enter, Escape and the arrows, so that filtering and choosing are one movement.

    The binding has priority and the action is the screen's, no message: the keys typed ahead come after it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,down,up,tab", "screen.leave_filter", show=False, priority=True),
    ]

    def restricted(self) -> None:
        """No bell for each of them."""

    async def settled(self) -> None:
        """Until the keys that were on their way here have been taken in."""
        taken = asyncio.Event()
        self.call_later(taken.set)
        await taken.wait()


class FilterLine(Horizontal):
    """One line; a problem is laid over the line below it, so that nothing moves while a term is being typed."""

    DEFAULT_CSS = """
    FilterLine { height: 1; }
    FilterLine .sign { width: 3; color: $text-muted; }
    FilterLine FilterInput { width: 1fr; background: $background; padding: 0; }
    FilterLine .problem {
        overlay: screen; position: absolute; offset: 0 1; width: auto; height: 1;
        background: $panel; color: $text-error; display: none;
    }
    FilterLine .problem.-shown { display: block; }
    """

    @dataclass
    class Changed(Message):
        """Another text."""

        text: str

    def compose(self) -> ComposeResult:
        yield Static(" / ", classes="sign", markup=False)
        yield FilterInput(placeholder=PLACEHOLDER, compact=True, select_on_focus=False, max_length=LONGEST)
        yield Static(classes="problem")

    @property
    def input(self) -> FilterInput:
        """The line itself."""
        return self.query_one(FilterInput)

    def show(self, text: str) -> None:
        """The filter of the view that is shown now."""
        if self.input.value != text:
            self.input.value = text

    def show_problem(self, error: FilterError | None) -> None:
        """What is wrong, under the column where it is."""
        problem = self.query_one(".problem", Static)
        problem.set_class(error is not None, "-shown")
        if error is not None:
            text = visible(error.message) + (f" · {visible(error.hint)}" if error.hint else "")
            at = SIGN + error.column
            if at < self.size.width // 2:
                problem.update(Content(f"^ {cut(text, self.size.width - at - 3)}"))
                problem.styles.offset = (at, 1)
            else:
                shown = cut(text, at - 2)
                problem.update(Content(f"{shown} ^"))
                problem.styles.offset = (at - cell_len(shown) - 1, 1)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.input.focus()
