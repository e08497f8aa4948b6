"""The user's terminal: raw input for the time of a session, restored on every way out. POSIX; elsewhere it says so."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Final

NO_TERMINAL: Final = (300, 100)
"""Columns and rows that AWS's plugin reports where there is no terminal."""

if sys.platform == "win32":

    class Terminal:
        """Windows: shells are left to AWS's plugin; port forwarding needs no terminal."""

        supported = False

        def __init__(self, descriptor: int = 0) -> None:
            self.descriptor = descriptor

        def make_raw(self) -> None:
            return

        def restore(self) -> None:
            return

else:
    import termios

    class Terminal:
        """The terminal on stdin, if it is one."""

        supported = True

        def __init__(self, descriptor: int = 0) -> None:
            self.descriptor = descriptor
            self._saved: list[Any] | None = None

        def make_raw(self) -> None:
            """Every key goes to the far side as it is, Ctrl-C included. Nothing happens where there is no terminal.

            Output processing stays on: what a remote command without a terminal of its own prints has bare line feeds.
            """
            if self._saved is not None or not os.isatty(self.descriptor):
                return
            with contextlib.suppress(termios.error):
                saved = termios.tcgetattr(self.descriptor)
                mode = termios.tcgetattr(self.descriptor)
                mode[0] &= ~(
                    termios.BRKINT
                    | termios.ICRNL
                    | termios.INLCR
                    | termios.IGNCR
                    | termios.INPCK
                    | termios.ISTRIP
                    | termios.IXON
                )
                mode[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
                mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
                self._saved = saved
                termios.tcsetattr(self.descriptor, termios.TCSADRAIN, mode)

        def restore(self) -> None:
            saved, self._saved = self._saved, None
            if saved is not None:
                with contextlib.suppress(termios.error):  # the terminal is gone
                    termios.tcsetattr(self.descriptor, termios.TCSANOW, saved)


def size(*descriptors: int) -> tuple[int, int]:
    """Columns and rows of the first of the descriptors that is a terminal."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(descriptor)
            if columns > 0 and rows > 0:
                return columns, rows
    return NO_TERMINAL
