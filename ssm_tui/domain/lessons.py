"""What StartSession itself has said about the caller's access: kept for a while, and put before what IAM would not
tell, or told wrongly. Pure."""

from __future__ import annotations

# Lessons are written to files and read back: what their fields are is looked up at run time.
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ssm_tui.domain.access import Access, Answer, SessionKind, Verdict
from ssm_tui.domain.containers import read_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssm_tui.domain.refusals import Refusal

LASTS = timedelta(hours=4)
MOST = 500  # that are kept; the oldest are forgotten first
_ACTIONS = ("ssm:StartSession", "ecs:ExecuteCommand")
STARTED = "a session of this kind was started"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Learned of one principal (its ARN) in one region. `node` is an id; empty where the session document is what was
    refused, which holds for every node. `against` is what was held of it until then."""

    principal: str
    region: str
    kind: SessionKind
    node: str
    answer: Answer
    against: Verdict
    learned: datetime

    @property
    def contradicts(self) -> bool:
        """What was held was known, and wrong: the like was perhaps wrong too."""
        return self.against not in (Verdict.UNKNOWN, self.answer.verdict)

    @property
    def new(self) -> bool:
        """It was not held already."""
        return self.against is not self.answer.verdict


@dataclass(frozen=True, slots=True)
class Attempt:
    """A session that was asked for: by whom, of which kind, where, and what was held of it."""

    principal: str
    region: str
    kind: SessionKind
    node: str
    held: Verdict
    at: datetime

    def succeeded(self) -> Lesson:
        """It was started."""
        return self._lesson(self.node, Answer(Verdict.ALLOWED, STARTED))

    def refused(self, refusal: Refusal) -> Lesson | None:
        """It was refused; nothing is learned where that was for the want of some other right."""
        if refusal.action not in _ACTIONS:
            return None
        everywhere = ":document/" in refusal.resource
        return self._lesson("" if everywhere else self.node, refusal.answer)

    def _lesson(self, node: str, answer: Answer) -> Lesson:
        return Lesson(self.principal, self.region, self.kind, node, answer, self.held, self.at)


def with_lesson(lessons: Iterable[Lesson], new: Lesson) -> tuple[Lesson, ...]:
    """The lessons and a new one, which takes the place of what it outdates: the same point, and where a session has
    been started the refusal of its document."""
    points = {new.node, ""} if new.answer.verdict is Verdict.ALLOWED else {new.node}
    same = (new.principal, new.region, new.kind)
    rest = (e for e in lessons if (e.principal, e.region, e.kind) != same or e.node not in points)
    return (*(each for each in rest if is_good(each, new.learned)), new)[-MOST:]


def is_good(lesson: Lesson, now: datetime) -> bool:
    """It is not too old to be believed, nor of a clock that was wrong."""
    return timedelta(0) <= now - lesson.learned < LASTS


def applied(node: str, access: Access, lessons: Iterable[Lesson]) -> Access:
    """The access to a node with what was learned, oldest first. What IAM tells stands, unless it is what the lesson was
    against: when policies change, IAM's word changes too."""
    for lesson in lessons:
        if lesson.node not in ("", node):
            continue
        held = access.of(lesson.kind)
        if held.verdict in (Verdict.UNKNOWN, lesson.against) and held.verdict is not lesson.answer.verdict:
            access = access.having(lesson.kind, lesson.answer)
        if lesson.node and lesson.answer.verdict is Verdict.DENIED and lesson.answer.resource:
            access = _also_elsewhere(node, access, lesson)
    return access


def _also_elsewhere(node: str, access: Access, lesson: Lesson) -> Access:
    """A node that was refused as such is refused for every kind, where nothing better is known. A container's shell is
    another action's."""
    for kind in SessionKind:
        apart = read_target(node) is not None and SessionKind.SHELL in (kind, lesson.kind)
        if kind is not lesson.kind and not apart and access.of(kind).verdict is Verdict.UNKNOWN:
            reason = f"AWS refused the node when a session of the kind {lesson.kind} was tried"
            access = access.having(kind, replace(lesson.answer, reason=reason))
    return access
