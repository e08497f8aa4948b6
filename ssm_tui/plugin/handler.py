"""What a kind of session (shell, ports, stdio) gives to the session that runs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ssm_tui.plugin.framing import Message

MESSAGE_BYTES = 1024
"""Payload of one data message; AWS's programs never send more, and the service may allow no more."""


class Handler(Protocol):
    @property
    def exit_status(self) -> int:
        """Of the remote command, where the protocol carries it; else 0."""

    @property
    def knows_flags(self) -> bool:
        """Whether the far side of this kind of session takes flag messages (TerminateSession)."""

    @property
    def raw_stdout(self) -> bool:
        """Whether stdout carries a protocol, so that messages for people belong on stderr."""

    async def start(self) -> None:
        """Makes the local end ready. Raises `StartError`."""

    def receive(self, message: Message) -> None:
        """Takes one message from the far side, in order. Never blocks, never raises for what the far side sent."""

    async def run(self) -> int:
        """Works until the local side ends the session; returns the exit status. Raises `BrokenStreamError`."""

    def outage(self, cause: str | None) -> None:
        """The data channel is lost, and is being resumed (again where the cause changes); None: it is back."""

    def signalled(self, signum: int, /) -> bool:
        """Whether a signal was taken as input for the far side; else it ends the session."""

    def close(self) -> None:
        """Gives up the local end: terminal restored, sockets closed. May be called twice, or before `start`."""


def outage_line(session_id: str, cause: str | None) -> str:
    """What programs that run a port session read about its channel."""
    if cause is None:
        return f"Session: {session_id} resumed."
    return f"Session: {session_id} connection lost: {cause}; resuming."


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Until one of them is over, which it may be by an error; the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


class StartError(Exception):
    """The local end of a session cannot be made ready; says why."""


class BrokenStreamError(Exception):
    """The far side sent what cannot be understood; nothing after it can be trusted."""
