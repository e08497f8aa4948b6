"""Verdicts that IAM has given, kept for a while in one context, and the order in which others are asked for."""

from __future__ import annotations

import threading
import time
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from ssm_tui.aws.simulation import Subject
    from ssm_tui.domain.access import Access, Answer, SessionKind
    from ssm_tui.domain.nodes import Node, NodeKey

LASTS = 600.0  # seconds for which a verdict is good, unless something contradicts it


class Group(NamedTuple):
    """Nodes that policies see alike, but for their names. Containers are asked about otherwise than machines."""

    subject: Subject
    containers: bool = False


class Fingerprint(NamedTuple):
    """What can be seen of a principal's policies in two calls: the keys that they look at, and what they say of the
    session documents, with the statements that say it."""

    principal: str
    keys: frozenset[str]
    documents: Mapping[SessionKind, Answer]


class _Kept(NamedTuple):
    group: Group
    access: Access
    at: float


class Verdicts:
    """Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[NodeKey, _Kept] = {}
        self._fingerprint: Fingerprint | None = None
        self._keeping = threading.Lock()

    def begin(self, fingerprint: Fingerprint) -> None:
        """These are the policies now: what others said is forgotten."""
        with self._keeping:
            if fingerprint != self._fingerprint:
                self._kept, self._fingerprint = {}, fingerprint

    def clear(self) -> None:
        """Something has contradicted them: all are asked for again."""
        with self._keeping:
            self._kept, self._fingerprint = {}, None

    def keep(self, fingerprint: Fingerprint, group: Group, access: Mapping[NodeKey, Access]) -> None:
        """IAM has said this, unless its word has been doubted since it was asked."""
        with self._keeping:
            if self._fingerprint == fingerprint:
                now = self._clock()
                self._kept |= {key: _Kept(group, each, now) for key, each in access.items()}

    def of(self, key: NodeKey, group: Group) -> Access | None:
        """What was said of the node, lately and as one of this group."""
        kept = self._kept.get(key)
        good = kept is not None and kept.group == group and self._clock() - kept.at < LASTS
        return kept.access if kept is not None and good else None

    def last(self, key: NodeKey) -> Access | None:
        """What was said last of the node."""
        kept = self._kept.get(key)
        return kept.access if kept is not None else None


class Agenda:
    """The nodes that are still to be asked about, a call's worth at a time. Safe to take from in several threads.

    What somebody looks at comes first, alone where its group is large: a call about a thousand takes its time. That is
    done once a group, so that somebody who scrolls costs no more calls than one who does not.
    """

    def __init__(
        self,
        groups: Mapping[Group, Sequence[Node]],
        chunk: int,
        alone: int,
        looked_at: Callable[[], Collection[NodeKey]],
    ) -> None:
        larger_first = sorted(groups, key=lambda group: len(groups[group]), reverse=True)
        self._waiting = {group: {node.key: node for node in groups[group]} for group in larger_first}
        self._group_of = {node.key: group for group, nodes in groups.items() for node in nodes}
        self._chunk, self._alone, self._looked_at = chunk, alone, looked_at
        self._begun: set[Group] = set()
        self._taking = threading.Lock()

    def take(self) -> tuple[Group, list[Node]] | None:
        """The next ones; None where none are left."""
        with self._taking:
            wanted = [key for key in self._looked_at() if key in self._group_of]
            group = self._group_of[wanted[0]] if wanted else next(iter(self._waiting), None)
            if group is None:
                return None
            waiting = self._waiting[group]
            first = [key for key in wanted if key in waiting]
            if group not in self._begun and first and len(waiting) > self._alone:
                taken = first
            else:
                others = (key for key in waiting if key not in set(first))
                taken = [*first, *islice(others, max(0, self._chunk - len(first)))]
            self._begun.add(group)
            return group, self._removed(group, taken)

    def rest(self) -> Iterable[Node]:
        """All that are left; then none are."""
        with self._taking:
            left = [node for waiting in self._waiting.values() for node in waiting.values()]
            self._waiting, self._group_of = {}, {}
            return left

    def _removed(self, group: Group, keys: Iterable[NodeKey]) -> list[Node]:
        waiting = self._waiting[group]
        taken = [waiting.pop(key) for key in keys]
        for node in taken:
            del self._group_of[node.key]
        if not waiting:
            del self._waiting[group]
        return taken
