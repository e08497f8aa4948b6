"""The stub in a process of its own, where its work must not be counted as the work of who asks it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from types import TracebackType
from typing import Self

from tests.wire.server import environment


class WireProcess:
    """A running stub; a context manager. The words are the options of `python -m tests.wire`."""

    def __init__(self, count: int, *words: str) -> None:
        self._argv = [sys.executable, "-m", "tests.wire", str(count), *words]
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.url = self._line()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    def environment(self) -> dict[str, str]:
        """What leads a program here."""
        return environment(self.url)

    def counted(self) -> Counter[str]:
        """How often each operation was called since the last `reset`."""
        return Counter(json.loads(self._asked("calls")))

    def reset(self) -> None:
        """Counts from nothing again."""
        self._asked("reset")

    def _asked(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the stub has ended")
        return line
