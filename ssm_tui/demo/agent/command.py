"""NonInteractiveCommands: one program without shell, terminal or input; its output and, where asked, its status."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from typing import TYPE_CHECKING

from ssm_tui.plugin.framing import Message, PayloadType

if TYPE_CHECKING:
    from ssm_tui.demo.agent.channel import DataChannel
    from ssm_tui.demo.agent.node import Node

_INTERRUPT = b"\x03"


class Command:
    """Runs `commands`, split as a shell would split it. With `separate` standard error has its own payload type."""

    full = False

    def __init__(self, channel: DataChannel, node: Node, commands: str, *, separate: bool) -> None:
        self._channel = channel
        self._node = node
        self._commands = commands
        self._separate = separate
        self._process: asyncio.subprocess.Process | None = None

    def receive(self, message: Message) -> None:
        """The command has no input; Ctrl-C interrupts it."""
        if message.payload_type == PayloadType.OUTPUT and message.payload == _INTERRUPT:
            self._signal(signal.SIGINT)

    async def run(self) -> str:
        """Until the command has ended and its output is sent. The text is what kept it from starting, else empty."""
        try:
            self._process = await self._start()
        except (OSError, ValueError) as error:
            text = f"Unable to start command: {_reason(error)}\n"
            await self._channel.write(PayloadType.STDERR, text.encode())
            return text
        try:
            await asyncio.gather(
                self._pump(self._process.stdout, PayloadType.OUTPUT),
                self._pump(self._process.stderr, PayloadType.STDERR),
            )
            status = await self._process.wait()
        finally:
            self._signal(signal.SIGKILL)
            await self._process.wait()
        if self._separate:
            # Killed by a signal is -1, as Go's ExitCode has it.
            await self._channel.write(PayloadType.EXIT_CODE, f"EXIT_CODE: {max(status, -1)}".encode())
        return ""

    async def _start(self) -> asyncio.subprocess.Process:
        program = shlex.split(self._commands)
        if not program:
            raise ValueError("no command")
        return await asyncio.create_subprocess_exec(
            *program,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if self._separate else asyncio.subprocess.STDOUT,
            cwd=self._node.home,
            env=self._node.environment,
            start_new_session=True,
        )

    async def _pump(self, stream: asyncio.StreamReader | None, payload_type: PayloadType) -> None:
        while stream is not None and (data := await stream.read(16 * 1024)):
            await self._channel.write(payload_type, data)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError) and error.filename:
        return f'exec: "{os.fsdecode(error.filename)}": executable file not found in $PATH'
    return str(error)
