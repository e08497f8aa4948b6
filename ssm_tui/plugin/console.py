"""The plugin's stdout and stderr: a thread writes, so that a slow reader never stops the data channel's loop.

What waits to be written is bounded by the caller, who is told when too much waits and when it has drained.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH_WATER: Final = 4 * 1024 * 1024
LOW_WATER: Final = 1024 * 1024
_PIECE: Final = 64 * 1024


class Console:
    """Ordered output to two descriptors. `broken` once stdout has no reader any more."""

    def __init__(self, stdout: int = 1, stderr: int = 2) -> None:
        self.stdout = stdout
        self._stderr = stderr
        self.broken = False
        self._queue: queue.SimpleQueue[tuple[int, bytes] | threading.Event] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._high = False
        self._started = False
        self.patience: float | None = None
        """Seconds that `flush` waits; None: a slow reader gets everything, as from any program."""
        self.on_drained: Callable[[], object] = lambda: None
        """Called in the writing thread when what waits has fallen below the low mark, or stdout broke."""

    @property
    def waiting(self) -> int:
        """Bytes not yet written."""
        return self._waiting

    def line(self, text: str) -> None:
        """A line of the plugin's own on stdout; `text` ends as it should."""
        self.write(text.encode("utf-8", "replace"))

    def note(self, text: str) -> None:
        """A line of the plugin's own on stderr."""
        self.write_error(f"{text}\n".encode("utf-8", "replace"))

    def write(self, data: bytes) -> bool:
        """Queues data for stdout; True when too much waits now, and `on_drained` will be called."""
        return self._put(self.stdout, data)

    def write_error(self, data: bytes) -> bool:
        return self._put(self._stderr, data)

    def flush(self) -> bool:
        """Blocks until all is written, or the patience is over."""
        if not self._started:
            return True
        written = threading.Event()
        self._queue.put(written)
        deadline = None if self.patience is None else time.monotonic() + self.patience
        while not written.wait(0.05):  # short waits, so that a Python-level signal handler gets its turn
            if deadline is not None and time.monotonic() >= deadline:
                return False
        return True

    def _put(self, descriptor: int, data: bytes) -> bool:
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, daemon=True, name="console").start()
        with self._lock:
            self._waiting += len(data)
            self._high = self._high or self._waiting > HIGH_WATER
            high = self._high
        self._queue.put((descriptor, data))
        return high

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            descriptor, data = item
            self._write(descriptor, data)
            with self._lock:
                self._waiting -= len(data)
                drained = self._high and self._waiting <= LOW_WATER
                if drained:
                    self._high = False
            if drained:
                self.on_drained()

    def _write(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(descriptor, view[:_PIECE]) :]
            except BlockingIOError:  # somebody made the descriptor non-blocking
                time.sleep(0.005)
            except OSError:
                if descriptor == self.stdout and not self.broken:
                    self.broken = True
                    self.on_drained()
                return
