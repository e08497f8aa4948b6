"""Session processes in the background: started under a guard, their lines read, stopped as a group.

The one place that knows how processes are kept on POSIX (a guard per child) and on Windows (a process group).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.sessions import Command

GUARD = Path(__file__).with_name("guard.py")
# The guard's own patience is 6 s (guard.STEPS); beyond it something is badly wrong and the guard is killed.
STOP_SECONDS = 10.0
# A process has ended, but not its output: something that it started has it still.
_LAST_LINES_SECONDS = 1.0
_STEP_SECONDS = 2.0
_KEPT_LINES = 20
_LINE_BYTES = 64 * 1024
_GUARDED: Final = re.compile(rb"guarded (\d+)")


class Child(asyncio.SubprocessProtocol):
    """One running session process. `on_line` gets each line of its output, stdout and stderr alike, as it comes."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._rest = b""
        self._group: int | None = None
        self._exited: asyncio.Future[None] = loop.create_future()
        self._silent: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.SubprocessTransport | None = None

    @classmethod
    async def start(cls, command: Command, on_line: Callable[[str], None]) -> Child:
        """Starts the command. Raises OSError where not even the guard can be started."""
        guarded = os.name == "posix"
        argv = (sys.executable, "-I", "-S", str(GUARD), *command.argv) if guarded else command.argv
        _, child = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(on_line),
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **command.environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=guarded,
        )
        return child

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines it said, empty ones left out."""
        return tuple(self._lines)

    async def wait(self) -> int:
        """The exit status, once it has ended and all its lines have been read. Nothing of it is left then."""
        await asyncio.wait([self._exited])
        await asyncio.wait([self._silent], timeout=_LAST_LINES_SECONDS)
        status = self._process.get_returncode() or 0
        if status < 0:
            await self._end_unguarded()
        self._process.close()
        return status

    async def stop(self) -> int:
        """Ends the process and everything that it started; nothing of it is left when this returns."""
        if stdin := self._process.get_pipe_transport(0):
            stdin.close()  # the guard's sign
        with contextlib.suppress(ProcessLookupError):
            if os.name != "posix":
                self._process.terminate()
            await asyncio.wait([self._exited], timeout=STOP_SECONDS)
            if not self._exited.done():
                self._process.kill()
        return await self.wait()

    @property
    def _process(self) -> asyncio.SubprocessTransport:
        assert self._transport is not None  # noqa: S101 - start returns after connection_made
        return self._transport

    async def _end_unguarded(self) -> None:
        """A guard leaves nothing behind unless it is killed itself. What it guarded shows by holding the output."""
        if self._group is None or os.name != "posix":
            return
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._silent.done():
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, number)
            await asyncio.wait([self._silent], timeout=_STEP_SECONDS)

    # -- what asyncio tells -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LINE_BYTES:]  # nothing that we wait for is that long
        for line in lines:
            self._take(line)

    def pipe_connection_lost(self, fd: int, _error: Exception | None) -> None:
        if fd == 1:
            self._take(self._rest)
            self._silent.set_result(None)

    def process_exited(self) -> None:
        self._exited.set_result(None)

    def _take(self, raw: bytes) -> None:
        if self._group is None and (match := _GUARDED.fullmatch(raw)):
            self._group = int(match[1])
            return
        if line := raw.decode("utf-8", "replace").strip():
            self._lines.append(line)
            self._on_line(line)
