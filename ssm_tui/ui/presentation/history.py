"""What became of a tunnel, as lines: when, the state, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.ui.presentation.cells import Cell, Tone
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.tunnels import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssm_tui.domain.tunnels import TunnelEvent

_WORD = 14  # cells of the longest state with its sign


def history_lines(events: Iterable[TunnelEvent]) -> Iterator[Cell]:
    """A line an event; the day stands on a line of its own where it changes."""
    day = ""
    for event in events:
        at = event.at.astimezone()
        if day and f"{at:%F}" != day:
            yield ((f"{at:%A %d %B}", Tone.DIM),)
        day = f"{at:%F}"
        sign, tone = STATES[event.state]
        yield (
            (f"{at:%H:%M:%S}  ", Tone.DIM),
            (f"{sign} {event.state.value:<{_WORD - 2}}  ", tone),
            (visible(event.text), Tone.PLAIN),
        )


def history_text(events: Iterable[TunnelEvent]) -> str:
    """The same to be pasted into a report: dates in full, with the offset from UTC."""
    return "".join(map(_plain_line, events))


def _plain_line(event: TunnelEvent) -> str:
    at = event.at.astimezone().isoformat(timespec="seconds")
    return f"{at}  {event.state.value:<{_WORD - 2}}  {visible(event.text)}\n"
