"""How the reading of contexts stands: pieces for the top line and notices for what failed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ssm_tui.domain.contexts import Context
from ssm_tui.errors import CredentialsError, RegionNotEnabledError
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.times import ago

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.domain.listing import Counts
    from ssm_tui.errors import SsmTuiError
    from ssm_tui.ui.presentation.cells import Piece
    from ssm_tui.ui.readings import Reading


Naming = Callable[[Context], str] | None
_BEGINNING = re.compile(r".+?(?=: | to )")


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


class State(Enum):
    """How the reading of a context stands: its sign, and the word for it."""

    FRESH = ("●", "fresh", Tone.GOOD)
    READING = ("◐", "reading", Tone.ACCENT)
    STALE = ("◌", "stale", Tone.WARN)
    FAILED = ("✗", "failed", Tone.BAD)
    NOT_ENABLED = ("○", "not enabled", Tone.DIM)

    @property
    def sign(self) -> tuple[str, Tone]:
        """As a piece of a cell."""
        return self.value[0], self.value[2]

    @property
    def word(self) -> str:
        """For people."""
        return self.value[1]


def state_of(reading: Reading) -> State:
    """The one that matters most."""
    if "nodes" in reading.parts:
        return State.READING
    if reading.errors:
        return State.NOT_ENABLED if not_enabled(reading) else State.FAILED
    if reading.busy:
        return State.READING
    return State.STALE if reading.stale and reading.since else State.FRESH


def not_enabled(reading: Reading) -> bool:
    """The account has not enabled the region: there is nothing to be read, and nothing wrong."""
    return bool(reading.errors) and all(isinstance(each, RegionNotEnabledError) for each in reading.errors.values())


def state_cell(reading: Reading, now: datetime) -> Cell:
    """Sign and words: what is read, how far, how old the rows are."""
    state = state_of(reading)
    old = f"stale since {ago(reading.since, now)}" if reading.stale and reading.since else ""
    behind: Cell = ((f", {old}", Tone.WARN),) if old else ()
    match state:
        case State.READING if "nodes" in reading.parts:
            return state.sign, (f" reading {reading.nodes:,}", Tone.DIM), *_waiting_cell(reading.waiting), *behind
        case State.READING:
            return state.sign, (f" {' and '.join(sorted(reading.parts))}", Tone.DIM)
        case State.FAILED:
            return state.sign, (" failed", Tone.BAD), *behind
        case State.NOT_ENABLED:
            return state.sign, (" not enabled", Tone.DIM)
        case State.STALE:
            return state.sign, (f" {old}", Tone.WARN)
    age = ((f" fresh {ago(reading.since, now)}", Tone.DIM),) if reading.since else ()
    return state.sign, *age


def _waiting_cell(words: str) -> Cell:
    """What AWS makes us wait for; how it begins (`throttled`, `no good answer`) by itself, for where there is no room
    for all of it."""
    if not words:
        return ()
    begins = _BEGINNING.match(words)
    at = begins.end() if begins else len(words)
    return tuple((visible(part), Tone.WARN) for part in (f", {words[:at]}", words[at:]) if part)


def context_cell(context: Context, reading: Reading, now: datetime, alias: str = "") -> Cell:
    """A context with its account's alias, and its state."""
    named: Cell = ((f"({visible(alias)}) ", Tone.DIM),) if alias else ()
    return (f"{visible(context.label)} ", Tone.PLAIN), *named, *state_cell(reading, now)


def summary_cell(kinds: Iterable[State], what: str = "") -> Cell:
    """All of them in one line: `51 contexts: 40 fresh, 3 reading, 2 failed`."""
    states = Counter(kinds)
    told: list[Piece] = [(f"{what}: ", Tone.PLAIN)] if what else []
    for state in State:
        if states[state]:
            comma = ", " if len(told) > bool(what) else ""
            tone = state.sign[1] if state in (State.FAILED, State.STALE) else Tone.DIM
            told.append((f"{comma}{states[state]} {state.word}", tone))
    return tuple(told)


def header_ways(readings: Mapping[Context, Reading], aliases: Mapping[str, str], now: datetime) -> list[list[Cell]]:
    """The contexts as the top line may show them, the fullest first: each with alias and state, each with its state,
    all of them in numbers."""
    plain = [context_cell(context, reading, now) for context, reading in readings.items()]
    named = [
        context_cell(context, reading, now, aliases.get(reading.account or "", ""))
        for context, reading in readings.items()
    ]
    if len(readings) < 2:
        return [named, plain]
    return [named, plain, [summary_cell(map(state_of, readings.values()), counted(len(readings)))]]


