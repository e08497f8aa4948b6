"""What is known and how it stays so: rows of the last run at once, then read, kept, read again by key or quietly."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ssm_tui.background import in_background
from ssm_tui.domain.narrowing import NOTHING_NARROWED, narrowing
from ssm_tui.ui.presentation.contexts import not_enabled
from ssm_tui.ui.reader import NONE_ANSWERED, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from textual.message import Message

    from ssm_tui.domain.accounts import Choice
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import NodeKey
    from ssm_tui.domain.snapshots import Snapshot
    from ssm_tui.ui.catalog import Catalog
    from ssm_tui.ui.services import Services

VERDICTS_LAST = timedelta(minutes=10)  # then a quiet read asks for the access to all nodes again
LONGEST = 600.0  # seconds between two quiet reads while nobody is there


class Pace:
    """When to read again unasked: `least` seconds after a read, twice as long after each one that nobody sat before."""

    def __init__(self, least: float) -> None:
        self._least = self._wait = least
        self._last: datetime | None = None

    def ended(self, now: datetime) -> None:
        """A read has ended."""
        self._last = now

    def touched(self) -> None:
        """Somebody is there."""
        self._wait = self._least

    def due(self, now: datetime) -> bool:
        """Whether it is time; then the next one comes later."""
        if not self._least or self._last is None or now - self._last < timedelta(seconds=self._wait):
            return False
        self._wait = max(self._least, min(2 * self._wait, LONGEST))
        return True


class Knowledge:
    """The one who starts reads. On the event loop's thread; what is read comes as messages."""

    def __init__(self, services: Services, catalog: Catalog, post: Callable[[Message], object]) -> None:
        self._clock, self._memory, self._catalog = services.clock, services.memory, catalog
        self._clouds = services.clouds
        self._again: set[Context] = set()
        self._access_asked: dict[Context, datetime] = {}  # when it was asked for of all nodes
        self._doubted: set[Context] = set()  # what is known of access there is asked for again after the read
        self._reader = Reader(services.clouds, post)
        self._pace = Pace(services.settings.refresh_seconds)
        self._found = False
        self._asked_for: Filter | None = None
        self._rest: list[Iterator[Snapshot]] = []  # rows of the last run that are still to be told

    def recall(self) -> tuple[Context, ...]:
        """Takes in the first rows of the last run, for the first paint. The contexts they are of."""
        contexts = self._memory.contexts()
        return tuple(context for context in contexts if self._recall(context))

    def _recall(self, context: Context) -> bool:
        portions = self._memory.recall(context)
        first = next(portions, None)
        if first is None:
            return False
        self._catalog.recall(first)
        self._rest.append(portions)
        return True

    def begin(self) -> None:
        """What the first paint need not wait for: the other rows of the last run, and which contexts there are."""
        self._recall_rest()
        self.find_contexts()

    def _recall_rest(self) -> None:
        rest, self._rest = self._rest, []
        for portions in rest:
            self._reader.recall(portions)

    def find_contexts(self) -> None:
        """Begins to look which contexts there are; they come as a message."""
        self._reader.find_contexts()

    def choose(self, choice: Choice) -> None:
        """Other contexts are wanted: those that are not among them go at once, which else there are is looked up."""
        self._keep_only([context for context in self._catalog.readings if choice.admits(context)])
        self.find_contexts()

    def found(self, contexts: tuple[Context, ...]) -> None:
        """These are the contexts: reads those that have not been read yet."""
        self._found = True
        self._keep_only(contexts)
        for context in contexts:
            known = self._catalog.readings.get(context)
            if known is None:
                self._recall(context)
            if known is None or not known.read:
                self._read(context)
        self._keep_only(contexts)  # in this order
        self._recall_rest()
        in_background(lambda: self._memory.found(contexts), "keep the contexts")

    def _keep_only(self, contexts: Sequence[Context]) -> None:
        for context in set(self._catalog.readings) - set(contexts):
            self._reader.stop(context)
        self._catalog.keep_only(contexts)

    def not_found(self) -> None:
        """There are none: they are looked for again as rows would be."""
        self._found = False
        self._pace.ended(self._clock())

    def refresh(self, *, quietly: bool = False) -> None:
        """Reads everything again; quietly, only the access that may have changed."""
        if not self._found:
            self.find_contexts()
        # The user may have signed in by another program: what is known of the old credentials is forgotten.
        for profile in {context.profile for context, reading in self._catalog.readings.items() if reading.refused}:
            self._clouds.renew(profile)
        for context, reading in tuple(self._catalog.readings.items()):
            if not (quietly and not_enabled(reading)):  # nobody enables a region without knowing
                self._read(context, quietly=quietly)

    def read_again(self, context: Context) -> None:
        """Reads this one again."""
        if self._catalog.readings[context].refused:
            self._clouds.renew(context.profile)
        self._read(context)

    def refresh_when_due(self) -> bool:
        """Reads again after a while; less and less often while nobody is there."""
        readings = self._catalog.readings.values()
        # One that hangs does not keep the others from being read again.
        busy = bool(readings) and all(reading.busy for reading in readings)
        if busy or not self._pace.due(self._clock()):
            return False
        self.refresh(quietly=True)
        return True

    def look_at(self, nodes: Iterable[NodeKey]) -> None:
        """These are on the screen."""
        self._reader.looked_at = tuple(nodes)

    def learned(self, context: Context) -> None:
        """StartSession has said something new about access there. One verdict that was wrong speaks against the others
        of its kind: all are asked for again, which costs no call where nothing was wrong."""
        reading = self._catalog.readings.get(context)
        if reading is not None and "access" in reading.parts:
            self._doubted.add(context)
        elif reading is not None:
            self._doubted.discard(context)
            self._reader.ask_access(context, self._catalog.nodes_of(context))

    def step_aside(self, profile: str | None) -> None:
        """What is read with this profile waits for the user; the rest goes on."""
        self._reader.step_aside(profile)

    def step_back(self, profile: str | None) -> None:
        """It goes on."""
        self._reader.step_back(profile)

    def touched(self) -> None:
        """The user is there."""
        self._pace.touched()

    def signed_in(self, profile: str | None) -> None:
        """Reads what could not be read with the profile's old credentials."""
        self._memory.renew(profile)
        for context, reading in tuple(self._catalog.readings.items()):
            if context.profile == profile and reading.busy:
                self._again.add(context)  # what is under way began with the old ones
            elif context.profile == profile and reading.errors:
                self._read(context)
        self.find_contexts()  # which regions are enabled was perhaps not known before

    def belongs_to(self, context: Context, account: str) -> None:
        """Whose the context is: rows of another account go at once, from the disk too."""
        if context in self._catalog.readings and self._catalog.belongs_to(context, account):
            in_background(lambda: self._memory.forget(context), "forget rows")

    def part_ended(self, context: Context) -> None:
        """A part of a read has ended; what is good is kept when all have."""
        self._pace.ended(self._clock())
        reading = self._catalog.readings[context]
        if context in self._again and not reading.busy:
            self._again.discard(context)
            if reading.errors:
                self._read(context)
        if context in self._doubted:
            self.learned(context)
        snapshot = self._catalog.snapshot(context)
        if snapshot is not None:
            in_background(lambda: self._memory.keep(snapshot), "keep rows")

    def close(self) -> None:
        """Reads under way come to nothing."""
        self._reader.close()

    def ask_for(self, wanted: Filter | None) -> None:
        """Of nodes no more is read from now on than what the filter matches; None for all. Where less is known than
        that, it is read now."""
        asked_for = wanted if wanted is not None and narrowing(wanted) else None
        if asked_for == self._asked_for:
            return
        self._asked_for = asked_for
        for context, reading in tuple(self._catalog.readings.items()):
            if reading.asked_for is not None:  # of others what is known is older, or nothing
                self._reader.stop(context)
                self._catalog.stopped(context)
                self._read(context)

    def _read(self, context: Context, *, quietly: bool = False) -> None:
        if self._catalog.begin(context, self._asked_for):
            now = self._clock()
            asked = self._access_asked.get(context)
            good = quietly and asked is not None and now - asked < VERDICTS_LAST
            if not good:
                self._access_asked[context] = now
            answered = self._catalog.answered(context) if good else NONE_ANSWERED
            self._reader.read(context, answered, narrowing(self._asked_for) if self._asked_for else NOTHING_NARROWED)
