"""Learns from StartSession what the caller may: who it was, what was held of it, and who is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ssm_tui.domain.lessons import Attempt, Lesson, applied, is_good, with_lesson
from ssm_tui.domain.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.domain.access import Access, Verdict
    from ssm_tui.domain.contexts import Caller, Context
    from ssm_tui.domain.nodes import NodeKey
    from ssm_tui.domain.services import Lessons
    from ssm_tui.domain.sessions import SessionSpec
    from ssm_tui.errors import AccessDeniedError


class ForgottenLessons:
    """Lessons of this run alone."""

    def __init__(self) -> None:
        self._kept: tuple[Lesson, ...] = ()

    def all(self) -> tuple[Lesson, ...]:
        """Those so far, oldest first."""
        return self._kept

    def keep(self, lesson: Lesson) -> None:
        """Another one."""
        self._kept = with_lesson(self._kept, lesson)


class School:
    """The lessons, and who wants to know of new ones. May be used from several threads."""

    def __init__(self, lessons: Lessons | None = None) -> None:
        self._lessons: Lessons = lessons or ForgottenLessons()
        self._listeners: list[Callable[[Context], object]] = []

    def attend(self, listener: Callable[[Context], object]) -> None:
        """`listener` is called with the context, in any thread, when something new has been learned there."""
        self._listeners.append(listener)

    def learn(self, caller: Caller, spec: SessionSpec, held: Verdict, error: AccessDeniedError | None) -> Lesson | None:
        """The session was started, or refused by the error. What is learned by it, where that is anything."""
        attempt = Attempt(caller.principal, spec.context.region, spec.kind, spec.target, held, datetime.now(UTC))
        if error is None:
            lesson = attempt.succeeded()
        else:
            refused = attempt.refused(Refusal(error.action, error.resource, error.reason))
            if refused is None:
                return None
            lesson = refused
        if lesson.new:
            self._lessons.keep(lesson)
            for listener in self._listeners:
                listener(spec.context)
        return lesson

    def applied(self, caller: Caller, region: str, portion: Mapping[NodeKey, Access]) -> Mapping[NodeKey, Access]:
        """The access with what was learned of this caller there."""
        now = datetime.now(UTC)
        lessons = [
            each
            for each in self._lessons.all()
            if (each.principal, each.region) == (caller.principal, region) and is_good(each, now)
        ]
        if not lessons:
            return portion
        return {key: applied(key.id, access, lessons) for key, access in portion.items()}
