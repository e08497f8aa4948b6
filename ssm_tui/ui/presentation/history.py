"""What became of a tunnel, as lines: when, the state, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.ui.presentation.cells import Cell, Tone
from ssm_tui.ui.presentation.text import visible, wrapped
from ssm_tui.ui.presentation.tunnels import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssm_tui.domain.tunnels import TunnelEvent

_WORD = 14  # cells of the longest state with its sign
_BESIDE = 10 + _WORD + 2  # cells before the words: time, state, gaps
_LEAST, _LINES = 20, 6  # cells and lines that the words of an event may take


def history_lines(events: Iterable[TunnelEvent], width: int) -> Iterator[Cell]:
    """A line an event, or more where its words need them; the day stands on its own where it changes."""
    day = ""
    for event in events:
        at = event.at.astimezone()
        if day and f"{at:%F}" != day:
            yield ((f"{at:%A %d %B}", Tone.DIM),)
        day = f"{at:%F}"
        sign, tone = STATES[event.state]
        left: Cell = ((f"{at:%H:%M:%S}  ", Tone.DIM), (f"{sign} {event.state.value:<{_WORD - 2}}  ", tone))
        for text in wrapped(visible(event.text), max(_LEAST, width - _BESIDE), most=_LINES):
            yield (*left, (text, Tone.PLAIN))
            left = ((" " * _BESIDE, Tone.PLAIN),)


def history_text(events: Iterable[TunnelEvent]) -> str:
    """The same to be pasted into a report: dates in full, with the offset from UTC."""
    return "".join(map(_plain_line, events))


def _plain_line(event: TunnelEvent) -> str:
    at = event.at.astimezone().isoformat(timespec="seconds")
    return f"{at}  {event.state.value:<{_WORD - 2}}  {visible(event.text)}\n"
