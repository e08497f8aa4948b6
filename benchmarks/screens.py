"""A program in a pseudo-terminal, timed by the bytes that it paints; no emulator, whose work would be measured too."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import psutil

COLUMNS, ROWS = 120, 35
PATIENCE = 240.0
# Synchronized output, asked for and granted: frames come whole, and their ends are marked.
_ASKED, _GRANTED, FRAME_ENDS = b"\x1b[?2026$p", b"\x1b[?2026;2$y", b"\x1b[?2026l"
_KEPT = 1 << 16
"""Bytes of the painted that are looked at again: what is waited for may come in two pieces."""


class Painted:
    """A running program and what it paints; a context manager, at whose end it is killed."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._tail = b""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **environment},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)

    def until(self, *wanted: bytes) -> float:
        """The moment (monotonic) at which all of these have been painted since the last such moment."""
        left = set(wanted)
        while left:
            self._read(PATIENCE, f"{sorted(left)} is not painted")
            left = {each for each in left if each not in self._tail}
        self._tail = b""
        return time.monotonic()

    def type(self, text: str, quiet: float) -> float:
        """Seconds from these keys to the end of the last frame that they lead to: the one before some quiet."""
        begun = time.monotonic()
        os.write(self._ours, text.encode())
        painted = begun
        self._tail = b""
        while select.select([self._ours], [], [], quiet)[0]:
            self._read(1.0, "")
            if FRAME_ENDS in self._tail:
                painted, self._tail = time.monotonic(), b""
        return painted - begun

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def drain(self, quiet: float) -> None:
        """Reads until nothing has come for so long."""
        while select.select([self._ours], [], [], quiet)[0]:
            self._read(1.0, "")
        self._tail = b""

    def memory(self) -> float:
        """Resident megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def work(self) -> float:
        """Seconds of processor time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def end(self) -> None:
        """Leaves by q, and waits until the program has ended."""
        self.press("q")
        until = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < until:
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    os.read(self._ours, 65536)
                except OSError:
                    break
        self.process.wait(10)

    def _read(self, patience: float, failure: str) -> None:
        if not select.select([self._ours], [], [], patience)[0]:
            raise RuntimeError(failure)
        try:
            data = os.read(self._ours, 65536)
        except OSError as problem:
            raise RuntimeError(f"{failure}: it has ended") from problem
        if _ASKED in data:
            os.write(self._ours, _GRANTED)
        self._tail = (self._tail + data)[-_KEPT:]
