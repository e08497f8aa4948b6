"""A program in a real pseudo-terminal, looked at through a terminal emulator: what a person sees and types."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import pyte

PATIENCE = 30.0
# Sequences that pyte does not know and would print: keyboard protocol (CSI < = > … u), mode queries (CSI ? … $ p),
# window reports (CSI … t), strings for the terminal (DCS, APC).
_UNKNOWN = re.compile(rb"\x1b\[[<=>?][0-9;]*u|\x1b\[\??[0-9;]*\$p|\x1b\[[0-9;]*t|\x1b[P_][^\x1b]*\x1b\\")
# Synchronized output: asked for, granted, and the marks around each frame.
_ASKED, _GRANTED = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
FRAME_BEGINS, FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
_INCOMPLETE = re.compile(rb"\x1b(?:\[[0-9;<=>?$]*|[P_\]][^\x1b\x07]*)?$")

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "tab": "\t",
    "ctrl+c": "\x03",
    "ctrl+d": "\x04",
    "ctrl+z": "\x1a",
    "backspace": "\x7f",
}


class Terminal:
    """Runs argv in a terminal of its own, as the leader of a session, like a shell would."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], *, columns: int = 120, rows: int = 35
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._rest = b""
        self._painting = False
        self.raw = bytearray()
        self._ours, theirs = pty.openpty()
        self._set_size(columns, rows)
        os.set_blocking(self._ours, False)
        self.process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            start_new_session=True,
            # The child must make the terminal its controlling one itself; no other thread of ours holds a lock here.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            until = time.monotonic() + 15
            # Whoever writes its last words to a full terminal does not end before they are read.
            while self.process.poll() is None and time.monotonic() < until:
                self.read(0.05)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        with suppress(OSError):
            os.close(self._ours)

    @property
    def text(self) -> str:
        """The screen as lines without trailing spaces."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def title(self) -> str:
        """The window's title, as the program (or what it shows) has set it."""
        return str(self._screen.title)

    def send(self, *keys: str) -> None:
        """Presses keys by name (KEYS) or types text."""
        for key in keys:
            data = KEYS.get(key, key).encode()
            while data:
                self.read(0)
                try:
                    data = data[os.write(self._ours, data) :]
                except BlockingIOError:
                    continue

    def resize(self, columns: int, rows: int) -> None:
        """The window gets another size."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)
        os.kill(self.process.pid, signal.SIGWINCH)

    def wait_for(self, wanted: str | Callable[[str], bool], *, within: float = PATIENCE) -> str:
        """Reads until the screen shows a text (or satisfies a test); the screen then. AssertionError in the end.

        Half a frame is not looked at: what it has not painted over yet is of the frame before.
        """
        test = wanted if callable(wanted) else lambda screen: wanted in screen
        until = time.monotonic() + within
        while self._painting or not test(self.text):
            left = until - time.monotonic()
            assert left > 0, f"not seen within {within} s: {wanted!r}\n{self.text}"
            if not self.read(min(left, 0.5)) and self.process.poll() is not None and not self.read(0.2):
                raise AssertionError(f"ended with {self.process.returncode} before {wanted!r}\n{self.text}")
        return self.text

    def wait_end(self, within: float = PATIENCE) -> int:
        """Reads until the program has ended; its exit status."""
        until = time.monotonic() + within
        while self.process.poll() is None:
            self.read(0.1)
            assert time.monotonic() < until, f"still running after {within} s\n{self.text}"
        while self.read(0.1):
            pass
        return int(self.process.returncode)

    def read(self, patience: float) -> bool:
        """Takes what has come, waiting at most so long for it; whether anything came."""
        ready, _, _ = select.select([self._ours], [], [], patience)
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65536)
        except (BlockingIOError, OSError):
            return False
        self.raw += data
        if _ASKED in self.raw[-len(data) - len(_ASKED) :]:
            os.write(self._ours, _GRANTED)
        self._painting = self.raw.rfind(FRAME_BEGINS) > self.raw.rfind(FRAME_ENDS)
        data = _UNKNOWN.sub(b"", self._rest + data)
        cut = _INCOMPLETE.search(data[-256:])
        keep = len(cut[0]) if cut else 0
        self._rest = data[len(data) - keep :]
        self._stream.feed(data[: len(data) - keep])
        return bool(data)

    def attributes(self) -> list[object]:
        """The terminal's modes (termios), to compare before and after."""
        return list(termios.tcgetattr(self._ours))

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def processes(*signs: str) -> list[str]:
    """The command lines of live processes that have every sign in their argv or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            if all(sign.encode() in words for sign in signs):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
