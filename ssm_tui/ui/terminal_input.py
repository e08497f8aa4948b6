"""The terminal's input on POSIX: Textual's own driver, which bytes that are no text do not end."""

from __future__ import annotations

import os
import select

from textual.drivers.linux_driver import LinuxDriver

PAUSE = 0.1  # seconds without input after which it is typing again
CHUNK = 4096


class ToughDriver(LinuxDriver):
    """Pasted pieces of a program or a picture end the input thread of Textual's, and the app with all its tunnels."""

    def run_input_thread(self) -> None:
        """Throws such input away to its end: the rest of a paste would be taken for keys."""
        while True:
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                self._skip()
            else:
                return

    def _skip(self) -> None:
        while not self.exit_event.is_set() and select.select([self.fileno], [], [], PAUSE)[0]:
            if not os.read(self.fileno, CHUNK):
                return  # the terminal is gone; Textual's own finds that out
