"""The question before a session in production, on the terminal; where nobody can be asked, an option says yes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ssm_tui.domain.production import is_production
from ssm_tui.errors import SessionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import Node


def confirm(mark: Filter | None, subjects: Iterable[Node | Database | None], *, yes: bool) -> None:
    """Asks once for all that is production among these. Raises UsageError where nobody can be asked, SessionError where
    the answer is no."""
    guarded = [each for each in subjects if each is not None and is_production(mark, each)]
    if not guarded or yes or mark is None:
        return
    from ssm_tui.domain.databases import Database
    from ssm_tui.ui.presentation.text import visible

    names = ", ".join(visible(each.id if isinstance(each, Database) else each.label) for each in guarded)
    said = f"{names} {'are' if len(guarded) > 1 else 'is'} production ({visible(mark.text)})"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(said, "nobody can be asked here: say --yes")
    print(f"{said}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise SessionError(f"nothing was started: {said}", "answer y to go on, or say --yes")
