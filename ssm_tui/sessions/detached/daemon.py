"""Turning into a process that nothing ends but its own work, a signal or the machine's end. POSIX."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_READY = b"r"


class Starting:
    """Held by the detached process until it can say whether it serves; without a word it says that it cannot."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def serves(self) -> None:
        """Lets the process that started this one end well."""
        os.write(self._descriptor, _READY)
        os.close(self._descriptor)


def detach() -> Starting:
    """Returns in a process of its own session, which no terminal's end reaches and which starts as nobody's child. The
    calling process ends here: with 0 once the other serves, else with 1.

    To be called early: no thread may run yet.
    """
    heard, says = os.pipe()
    if os.fork():
        os.close(says)
        # To the end of the pipe: the other has said its word, or has died.
        os._exit(0 if os.read(heard, 1) == _READY else 1)
    os.close(heard)
    os.setsid()
    os.umask(0o077)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)  # nobody waits for the end of its output
    os.close(nowhere)
    os.chdir(Path(sys.executable).anchor)
    return Starting(says)
