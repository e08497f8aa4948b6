"""Sessions in a pseudo-terminal: the interactive shell, and InteractiveCommands by `sh -c`. POSIX only."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import struct
import termios
from typing import TYPE_CHECKING

from ssm_tui.plugin.framing import Message, PayloadType

if TYPE_CHECKING:
    from ssm_tui.demo.agent.channel import DataChannel
    from ssm_tui.demo.agent.node import Node

_FULL = 64 * 1024  # bytes typed ahead of a program that does not read
_HANG_UP_PATIENCE = 1.0
# With the terminal as its three channels the child is a session leader without a controlling terminal; opening the
# terminal by name gives it one, without running Python code between fork and exec.
TAKE_TERMINAL = 'exec "$@" 0<>"$0" 1>&0 2>&0'


class Terminal:
    """One program in a pseudo-terminal, its output to the channel and the client's input to it."""

    def __init__(self, channel: DataChannel, node: Node, program: tuple[str, ...], *, first_output: float) -> None:
        self._channel = channel
        self._node = node
        self._program = program
        self._first_output = first_output
        self._loop = asyncio.get_running_loop()
        self._master = -1
        self._input = bytearray()
        self._size = (24, 80)

    @property
    def full(self) -> bool:
        return len(self._input) >= _FULL

    def receive(self, message: Message) -> None:
        if message.payload_type == PayloadType.OUTPUT:
            self._input += message.payload
            self._type()
        elif message.payload_type == PayloadType.SIZE:
            self._resize(message.payload)

    async def run(self) -> str:
        """Until the program has ended and all of its output is sent. The text for the user is always empty."""
        process = await self._start()
        try:
            await asyncio.sleep(self._first_output)
            while data := await self._read():
                await self._channel.write(PayloadType.OUTPUT, data)
            await process.wait()
        finally:
            await self._hang_up(process)
        return ""

    async def _start(self) -> asyncio.subprocess.Process:
        self._master, slave = os.openpty()
        try:
            os.set_blocking(self._master, False)
            self._apply_size()
            return await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", TAKE_TERMINAL, os.ttyname(slave), *self._program),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=self._node.home,
                env=self._node.environment,
                start_new_session=True,
            )
        finally:
            os.close(slave)
            self._type()

    async def _read(self) -> bytes:
        """What the program has written; nothing once the last process has let go of the terminal."""
        while True:
            try:
                return os.read(self._master, 16 * 1024)
            except BlockingIOError:
                readable = self._loop.create_future()
                self._loop.add_reader(self._master, _set, readable)
                try:
                    await readable
                finally:
                    self._loop.remove_reader(self._master)
            except OSError:  # EIO: how Linux says it
                return b""

    def _type(self) -> None:
        """Writes what the terminal takes of the input, and comes back for the rest."""
        if self._master < 0:
            return
        self._loop.remove_writer(self._master)
        try:
            del self._input[: os.write(self._master, self._input)]
        except BlockingIOError:
            pass
        except OSError:  # nobody there any more
            self._input.clear()
        if self._input:
            self._loop.add_writer(self._master, self._type)
        self._channel.receiver_drained()

    def _resize(self, payload: bytes) -> None:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            size = json.loads(payload)
            rows, columns = size["rows"], size["cols"]
            if isinstance(rows, int) and isinstance(columns, int) and 0 < rows < 65536 and 0 < columns < 65536:
                self._size = (rows, columns)
                self._apply_size()

    def _apply_size(self) -> None:
        if self._master >= 0:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))

    async def _hang_up(self, process: asyncio.subprocess.Process) -> None:
        """Closes the terminal, which ends the shell and its jobs, and kills what does not take the hint."""
        groups = {process.pid}
        with contextlib.suppress(OSError):
            groups.add(os.tcgetpgrp(self._master))
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        self._master = -1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _HANG_UP_PATIENCE)
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if group > 0 and group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)
        await process.wait()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
