"""How the reading of contexts stands: pieces for the top line and notices for what failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.contexts import Context
from ssm_tui.ui.presentation.cells import Cell, Tone
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.times import ago

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.errors import SsmTuiError
    from ssm_tui.ui.catalog import Reading


Naming = Callable[[Context], str] | None


def naming(contexts: Sequence[Context]) -> Naming:
    """How rows name their context: by what tells those that are open apart; None for a single one."""
    if len(contexts) < 2:
        return None
    if len({context.profile for context in contexts}) == 1:
        return lambda context: context.region
    if len({context.region for context in contexts}) == 1:
        return lambda context: context.profile or "default"
    return lambda context: context.label


@dataclass(frozen=True, slots=True)
class Notice:
    """What went wrong and what to do, on one line where both fit, else on two."""

    sign: str
    tone: Tone
    message: str
    hint: str = ""


def context_cell(context: Context, reading: Reading, now: datetime) -> Cell:
    """A context and its state."""
    label = (f"{visible(context.label)} ", Tone.PLAIN)
    old = f"stale since {ago(reading.since, now)}" if reading.stale and reading.since else ""
    if "nodes" in reading.parts:
        count = f" reading {reading.nodes:,}"
        return label, ("◐", Tone.ACCENT), (count, Tone.DIM), (f", {old}" if old else "", Tone.WARN)
    if reading.errors:
        return label, ("✗", Tone.BAD), (" failed", Tone.BAD), (f", {old}" if old else "", Tone.WARN)
    if reading.busy:
        rest = " and ".join(sorted(reading.parts))
        return label, ("◐", Tone.ACCENT), (f" {rest}", Tone.DIM)
    if old:
        return label, ("◌", Tone.WARN), (f" {old}", Tone.WARN)
    if reading.since is None:
        return label, ("●", Tone.GOOD)
    return label, ("●", Tone.GOOD), (" fresh", Tone.DIM), (f" {ago(reading.since, now)}", Tone.DIM)


def problems(readings: Mapping[Context, Reading], failure: SsmTuiError | None) -> Iterator[Notice]:
    """Everything that could not be read; failures before notes."""
    if failure is not None:
        yield Notice("✗", Tone.BAD, visible(failure.message), visible(failure.hint))
    told: set[tuple[Context, str]] = set()
    for context, reading in readings.items():
        for part, error in reading.errors.items():
            # The same cause usually stops nodes and databases alike: expired credentials are said once.
            if (context, error.message) not in told:
                told.add((context, error.message))
                where = f"{visible(context.label)} {part}"
                yield Notice("✗", Tone.BAD, f"{where}: {visible(error.message)}", visible(error.hint))
    for context, reading in readings.items():
        for note in reading.told():
            yield Notice("!", Tone.WARN, f"{visible(context.label)}: {visible(note.message)}", visible(note.hint))
