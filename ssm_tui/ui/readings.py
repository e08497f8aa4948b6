"""How the reading of a context stands: what is under way, what was read when, what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssm_tui.domain.lacks import EVERYTHING
from ssm_tui.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ssm_tui.domain.contexts import Note
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.lacks import Lacks
    from ssm_tui.errors import SsmTuiError


@dataclass(slots=True)
class Reading:
    """How the reading of one context stands."""

    parts: set[str] = field(default_factory=set)  # what is still being read: nodes, access, databases
    nodes: int = 0
    since: datetime | None = None  # when all of it was last read to the end
    errors: dict[str, SsmTuiError] = field(default_factory=dict)  # by part
    notes: dict[str, list[Note]] = field(default_factory=dict)  # by part
    account: str | None = None  # whose rows they are
    ended: dict[str, datetime] = field(default_factory=dict)  # by part: when it was last read to the end, ever
    read: set[str] = field(default_factory=set)  # parts that have been read to the end in this run
    waiting: str = ""  # what AWS makes the reading of nodes wait for, in words
    earlier: dict[str, list[Note]] = field(default_factory=dict)  # of the last read, while this one is under way
    asked_for: Filter | None = None  # the last read of nodes, or the one under way, was narrowed to what this matches

    @property
    def lacking(self) -> bool:
        """Of its nodes those alone are known to the end that a filter matched."""
        return self.asked_for is not None and "nodes" not in self.read

    @property
    def busy(self) -> bool:
        """Something is still being read."""
        return bool(self.parts)

    @property
    def stale(self) -> bool:
        """The rows are those of `since`: of an earlier run, or of before it failed."""
        wanted = {"databases"} if self.lacking else {"nodes", "databases"}
        return self.since is not None and bool(self.errors or not self.read >= wanted)

    @property
    def refused(self) -> bool:
        """It could not be read for want of good credentials."""
        return any(isinstance(error, CredentialsError) for error in self.errors.values())

    def begin(self, asked_for: Filter | None) -> None:
        """A read starts, of nodes narrowed to what a filter matches where there is one."""
        self.asked_for = asked_for
        self.parts = {"nodes", "access", "databases"}
        self.nodes, self.notes, self.earlier = 0, {}, self.notes

    def note(self, part: str, notes: Iterable[Note]) -> None:
        """What could not be read, each once."""
        known = self.notes.setdefault(part, [])
        known.extend(note for note in notes if note not in known)

    def lacks(self, part: str) -> Lacks:
        """What of what was asked for could not be read: that something of it was not shown says not that it is gone."""
        partial = [note.lack for note in self.notes.get(part, ()) if note.partial]
        return EVERYTHING if None in partial else frozenset(filter(None, partial))

    def told(self) -> Iterator[Note]:
        """What could not be read; of parts that are being read again, what it was the last time."""
        for part in dict.fromkeys((*self.earlier, *self.notes)):
            now = self.notes.get(part, [])
            yield from now
            if part in self.parts:
                yield from (note for note in self.earlier.get(part, ()) if note not in now)
