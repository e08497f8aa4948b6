"""Shells and commands: the terminal's keys go to the far side, its output to stdout and stderr."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin import terminal
from ssm_tui.plugin.framing import Message, PayloadType
from ssm_tui.plugin.handler import StartError, first_of
from ssm_tui.plugin.handshake import SessionType
from ssm_tui.plugin.keyboard import Keyboard, answer_over
from ssm_tui.plugin.outage_note import OutageNote
from ssm_tui.plugin.terminal import Terminal

if TYPE_CHECKING:
    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.console import Console
    from ssm_tui.plugin.limits import Limits

_EXIT_CODE: Final = re.compile(rb"EXIT_CODE: (\d{1,3})\s*")
_KEYS: Final = {"SIGINT": b"\x03", "SIGQUIT": b"\x1c", "SIGTSTP": b"\x1a"}
"""Signals that are keys. In raw mode the terminal makes none of them; another process still may."""
_REDRAW_PAUSE: Final = 0.2
"""Seconds between two sizes, so that a program sees both."""


class Shell:
    """The handler of Standard_Stream, InteractiveCommands and NonInteractiveCommands."""

    knows_flags = False
    raw_stdout = False

    def __init__(self, channel: DataChannel, console: Console, *, session_type: SessionType, limits: Limits) -> None:
        self._channel, self._console = channel, console
        self._session_type = session_type
        self._limits = limits
        self._terminal = Terminal()
        self._keyboard = Keyboard()
        self._received = 0
        self._size: tuple[int, int] | None = None
        self._broken = asyncio.Event()
        self._given_up = asyncio.Event()
        self._note = OutageNote(console, self._terminal.descriptor, limits.outage_note)
        self.exit_status = 0

    async def start(self) -> None:
        if not self._terminal.supported:
            raise StartError("shells need a POSIX terminal; on Windows use AWS's session-manager-plugin")
        loop = asyncio.get_running_loop()
        self._console.on_drained = lambda: loop.call_soon_threadsafe(self._drained)
        self._terminal.make_raw()
        self._send_size()
        if hasattr(signal, "SIGWINCH"):
            loop.add_signal_handler(signal.SIGWINCH, self._send_size)

    async def run(self) -> int:
        await first_of(self._input(), self._broken.wait(), self._given_up.wait())
        return 1 if self._broken.is_set() or self._given_up.is_set() else self.exit_status

    async def _input(self) -> None:
        await self._keyboard.feed(self._channel, self._typed)
        if self._session_type is not SessionType.STANDARD_STREAM:
            await asyncio.Event().wait()  # a command ends by itself; that it gets no more input is no reason to end it
        await answer_over(self._channel, lambda: self._received, self._limits)

    def receive(self, message: Message) -> None:
        self._received += 1
        kind, data = message.payload_type, message.payload
        if kind == PayloadType.EXIT_CODE:
            match = _EXIT_CODE.fullmatch(data)
            if match:
                self.exit_status = min(int(match[1]), 255)
            return
        if kind == PayloadType.FLAG or not data:
            return
        full = self._console.write_error(data) if kind == PayloadType.STDERR else self._console.write(data)
        if full:
            self._channel.pause(self)

    def outage(self, cause: str | None) -> None:
        if cause is not None:
            self._note.lost(cause)
        elif self._note.back():
            # Only the far side can draw again what was under the note; programs do that when the size changes.
            columns, rows = self._size or terminal.NO_TERMINAL
            self._channel.send(PayloadType.SIZE, _size_payload((columns, max(1, rows - 1))))
            self._size = None
            asyncio.get_running_loop().call_later(_REDRAW_PAUSE, self._send_size)

    def _typed(self, data: bytes) -> bytes:
        if self._note.gives_up(data):
            self._given_up.set()
        return _enter_as_return(data)

    def signalled(self, signum: int, /) -> bool:
        key = _KEYS.get(signal.Signals(signum).name)
        if key is not None:
            self._channel.send(PayloadType.OUTPUT, key)
        return key is not None

    def close(self) -> None:
        self._note.close()
        if hasattr(signal, "SIGWINCH"):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGWINCH)
        self._terminal.restore()

    def _send_size(self) -> None:
        now = terminal.size(self._console.stdout, self._terminal.descriptor)
        if now != self._size:
            self._size = now
            self._channel.send(PayloadType.SIZE, _size_payload(now))

    def _drained(self) -> None:
        self._channel.unpause(self)
        if self._console.broken:
            self._broken.set()


def _size_payload(size: tuple[int, int]) -> bytes:
    return b'{"cols":%d,"rows":%d}' % size


def _enter_as_return(data: bytes) -> bytes:
    """A single line feed is the Enter key of a terminal that is not raw (or of a pipe that imitates one)."""
    return b"\r" if data == b"\n" else data
