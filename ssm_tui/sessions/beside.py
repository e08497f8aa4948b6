"""Runs a program beside tunnels of this process: on this terminal, with the keyboard's signals its own."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ssm_tui.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ssm_tui.domain.sessions import Command

# Sent to us alone: handed on, so that the program can end in its own way.
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
# The terminal sends these to the whole foreground group: the program does with them what it likes, we outlive them.
_OUTLIVED = ("SIGINT", "SIGQUIT")


async def run(command: Command) -> int:
    """The program's exit status, 128 + N after signal N; the event loop, and tunnels with it, goes on meanwhile.

    Raises PrerequisiteError where it cannot be started.
    """
    early: list[int] = []
    process: asyncio.subprocess.Process | None = None

    def hand_on(number: int) -> None:
        if process is None:
            early.append(number)
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)

    with _signals(hand_on):
        try:
            process = await asyncio.create_subprocess_exec(*command.argv, env=command.whole_environment(os.environ))
        except OSError as problem:
            raise PrerequisiteError(
                f"{command.argv[0]} cannot be started: {problem.strerror}", "is it installed, and on PATH?"
            ) from None
        for number in early:
            hand_on(number)
        status = await process.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _signals(hand_on: Callable[[int], None]) -> Iterator[None]:
    """Handlers, not SIG_IGN: a child inherits an ignored signal. By signal.signal, which Windows has too."""
    loop = asyncio.get_running_loop()

    def later(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hand_on, number)

    def outlive(_number: int, _frame: FrameType | None) -> None:
        return

    handlers = dict.fromkeys(_PASSED_ON, later) | dict.fromkeys(_OUTLIVED, outlive)
    before = {
        number: signal.signal(number, handler)
        for name, handler in handlers.items()
        if (number := getattr(signal, name, None)) is not None
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
