"""A session in the foreground of a real terminal: the terminal comes back as it was, and so does the status."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios

import pytest

from ssm_tui.domain.sessions import Command
from ssm_tui.errors import AccessDeniedError, PrerequisiteError
from ssm_tui.sessions import foreground

RUN = (
    "import sys;from ssm_tui.domain.sessions import Command;from ssm_tui.sessions import foreground;"
    "sys.exit(foreground.run(Command((sys.executable,'-c',sys.argv[1]))))"
)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(PrerequisiteError, match="no-such-program"):
        foreground.run(Command(("no-such-program",)))


def test_a_refusal_told_by_the_aws_cli_is_raised_as_one(capfd: pytest.CaptureFixture[str]) -> None:
    said = "An error occurred (AccessDeniedException) when calling the StartSession operation: not authorized"
    with pytest.raises(AccessDeniedError, match="not authorized"):
        foreground.run(Command((sys.executable, "-c", f"import sys; sys.exit({said!r})")))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("child", "status"), [("raise SystemExit(7)", 7), ("import os;os.kill(os.getpid(),9)", 137)])
def test_the_status_is_the_childs(child: str, status: int) -> None:
    assert subprocess.run([sys.executable, "-c", RUN, child], check=False).returncode == status


def test_the_terminal_is_restored_after_a_child_that_left_it_raw() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    child = "import termios,tty;tty.setraw(0)"
    process = subprocess.Popen([sys.executable, "-c", RUN, child], stdin=theirs, stdout=theirs, stderr=theirs)
    assert process.wait(20) == 0
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_sigterm_reaches_the_child_which_may_end_in_order() -> None:
    child = (
        "import signal,sys,time;signal.signal(signal.SIGTERM,lambda *_: sys.exit(42));"
        "print('up',flush=True);time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", RUN, child], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 42
