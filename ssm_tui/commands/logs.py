"""The log file: states and causes of tunnels, for whoever looks afterwards. Never a secret, never in anybody's way."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.secrets import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

MOST_BYTES = 1_000_000
KEPT = 2
"""Old files beside the one that is written: three in all."""
LONGEST = 4_000
LOGGER = "ssm_tui"


def start_log(file: Path) -> None:
    """Lets everything that this program logs go to the file, and nowhere else.

    Where the file cannot be written there is no log: a program that works without one must not fail for it.
    """
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for old in tuple(logger.handlers):
        logger.removeHandler(old)
        old.close()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = SharedLog(file)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(RedactingFormatter())
    logger.addHandler(handler)


class RedactingFormatter(logging.Formatter):
    """A line for each record: time, level, process, where from, what; secrets and control characters taken out."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} [{process}] {name}: {message}", "%Y-%m-%dT%H:%M:%S%z", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line. Foreign text in it stays on it: no line may pass for another's."""
        record.message = "".join(
            char if char.isprintable() else f"\\x{ord(char):02x}" for char in redacted(record.message[:LONGEST])
        )
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """A mistake of our own: where it happened. Foreign text may be in its words."""
        return redacted(super().formatException(ei))


class SharedLog(RotatingFileHandler):
    """A rotating file that only the user may read, and that several processes of ours write at a time.

    Each record is written under a lock, to the file that has the name at that moment: another process may have moved
    away the one that is open here.
    """

    def __init__(self, file: Path) -> None:
        self._lock_file = file.with_name(f"{file.name}.lock")
        super().__init__(file, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record."""
        try:
            with _alone(self._lock_file):
                self._follow()
                super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk is no reason to write on the user's screen, nor to stop."""

    def _follow(self) -> None:
        try:
            named = Path(self.baseFilename).stat()
        except FileNotFoundError:
            named = None
        if self.stream is not None and named is not None:
            opened = os.fstat(self.stream.fileno())
            if (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino):
                return
        if self.stream is not None:
            self.stream.close()
        self.stream = self._open()

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if os.name == "posix" and stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Waits until no other process of ours writes the log. Windows, where it could not be moved while another has it
    open, does without."""
    if os.name != "posix":
        yield
        return
    import fcntl

    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
