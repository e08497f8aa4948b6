"""What the user has chosen about the list, for all who act on it: in force at once, kept for the next run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.choices import Choices
    from ssm_tui.ui.services import ChoiceMemory


class ChoicesInForce:
    """`now` is what holds."""

    def __init__(self, memory: ChoiceMemory) -> None:
        self._memory = memory
        # One thread: what was chosen last is what stays. Textual's own have no order.
        self._writer = ThreadPoolExecutor(1, "choices")
        self.now = memory.read()

    def change(self, change: Callable[[Choices], Choices]) -> None:
        """Another choice, here and in the next run; another window's choices stay."""
        self.now = change(self.now)
        self._writer.submit(self._memory.change, change)

    def close(self) -> None:
        """Waits until everything is written."""
        self._writer.shutdown()
