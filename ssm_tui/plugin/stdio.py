"""Port sessions over stdin and stdout (AWS-StartSSHSession): bytes as they are, both ways."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ssm_tui.plugin.framing import Message, PayloadType
from ssm_tui.plugin.handler import StartError, first_of, outage_line
from ssm_tui.plugin.keyboard import Keyboard, answer_over
from ssm_tui.plugin.terminal import Terminal

if TYPE_CHECKING:
    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.console import Console
    from ssm_tui.plugin.limits import Limits


class StandardStreams:
    """The handler of a port session whose document names no forwarding type."""

    exit_status = 0
    knows_flags = True
    raw_stdout = True

    def __init__(self, channel: DataChannel, console: Console, *, session_id: str, limits: Limits) -> None:
        self._channel, self._console = channel, console
        self._session_id = session_id
        self._limits = limits
        self._received = 0
        self._broken = asyncio.Event()

    async def start(self) -> None:
        if not Terminal.supported:
            raise StartError("sessions over stdin and stdout need a POSIX system; use AWS's session-manager-plugin")
        loop = asyncio.get_running_loop()
        self._console.on_drained = lambda: loop.call_soon_threadsafe(self._drained)

    async def run(self) -> int:
        await first_of(self._input(), self._broken.wait())
        return 1 if self._broken.is_set() else 0

    async def _input(self) -> None:
        await Keyboard().feed(self._channel, bytes)
        await answer_over(self._channel, lambda: self._received, self._limits)

    def receive(self, message: Message) -> None:
        if message.payload_type == PayloadType.OUTPUT and message.payload:
            self._received += 1
            if self._console.write(message.payload):
                self._channel.pause(self)

    def outage(self, cause: str | None) -> None:
        self._console.note(outage_line(self._session_id, cause))

    def signalled(self, _signum: int, /) -> bool:
        return False

    def close(self) -> None:
        return

    def _drained(self) -> None:
        self._channel.unpause(self)
        if self._console.broken:
            self._broken.set()
