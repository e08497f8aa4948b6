"""Runs a session's process in the foreground of this terminal, for the command line, and gives the terminal back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ssm_tui.errors import PrerequisiteError
from ssm_tui.sessions import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from ssm_tui.domain.sessions import Command

# A stopped or dead owner sends these to us alone: passed on, so that the plugin ends the session before it leaves.
_PASSED_ON = ("SIGTERM", "SIGHUP")
# The terminal sends these to the whole foreground group: the plugin hands them to the far side, we outlive them.
_OUTLIVED = ("SIGINT", "SIGQUIT", "SIGTSTP")


def run(command: Command) -> int:
    """The process's exit status, 128 + N after signal N.

    Raises PrerequisiteError where it cannot be started. Where the process makes the StartSession call itself (the AWS
    CLI), its stderr is kept till the end, and what it was refused is raised as the AwsError that it is.
    """
    starts_session = command.session_id is None
    with _terminal_kept():
        try:
            process = subprocess.Popen(
                command.argv,
                env=command.whole_environment(os.environ),
                stderr=subprocess.PIPE if starts_session else None,
            )
        except OSError as problem:
            raise PrerequisiteError(
                f"{command.argv[0]} cannot be started: {problem.strerror}", "is it installed?"
            ) from None
        with _signals_for(process):
            said = process.stderr.read().decode("utf-8", "replace") if process.stderr else ""
            status = process.wait()
    if process.stderr:
        process.stderr.close()
    if status > 0 and (refusal := reading.refusal(said)):
        raise refusal
    sys.stderr.write(said)
    return status if status >= 0 else 128 - status


@contextmanager
def _signals_for(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A handler, not SIG_IGN: a child inherits an ignored signal and could never be interrupted again."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    def outlive(_number: int, _frame: FrameType | None) -> None:
        return

    wanted = dict.fromkeys(_PASSED_ON, pass_on) | dict.fromkeys(_OUTLIVED, outlive)
    numbers = {getattr(signal, name): handler for name, handler in wanted.items() if hasattr(signal, name)}
    before = {number: signal.signal(number, handler) for number, handler in numbers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _terminal_kept() -> Iterator[None]:
    """AWS's plugin leaves the terminal non-canonical after every session: what it was before, it is afterwards."""
    if os.name != "posix" or not sys.stdin.isatty():
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