def counted(contexts: int) -> str:
    """`1 context`, `51 contexts`."""
    return f"{contexts:,} context{'' if contexts == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class ContextRow:
    """A context as a line of their list. `state` and `why` are as of now: a row that says the same is the same."""

    context: Context
    state: Cell
    kind: State
    account: str = ""
    alias: str = ""
    shown: int = 0
    total: int = 0
    why: tuple[tuple[str, str], ...] = ()
    """What could not be read, each with what to do."""

    def lines(self) -> Iterator[Cell]:
        """What is to be said of it below the list."""
        whose = " ".join(filter(None, (self.alias, self.account)))
        yield (visible(self.context.label), Tone.STRONG), (f"   {visible(whose)}" if whose else "", Tone.DIM)
        for message, hint in self.why:
            yield (visible(message), Tone.PLAIN), (f" · {visible(hint)}" if hint else "", Tone.DIM)


def context_row(
    context: Context, reading: Reading, counts: Counts | None, aliases: Mapping[str, str], now: datetime
) -> ContextRow:
    """How the context stands now."""
    errors = {error.message: next_step(error) for error in reading.errors.values()}
    notes = () if reading.refused else reading.told()  # without good credentials everything is missing: said once
    why = (*errors.items(), *((note.message, note.hint) for note in notes))
    return ContextRow(
        context,
        state_cell(reading, now),
        state_of(reading),
        reading.account or "",
        aliases.get(reading.account or "", ""),
        counts.shown if counts else 0,
        counts.total if counts else 0,
        why,
    )


def context_columns() -> tuple[Column[ContextRow], ...]:
    """Of the list of contexts."""
    return (
        Column("CONTEXT", lambda row: plain(row.context.label), 0, least=14, most=40),
        Column("STATE", lambda row: row.state, 1, least=10, most=40),
        Column("NODES", lambda row: plain(_nodes(row), Tone.DIM), 2, least=5, most=15),
        Column("ACCOUNT", lambda row: plain(row.alias or row.account, Tone.DIM), 3, least=8, most=32),
        Column("WHY", lambda row: plain(row.why[0][0] if row.why else ""), 4, least=12, most=60),
    )


def _nodes(row: ContextRow) -> str:
    return f"{row.total:,}" if row.shown == row.total else f"{row.shown:,}/{row.total:,}"


def next_step(error: SsmTuiError) -> str:
    """What to do about it here: for credentials there is a key."""
    return "i signs in" if isinstance(error, CredentialsError) else error.hint


def problems(readings: Mapping[Context, Reading], failure: SsmTuiError | None) -> Iterator[Notice]:
    """Everything that could not be read; failures before notes. What stands in the way of several contexts is said
    once."""
    if failure is not None:
        yield Notice("✗", Tone.BAD, visible(failure.message), visible(failure.hint))
    everywhere = len(readings) > 1 and not all(map(not_enabled, readings.values()))
    errors: dict[tuple[str, str], dict[Context, str]] = {}
    notes: dict[tuple[str, str], dict[Context, str]] = {}
    for context, reading in readings.items():
        for part, error in reading.errors.items():
            if not (everywhere and not_enabled(reading)):  # that is said by its state
                # The same cause usually stops nodes and databases alike: expired credentials are said once.
                where = errors.setdefault((error.message, next_step(error)), {})
                where[context] = "" if context in where else f" {part}"
        # Without good credentials everything is missing: that is said once.
        for note in () if reading.refused else reading.told():
            notes.setdefault((note.message, note.hint), {})[context] = ""
    for sign, tone, found in (("✗", Tone.BAD, errors), ("!", Tone.WARN, notes)):
        for (message, hint), where in found.items():
            yield Notice(sign, tone, f"{_where(where)}: {visible(message)}", visible(hint))


def _where(contexts: Mapping[Context, str]) -> str:
    """`dev·us-east-1 nodes`, `dev in 17 regions`, `51 contexts`."""
    if len(contexts) == 1:
        ((context, part),) = contexts.items()
        return f"{visible(context.label)}{part}"
    profiles = {context.profile for context in contexts}
    if len(profiles) == 1:
        return f"{visible(profiles.pop() or 'default')} in {len(contexts)} regions"
    return f"{len(contexts)} contexts"
