"""What a shell shows while its data channel is away: one dim line at the bottom, gone when the channel is back.

Only after some seconds (most outages are shorter), and only on a terminal. The cursor stays where it is.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin import terminal

if TYPE_CHECKING:
    from ssm_tui.plugin.console import Console

_INTERRUPT: Final = b"\x03"
_ENOUGH: Final = 3
_SHOW: Final = "\x1b7\x1b[{row};1H\x1b[2K\x1b[2m{text}\x1b[22m\x1b8"
_HIDE: Final = "\x1b7\x1b[{row};1H\x1b[2K\x1b8"


class OutageNote:
    """`patience` are the seconds before it is shown."""

    def __init__(self, console: Console, descriptor: int, patience: float) -> None:
        self._console = console
        self._descriptor = descriptor
        self._patience = patience
        self._cause = ""
        self._timer: asyncio.TimerHandle | None = None
        self._shown = False
        self._interrupts = 0

    def lost(self, cause: str) -> None:
        self._cause = cause
        if self._shown:
            self._show()
        elif self._timer is None and os.isatty(self._console.stdout):
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._show)

    def back(self) -> bool:
        """Takes the note away; whether there was one, and something of the screen is missing now."""
        shown, self._shown, self._interrupts = self._shown, False, 0
        self._stop()
        if shown:
            self._console.line(_HIDE.format(row=self._size()[1]))
        return shown

    def gives_up(self, typed: bytes) -> bool:
        """Whether these keys, typed while the note is there, say that the user does not want to wait any longer."""
        if not self._shown:
            return False
        self._interrupts = self._interrupts + len(typed) if not typed.strip(_INTERRUPT) else 0
        return self._interrupts >= _ENOUGH

    def close(self) -> None:
        """The session is over; what is on the screen stays readable."""
        self.back()

    def _show(self) -> None:
        self._stop()
        self._shown = True
        columns, rows = self._size()
        cause = "".join(c for c in self._cause if c.isprintable())
        text = f"[connection lost: {cause}; resuming. Ctrl-C three times gives up]"
        self._console.line(_SHOW.format(row=rows, text=text[: columns - 1]))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _size(self) -> tuple[int, int]:
        return terminal.size(self._console.stdout, self._descriptor)
