"""The choices for what is being typed in the filter line, in a box laid over the lines below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ssm_tui.ui.presentation.text import cut, fit, visible

if TYPE_CHECKING:
    from textual import events

    from ssm_tui.domain.completion import Completion

WIDEST = 44  # cells of a label


class Offers(Static):
    """A line for each choice, with how many nodes have it; under them what takes one."""

    DEFAULT_CSS = """
    Offers {
        overlay: screen; position: absolute; width: auto; height: auto; background: $panel; display: none;
    }
    Offers.-shown { display: block; }
    """

    @dataclass
    class Picked(Message):
        """A choice was clicked."""

        number: int

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._lines = 0
        self._shown: object = None

    def show(self, completion: Completion, chosen: int | None, at: int, below: int, width: int) -> None:
        """The choices, from the column `at` on, `below` so many lines; nothing where there are none."""
        if self._shown == (shown := (completion, chosen, at, below, width)):
            return  # an update lays the whole screen out anew
        self._shown = shown
        self._lines = len(completion.choices)
        self.set_class(bool(completion), "-shown")
        if not completion:
            return
        labels = [cut(visible(choice.label), WIDEST) for choice in completion.choices]
        counts = [f"{choice.count:,}" if choice.count is not None else "" for choice in completion.choices]
        hint = "Tab takes one" if chosen is None else "Tab next · ↵ takes it"
        if completion.more:
            hint += f" · {completion.more:,} more"
        wide = max(cell_len(hint), max(map(cell_len, labels)) + 2 + max(map(len, counts)))
        lines = [
            Content.assemble(
                (f" {fit(label, wide - len(count))}", ""), (f"{count} ", "" if number == chosen else "$text-muted")
            ).stylize("$block-cursor-foreground on $block-cursor-background" if number == chosen else "")
            for number, (label, count) in enumerate(zip(labels, counts, strict=True))
        ]
        lines.append(Content.styled(f" {fit(hint, wide)} ", "$text-muted"))
        self.update(Content("\n").join(lines))
        self.styles.offset = (max(0, min(at - 1, width - wide - 2)), below)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.y < self._lines:
            self.post_message(self.Picked(event.y))
