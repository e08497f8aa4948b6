"""The filter line: text in, announced with every keystroke; what is wrong with it, and what may stand there, is laid
over the lines below it, so that nothing moves while a term is being typed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widgets import Input, Static

from ssm_tui.domain.completion import NO_CHOICE, Completion
from ssm_tui.ui.presentation.text import cut, visible
from ssm_tui.ui.widgets.offers import Offers

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from ssm_tui.errors import FilterError

LONGEST = 400  # characters: what is pasted here by mistake must not be taken in letter by letter for minutes
SIGN = 3  # cells before the text
LEAVING = ("escape", "enter", "down", "up", "tab", "shift+tab")


class FilterInput(Input):
    """Leaves on Enter, Escape and the arrows, so that filtering and choosing are one movement; on Tab too, where there
    is nothing to complete.

    The bindings have priority and the action is the screen's, no message: the keys typed ahead come after it. What a
    key does depends only on what was typed before it: none but Tab begins to choose from what is offered.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"screen.leave_filter({key!r})", show=False, priority=True) for key in LEAVING
    ]

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))  # Textual's own lays out the whole screen at each letter

    @dataclass
    class AtEnd(Message):
        """The cursor was to go on to the right where the text ends."""

    def watch_virtual_size(self, size: Size) -> None:
        """Only how far it can be scrolled depends on it."""
        self._scroll_update(size)

    def restricted(self) -> None:
        """No bell for each of them."""

    async def settled(self) -> None:
        """Until the keys that were on their way here have been taken in."""
        taken = asyncio.Event()
        self.call_later(taken.set)
        await taken.wait()

    def action_cursor_right(self, select: bool = False) -> None:
        if not select and self.cursor_position == len(self.value):
            self.post_message(self.AtEnd())
        super().action_cursor_right(select)


