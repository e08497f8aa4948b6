"""The guard of one session process: ends it, and all that it started, when its owner goes away.

A program of its own, run by path with a bare interpreter (about 20 ms): it must not import anything of ours. Its stdin
is a pipe that only the owner holds. However the owner ends, SIGKILL included, the pipe closes and the guard ends the
child's whole process group: the AWS CLI forks the plugin, and it is the plugin that holds the port. The exit status is
the child's (128 + N after signal N).

The order is SIGINT, SIGTERM, SIGKILL: on SIGINT both plugins end the session at the service before they leave, and the
AWS CLI, which ignores it, waits for its plugin.
"""

import contextlib
import os
import select
import signal
import sys
import time

STEPS = ((signal.SIGINT, 2.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))


def start(argv: list[str]) -> int:
    """The child's pid: leader of a session and a process group of its own."""
    pid = os.fork()
    if pid:
        return pid
    try:
        become(argv)
    except OSError as problem:
        with contextlib.suppress(OSError):
            os.write(2, f"{argv[0]}: {problem.strerror}\n".encode())
    finally:
        os._exit(127)  # whatever happens, there is no second guard


def become(argv: list[str]) -> None:
    """Turns this process into the session's. Raises OSError."""
    os.setsid()
    # The first line of all: by it the owner ends the group where the guard cannot, having been killed.
    os.write(1, b"guarded %d\n" % os.getpid())
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an ignored signal is inherited
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.execvp(argv[0], argv)  # noqa: S606 - an argv list, no shell


def group_lives(pid: int) -> bool:
    """Whether any process of the child's group is left."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(pid: int) -> int:
    """Ends the group by ever harder signals; the leader's wait status."""
    status = None
    for number, patience in STEPS:
        # It may be gone in between, or all that is left of it is a zombie of ours.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
            os.killpg(pid, signal.SIGCONT)  # a stopped process takes no signal but this and SIGKILL
        until = time.monotonic() + patience
        while time.monotonic() < until:
            status = reap(pid) if status is None else status
            if status is not None and not group_lives(pid):
                return status
            time.sleep(0.02)
    return status if status is not None else signal.SIGKILL


def reap(pid: int) -> "int | None":
    """The leader's wait status, once it has ended."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return status if done else None


def main(argv: list[str]) -> int:
    """Runs argv until it ends or stdin closes."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake)  # every signal below is read from the pipe, none interrupts anything
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    pid = start(argv)
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if 0 in ready and not os.read(0, 64):
            break
        if woken in ready and set(os.read(woken, 64)) - {signal.SIGCHLD}:
            break  # a signal to the guard means what the pipe's end means
        status = reap(pid)
        if status is not None:
            if group_lives(pid):
                end(pid)  # the leader left something behind
            return exit_status(status)
    return exit_status(end(pid))


def exit_status(status: int) -> int:
    """A wait status as a shell says it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
