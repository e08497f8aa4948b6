"""Session processes in the background: started under a guard, their lines read, stopped as a group.

The one place that knows how processes are kept on POSIX (a guard per child) and on Windows (a process group).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.sessions import Command

GUARD = Path(__file__).with_name("guard.py")
# The guard's own patience is 6 s (guard.STEPS); beyond it something is badly wrong and the guard is killed.
STOP_SECONDS = 10.0
_KEPT_LINES = 20
_LINE_BYTES = 64 * 1024


class Child:
    """One running session process. `on_line` gets each line of its output, stdout and stderr alike, as it comes."""

    def __init__(self, process: asyncio.subprocess.Process, on_line: Callable[[str], None]) -> None:
        self._process = process
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reader = asyncio.create_task(self._read(on_line))

    @classmethod
    async def start(cls, command: Command, on_line: Callable[[str], None]) -> Child:
        """Starts the command. Raises OSError where not even the guard can be started."""
        guarded = os.name == "posix"
        argv = (sys.executable, "-I", "-S", str(GUARD), *command.argv) if guarded else command.argv
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **command.environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=guarded,
            limit=_LINE_BYTES,
        )
        return cls(process, on_line)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines it said, empty ones left out."""
        return tuple(self._lines)

    async def wait(self) -> int:
        """The exit status, once it has ended and all its lines have been read."""
        await self._reader
        return await self._process.wait()

    async def stop(self) -> int:
        """Ends the process and everything that it started; nothing of it is left when this returns."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # the guard's sign
        if os.name != "posix" and self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    async def _read(self, on_line: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - we asked for a pipe
        while True:
            try:
                raw = await self._process.stdout.readline()
            except ValueError:  # a line beyond the limit, which asyncio has thrown away: nothing we wait for
                continue
            if not raw:
                return
            line = raw.decode("utf-8", "replace").strip()
            if line:
                self._lines.append(line)
                on_line(line)
