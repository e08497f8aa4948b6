"""Runs a session's process over this process's own stdin and stdout, where a program reads them: ssh's ProxyCommand.

The process reads stdin itself. What it writes passes through here, so that stdout carries nothing but the session's
bytes: both plugins begin with a line for people and end with another.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ssm_tui.errors import PrerequisiteError
from ssm_tui.sessions import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from ssm_tui.domain.sessions import Command

_HEAD: Final = b"\nStarting session with SessionId: "
_LONGEST_HEAD: Final = 512
# More than a pipe holds: what the plugin wrote in one piece (its last words are) is then read in one piece.
_READ: Final = 1024 * 1024
# Longer than our plugin needs to end the session at the service.
PATIENCE: Final = 8.0
LINGER: Final = 1.0
_STDOUT: Final = 1


class Stream:
    """The session's bytes out of what a plugin writes on stdout. `words` is what it said besides."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._head = b""
        self._last_words: re.Pattern[bytes] | None = None
        self._begun = False
        self._over = False

    def feed(self, data: bytes) -> bytes:
        """The session's part of it. Nothing of a session is ever kept back."""
        if self._over:
            self._say(data)
            return b""
        if not self._begun:
            data = self._after_head(data)
        if self._last_words and (match := self._last_words.search(data)):
            self._over = True
            self._say(data[match.start() :])
            return data[: match.start()]
        return data

    def end(self) -> bytes:
        """What is left when no more comes."""
        left, self._head = self._head, b""
        return left

    def _after_head(self, data: bytes) -> bytes:
        head = self._head + data
        if not (head.startswith(_HEAD) or _HEAD.startswith(head)):
            self._begun, self._head = True, b""
            return head
        line, newline, rest = head[len(_HEAD) :].partition(b"\n")
        if not newline and len(head) < _LONGEST_HEAD:
            self._head = head
            return b""
        self._begun, self._head = True, b""
        if not newline:
            return head
        # With the session's own id these are no bytes of any far side.
        name = re.escape(line.strip())
        self._last_words = re.compile(
            rb"(?:\n\nSessionId: %b : |\n\nExiting session with sessionId: %b\.|Session: %b timed out\.)"
            % (name, name, name)
        )
        return rest

    def _say(self, data: bytes) -> None:
        self.words += [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]


def run(command: Command) -> int:
    """Carries the session until either side ends it: 0, or 128 + N after signal N.

    Raises SsmTuiError for a session that did not start or did not end in order, BrokenPipeError where nobody reads our
    stdout any more.
    """
    try:
        process = subprocess.Popen(
            command.argv, env={**os.environ, **command.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as problem:
        raise PrerequisiteError(
            f"{command.argv[0]} cannot be started: {problem.strerror}", "is it installed?"
        ) from None
    child = _Child(process)
    with child.signals():
        unread = child.carry()
        status = child.wait()
    if child.signalled:
        return 128 + child.signalled
    if unread:
        raise BrokenPipeError
    words = child.stream.words
    # AWS's plugin leaves with 0 whatever the reason.
    if status or any(line.startswith(("SessionId: ", "Session: ")) for line in words):
        raise reading.why_ended((*child.complaints, *words), status)
    return 0


class _Child:
    """The process that holds the session."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stream = Stream()
        self.complaints: deque[str] = deque(maxlen=50)
        self.signalled = 0
        self._process = process
        self._ended = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="stderr", daemon=True)
        self._listener.start()

    def carry(self) -> bool:
        """Until the process has no more to say. Whether that was for want of a reader."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        with self._process.stdout as source:
            try:
                while data := os.read(source.fileno(), _READ):
                    _write_all(self.stream.feed(data))
                _write_all(self.stream.end())
            except OSError:
                self.stop()
                return True
        return False

    def wait(self) -> int:
        """The exit status."""
        status = self._process.wait()
        self._ended.set()
        # What it left behind may hold its stderr; nothing more is wanted of that.
        self._listener.join(1.0)
        return status

    def stop(self) -> None:
        """Asks it to end in order; after a while it is killed."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        threading.Thread(target=self._see_out, name="end", daemon=True).start()

    def _see_out(self) -> None:
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if not self._ended.wait(LINGER):
            # The AWS CLI has left its plugin behind, which holds the pipes. With us goes the other end of its stdout,
            # and whoever reads ours lets go of its stdin: that ends it.
            os._exit(128 + self.signalled if self.signalled else 1)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Whoever ends us ends the session: ssh sends SIGHUP when it leaves, a terminal SIGINT."""

        def stop(number: int, _frame: FrameType | None) -> None:
            if self.signalled:
                self._process.kill()
            else:
                self.signalled = number
                self.stop()

        names = ("SIGINT", "SIGTERM", "SIGHUP")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {number: signal.signal(number, stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        with self._process.stderr as said:
            for line in said:
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self.complaints.append(text)


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(_STDOUT, view) :]
        except BlockingIOError:  # whoever shares it with us made it so
            select.select([], [_STDOUT], [])