class FilterLine(Horizontal):
    """One line. `complete` tells what may stand at a place of a text."""

    DEFAULT_CSS = """
    FilterLine { height: 1; }
    FilterLine .sign { width: 3; color: $text-muted; }
    FilterLine FilterInput { width: 1fr; background: $background; padding: 0; }
    FilterLine .remark { width: auto; max-width: 40%; padding: 0 1; color: $text-muted; }
    FilterLine .problem {
        overlay: screen; position: absolute; offset: 0 1; width: 100%; height: 1;
        background: $panel; color: $text-error; display: none;
    }
    FilterLine .problem.-shown { display: block; }
    """

    @dataclass
    class Changed(Message):
        """Another text."""

        text: str

    def __init__(
        self, complete: Callable[[str, int], Completion] = lambda _text, _cursor: NO_CHOICE, examples: str = ""
    ) -> None:
        super().__init__()
        self._examples = examples
        self._complete = complete
        self._completion = NO_CHOICE
        self._chosen: int | None = None  # while the user goes through the choices
        self._before = "", 0  # text and cursor when that began
        self._text = ""  # what the choices are for, or what the chosen one made of it
        self._problem: FilterError | None = None
        self._remark = ""
        self._offer_due = False

    def compose(self) -> ComposeResult:
        yield Static(" / ", classes="sign", markup=False)
        yield FilterInput(
            placeholder=_placeholder(self._examples), compact=True, select_on_focus=False, max_length=LONGEST
        )
        yield Static(classes="remark", markup=False)
        yield Static(classes="problem")
        yield Offers()

    def on_mount(self) -> None:
        self.watch(self.input, "selection", self._offer_soon, init=False)

    @property
    def input(self) -> FilterInput:
        """The line itself."""
        return self.query_one(FilterInput)

    def show(self, text: str, examples: str | None = None) -> None:
        """The filter of the view that is shown now; what an empty line says, where that is another."""
        if examples is not None:
            self.input.placeholder = _placeholder(examples)
        if self.input.value != text:
            self.input.value = text
            self.input.cursor_position = len(text)

    def show_remark(self, remark: str) -> None:
        """Something about the filter as a whole, at the end of the line."""
        if remark != self._remark:  # an update lays the whole screen out anew
            self._remark = remark
            self.query_one(".remark", Static).update(Content(visible(remark)))

    def show_problem(self, error: FilterError | None) -> None:
        """What is wrong, under the place where it is."""
        self._problem = error
        self._lay_out()

    # What may stand there

    def took(self, key: str) -> bool:
        """Whether a key that would leave the line is for the choices instead."""
        if self._chosen is None or self.input.value != self._text:
            self._offer()
            if key != "tab" or not self._completion:
                return False
            self._before = self.input.value, self.input.cursor_position
            self._choose(0)
            if len(self._completion.choices) == 1:
                self._settle()
            return True
        match key:
            case "tab" | "down":
                self._choose(self._chosen + 1)
            case "shift+tab" | "up":
                self._choose(self._chosen - 1)
            case "escape":
                self._put(*self._before)
                self._settle()
            case "enter":
                name = self._completion.choices[self._chosen].name
                self._settle()
                return name  # its value is still to come
        return True

    def _choose(self, number: int) -> None:
        self._chosen = number % len(self._completion.choices)
        self._put(*self._completion.applied(self._before[0], self._completion.choices[self._chosen]))
        self._lay_out()

    def _settle(self) -> None:
        """What stands there now stays."""
        self._chosen = None
        self._offer()

    def _put(self, text: str, cursor: int) -> None:
        self._text = text
        self.input.value = text
        self.input.cursor_position = cursor

    def _offer(self) -> None:
        self._offer_due = False
        line = self.input
        if self._chosen is not None and line.value == self._text:
            return
        self._chosen, self._text = None, line.value
        self._completion = self._complete(line.value, line.cursor_position) if line.has_focus else NO_CHOICE
        self._lay_out()

    def _offer_soon(self) -> None:
        # After the keys that are waiting already: those held down cost one look, not one each.
        if not self._offer_due:
            self._offer_due = True
            self.call_later(self._offer)

    @on(FilterInput.AtEnd)
    def _taken(self, event: FilterInput.AtEnd) -> None:
        event.stop()
        if self._chosen is not None or self.took("tab"):
            self._settle()

    @on(Offers.Picked)
    def _picked(self, event: Offers.Picked) -> None:
        event.stop()
        self.input.focus()
        if event.number < len(self._completion.choices):
            if self._chosen is None:
                self._before = self.input.value, self.input.cursor_position
            self._choose(event.number)
            self._settle()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _focus_changed(self) -> None:
        self._chosen = None
        self._offer_soon()

    # What is laid over the lines below

    def _lay_out(self) -> None:
        completion, error = self._completion, self._problem
        # What is still being typed is not wrong yet, where it may become something.
        if error is not None and completion and completion.start <= error.end <= completion.end:
            error = None
        self._lay_problem(error)
        self.query_one(Offers).show(
            completion, self._chosen, self._cell(completion.start), 1 if error is None else 2, self.size.width
        )

    def _lay_problem(self, error: FilterError | None) -> None:
        problem = self.query_one(".problem", Static)
        problem.set_class(error is not None, "-shown")
        if error is None:
            return
        text = visible(error.message) + (f" · {visible(error.hint)}" if error.hint else "")
        at = self._cell(error.column)
        carets = "^" * max(1, self._cell(error.end) - at)
        if at < self.size.width // 2:
            problem.update(Content(f"{' ' * at}{carets} {cut(text, self.size.width - at - len(carets) - 2)}"))
        else:
            shown = cut(text, at - 2)
            problem.update(Content(f"{' ' * (at - cell_len(shown) - 1)}{shown} {carets}"))

    def _cell(self, column: int) -> int:
        """Where a character of the text is on the line, or the nearest place that is seen."""
        line = self.input
        at = SIGN + cell_len(line.value[:column]) - line.scroll_offset.x
        return max(SIGN, min(at, SIGN + line.size.width))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))
        self._offer_soon()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.input.focus()


def _placeholder(examples: str) -> str:
    return f"filter: {examples}" if examples else "filter"
