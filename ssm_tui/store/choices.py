"""The user's choices about the list, from run to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.choices import Choices
from ssm_tui.store.files import KeptFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class KeptChoices:
    """`choices.json` in the folder; implements `ChoiceMemory` (ssm_tui.ui.services). Every method blocks briefly; none
    raises."""

    def __init__(self, folder: Path) -> None:
        self._file: KeptFile[Choices] = KeptFile(folder / "choices.json", Choices, Choices())

    def read(self) -> Choices:
        """What was chosen, or what holds where nothing was."""
        return self._file.read()

    def change(self, change: Callable[[Choices], Choices]) -> None:
        """Keeps `change` of what is kept: another window's choices stay where this one says nothing of them."""
        self._file.change(change)
