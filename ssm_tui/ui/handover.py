"""The hand-over: the terminal goes to a child in the foreground and comes back. The only subprocess of the interface.

`App.suspend` alone is not enough, and each line that looks odd here answers something that went wrong without it:
the body is asynchronous, so that tunnels go on; `batch_update` is outermost, because the stopped driver's queue of 30
writes would block the event loop; what the body raises is carried past the end of `suspend`, which does not resume
after an exception; signals of the keyboard get handlers that do nothing, because ignored signals are inherited by the
child and handlers are not.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.errors import PrerequisiteError
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App

    from ssm_tui.domain.sessions import Command

MOMENT = 3.0  # seconds; a child that failed sooner has said why, and nobody has read it yet
LAST_WORDS = 2.0  # seconds that a child has to end after it was hung up on

# Leaves alternate screen, mouse, paste, keypad and cursor modes that a child may have died in, and its colours.
_SANE = "\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m"


class TerminalHandOver:
    """Runs children on the real terminal."""

    async def __call__(self, app: App[Any], command: Command, title: str) -> int:
        """Runs the command, with one line above it that says where the user is."""
        status = 0
        failure: BaseException | None = None
        with app.batch_update(), app.suspend():
            try:
                status = await _run(command, title)
            except BaseException as error:  # noqa: BLE001 - raised again as soon as the screen is ours
                failure = error
        if failure is not None:
            raise failure
        return status


async def _run(command: Command, title: str) -> int:
    """The child from its first line to the restored terminal."""
    with _saved_terminal():
        columns, lines = _size()
        banner = cut(f"— {visible(title)} · exit or Ctrl-D returns to ssm-tui —", columns)
        # What the terminal showed before goes into its scrollback, where a plain clear would lose it.
        _write("\r\n" * lines + f"\x1b[H\x1b[J\x1b[2m{banner}\x1b[0m\r\n")
        started = time.monotonic()
        status = await _wait(command)
        _write(_SANE)
        if status != 0 and time.monotonic() - started < MOMENT:
            how = f"status {status}" if status > 0 else f"signal {-status}"
            await _any_key(f"\r\n\x1b[2m— ended with {how} · press any key to return to ssm-tui —\x1b[0m")
            _write("\r\n")
        return status


async def _wait(command: Command) -> int:
    child: asyncio.subprocess.Process | None = None

    def go_on(*_: object) -> None:
        # Ctrl-Z that reached the child itself: nobody could continue it from a shell, so we do.
        if child is not None:
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)

    with _keyboard_signals(go_on):
        try:
            child = await asyncio.create_subprocess_exec(*command.argv, env=command.whole_environment(os.environ))
        except OSError as error:
            raise PrerequisiteError(
                f"{command.argv[0]} could not be started: {error.strerror}", "check that it is installed and on PATH"
            ) from error
        try:
            return await child.wait()
        except asyncio.CancelledError:
            await _end(child)
            raise


async def _end(child: asyncio.subprocess.Process) -> None:
    """The app is being ended under a running child: it is hung up on, as by a closed terminal, then killed. An
    interactive shell takes no notice of SIGTERM."""
    with suppress(ProcessLookupError):
        child.terminate() if sys.platform == "win32" else child.send_signal(signal.SIGHUP)
    try:
        await asyncio.wait_for(child.wait(), LAST_WORDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


@contextmanager
def _keyboard_signals(go_on: Callable[..., None]) -> Iterator[None]:
    """What the keyboard sends is the child's alone."""

    def nothing(*_: object) -> None:
        pass

    handlers: dict[int, Callable[..., None]] = {signal.SIGINT: nothing}
    if sys.platform != "win32":
        handlers |= {signal.SIGQUIT: nothing, signal.SIGTSTP: go_on}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if sys.platform == "win32":

    @contextmanager
    def _saved_terminal() -> Iterator[None]:
        yield

    async def _any_key(prompt: str) -> None:
        import msvcrt

        _write(prompt)
        await in_background(msvcrt.getwch, "key")

else:
    import termios
    import tty

    @contextmanager
    def _saved_terminal() -> Iterator[None]:
        """The terminal's modes and its foreground are afterwards what they were, whatever the child left behind."""
        fd = 0
        before = termios.tcgetattr(fd)
        try:
            yield
        finally:
            # A job-control shell that was killed leaves its own group in the foreground. Taking it back from there
            # sends us SIGTTOU unless that is blocked; blocked only now, for the child would inherit it.
            masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
            try:
                with suppress(OSError):
                    os.tcsetpgrp(fd, os.getpgrp())
                with suppress(termios.error):
                    termios.tcsetattr(fd, termios.TCSADRAIN, before)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    async def _any_key(prompt: str) -> None:
        """Asks for a key and waits for it, with the event loop going on. What was typed before does not count."""
        loop, pressed = asyncio.get_running_loop(), asyncio.Event()
        with suppress(termios.error):
            tty.setcbreak(0)
            termios.tcflush(0, termios.TCIFLUSH)
        _write(prompt)
        loop.add_reader(0, pressed.set)
        try:
            await pressed.wait()
        finally:
            loop.remove_reader(0)
        with suppress(termios.error):
            termios.tcflush(0, termios.TCIFLUSH)


def _size() -> tuple[int, int]:
    try:
        size = os.get_terminal_size(1)
    except OSError:
        return 80, 24
    return size.columns, size.lines


def _write(text: str) -> None:
    with suppress(OSError):  # a terminal that is gone shows nothing
        os.write(1, text.encode())
