"""What StartSession has said about access, from run to run: verdicts and ARNs, no token and no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.lessons import Lesson, with_lesson
from ssm_tui.store.files import KeptFile

if TYPE_CHECKING:
    from pathlib import Path


class KeptLessons:
    """`lessons.json` in the folder; implements `Lessons` (ssm_tui.domain.services). Every method blocks briefly; none
    raises."""

    def __init__(self, folder: Path) -> None:
        self._file: KeptFile[tuple[Lesson, ...]] = KeptFile(folder / "lessons.json", tuple[Lesson, ...], ())

    def all(self) -> tuple[Lesson, ...]:
        """Those that are kept, oldest first; some may be too old by now."""
        return self._file.read()

    def keep(self, lesson: Lesson) -> None:
        """Another one."""
        self._file.change(lambda kept: with_lesson(kept, lesson))
