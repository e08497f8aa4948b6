"""Profiles and regions that were picked while running: the next run that is started alike begins with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.accounts import AS_STARTED, Choice
from ssm_tui.store.files import KeptFile

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 100
"""Ways to be started whose choice is remembered; the oldest are forgotten first."""


class LastPicked:
    """`contexts.json` in the folder; implements `PickedBefore` (ssm_tui.domain.services). `asked` names the profiles
    and regions that the program was started with."""

    def __init__(self, folder: Path, asked: str) -> None:
        self._asked = asked
        self._file: KeptFile[dict[str, Choice]] = KeptFile(folder / "contexts.json", dict[str, Choice], {})

    def last(self) -> Choice:
        """What was picked last."""
        return self._file.read().get(self._asked, AS_STARTED)

    def keep(self, choice: Choice) -> None:
        """This has been picked; as it was started is nothing to keep."""

        def changed(kept: dict[str, Choice]) -> dict[str, Choice]:
            others = [(each, its) for each, its in kept.items() if each != self._asked]
            new = [] if choice == AS_STARTED else [(self._asked, choice)]
            return dict([*others, *new][-MOST:])

        self._file.change(changed)
