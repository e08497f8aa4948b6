"""The hand-over in a real terminal: what a person sees before, during and after a shell."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.ui.pty_screen import PtyScreen, program

APP = "tests.ui.terminal_app"
BANNER = "exit or Ctrl-D returns to ssm-tui"
SHELL = ("bash", "--norc", "--noprofile")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")


def listed(screen: PtyScreen) -> None:
    """The list is there, in the application's own terminal modes."""
    screen.sees("Nodes 1/11")
    screen.sees("▌  web-10")


def entered(screen: PtyScreen) -> None:
    """The shell is there, on a clean screen."""
    screen.send("\r")
    screen.sees("far$")
    assert BANNER in screen.text()
    assert "Nodes" not in screen.text()


def test_a_shell_three_times_in_a_row_and_a_resize_that_both_sides_see() -> None:
    with program(APP, *SHELL) as screen:
        before = screen.modes()
        listed(screen)
        for turn in range(3):
            entered(screen)
            screen.send(f"echo turn-$(({turn}+1))\r")
            screen.sees(f"turn-{turn + 1}")
            if turn == 2:
                screen.resize(90, 28)
                screen.send("stty size\r")
                screen.sees("28 90")
            screen.send("exit\r")
            listed(screen)
        screen.until(lambda: "Quit" in screen.text().splitlines()[27], "the footer is not on the last line")
        screen.send("q")
        assert screen.ends() == 0
        assert screen.modes() == before


def test_keyboard_signals_are_the_shells_alone() -> None:
    with program(APP, *SHELL) as screen:
        listed(screen)
        entered(screen)
        # It speaks once it has the foreground: a key pressed before that would reach the shell instead.
        screen.send("sh -c 'echo go-$((1)); exec sleep 100'\r")
        screen.sees("go-1")
        screen.send("\x03")
        screen.sees("^C")
        screen.send("echo status-$?\r")
        screen.sees("status-130")
        screen.send("sh -c 'echo go-$((2)); exec sleep 100'\r")
        screen.sees("go-2")
        screen.send("\x1a")
        screen.sees("Stopped")
        screen.send("kill -9 %1; disown -a; exit 0\r")
        listed(screen)


def test_signals_that_reach_the_child_itself_leave_the_app() -> None:
    # No shell in between: the child and the app are in one process group, as with the plugin before it is raw.
    with program(APP, "sh", "-c", "echo far$; exec sleep 100") as screen:
        listed(screen)
        entered(screen)
        screen.send("\x1a")
        screen.sees("^Z")
        screen.send("\x1c")
        screen.sees("ended with signal 3 · press any key")
        screen.send(" ")
        listed(screen)
        screen.sees("ended with signal 3")


def test_a_failure_at_once_is_left_to_be_read() -> None:
    with program(APP, "sh", "-c", "echo 'far$ no plugin here'; exit 254") as screen:
        listed(screen)
        entered(screen)
        screen.sees("far$ no plugin here")
        screen.sees("ended with status 254 · press any key to return")
        screen.send("x")
        listed(screen)


def test_a_program_that_is_missing_leaves_a_working_terminal() -> None:
    with program(APP, "/nonexistent/program") as screen:
        before = screen.modes()
        listed(screen)
        screen.send("\r")
        screen.sees("could not be started")
        listed(screen)
        screen.send("q")
        assert screen.ends() == 0
        assert screen.modes() == before


def test_a_shell_that_leaves_the_terminal_raw_and_dies_is_cleaned_up_after() -> None:
    spoil = (
        "stty raw -echo; printf '\\033[?1049h\\033[?1000hfar$ exit or Ctrl-D returns to ssm-tui'; sleep 0.2; kill -9 $$"
    )
    with program(APP, "bash", "-c", spoil) as screen:
        before = screen.modes()
        listed(screen)
        screen.send("\r")
        screen.sees("ended with signal 9")
        screen.send(" ")
        listed(screen)
        screen.send("q")
        screen.ends()
        assert screen.modes() == before


@pytest.mark.parametrize(("number", "inside"), [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGHUP, True)])
def test_a_kill_ends_app_and_shell_and_restores_the_terminal(number: signal.Signals, inside: bool) -> None:
    with program(APP, *SHELL) as screen:
        before = screen.modes()
        listed(screen)
        child = 0
        if inside:
            entered(screen)
            screen.send("echo pid=$$=\r")
            screen.until(lambda: "pid=" in screen.text() and screen.text().split("pid=")[-1][:1].isdigit(), "no pid")
            child = int(screen.text().split("pid=")[-1].split("=")[0])
        screen.process.send_signal(number)
        assert screen.ends() == 128 + number
        assert screen.modes() == before
        if child:
            with pytest.raises(ProcessLookupError):
                os.kill(child, 0)
