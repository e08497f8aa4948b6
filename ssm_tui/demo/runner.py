"""Runs the demo cloud as a process of its own: for `--demo`, for `demo -- COMMAND` and for tests. Imports no moto."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Self

from ssm_tui.demo.environment import READY, read_line
from ssm_tui.demo.patience import Patience
from ssm_tui.errors import SsmTuiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class DemoError(SsmTuiError):
    """The demo cloud did not start."""


class DemoProcess:
    """One cloud in a process of its own; a context manager.

    It lives in a session of its own, so that Ctrl-C in the terminal is not its business, and ends with this process
    however that ends: it watches a pipe that only this process holds. `progress` is called from a thread.
    """

    def __init__(
        self,
        *,
        progress: Callable[[str], None] | None = None,
        pace: str = "unpaced",
        patience: Patience | None = None,
        stop_patience: float = 20.0,
    ) -> None:
        self._progress = progress
        self._pace = pace
        self._stop_patience = stop_patience
        self._service = patience or Patience()
        self._process: subprocess.Popen[str] | None = None
        self._errors: deque[str] = deque(maxlen=20)
        self._reader: threading.Thread | None = None
        self.environment: dict[str, str] = {}
        """The variables that lead to the cloud, to be laid over os.environ. Filled by `start`."""

    @property
    def pid(self) -> int:
        """The cloud's process."""
        if self._process is None:
            raise DemoError("the demo cloud is not running", "call start first")
        return self._process.pid

    def start(self) -> None:
        """Returns when the cloud is up; raises DemoError when it ends instead."""
        command = [sys.executable, "-m", "ssm_tui.demo", "--watch-stdin", "--progress", "--pace", self._pace]
        command += ["--client-patience", str(self._service.client), "--idle-timeout", str(self._service.idle)]
        command += ["--max-duration", str(self._service.longest)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            # The package may be importable from the working directory alone.
            env=os.environ | {"PYTHONUTF8": "1"},
        )
        self._reader = threading.Thread(target=self._read_errors, args=(self._process,), daemon=True)
        self._reader.start()
        try:
            self._read_exports(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the cloud and waits until it has put everything away."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(self._stop_patience)
        except subprocess.TimeoutExpired:
            # Its reaper clears up after it.
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read_exports(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 -- asked for above
        for line in process.stdout:
            if line.strip() == READY:
                return
            variable = read_line(line)
            if variable is not None:
                self.environment[variable[0]] = variable[1]
        process.wait()
        if self._reader is not None:
            self._reader.join()
        said = self._errors[-1] if self._errors else f"exit status {process.returncode}"
        raise DemoError(f"the demo cloud did not start: {said}", "run `ssm-tui demo` to see more")

    def _read_errors(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None  # noqa: S101 -- asked for above
        for line in process.stderr:
            words = line.rstrip("\n")
            self._errors.append(words)
            if self._progress is not None and not self.environment:
                self._progress(words)
