"""The guard: whatever happens to the owner, nothing of the session is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ssm_tui.sessions.children import GUARD

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the guard is how POSIX keeps processes")

# A child that ignores SIGINT, as the AWS CLI does, and has a child of its own, as the AWS CLI has the plugin.
FAMILY = (
    "import os,signal,subprocess,sys,time;signal.signal(signal.SIGINT,signal.SIG_IGN);"
    "p=subprocess.Popen(['sleep','600']);"
    "print(os.getpid(),p.pid,flush=True);time.sleep(600)"
)


# The same without the patience that SIGINT needs there.
OBEDIENT = FAMILY.replace("signal.signal(signal.SIGINT,signal.SIG_IGN);", "")


def start(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(*pids: int, within: float = 10) -> bool:
    until = time.monotonic() + within
    while any(map(alive, pids)):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def family(guard: subprocess.Popen[bytes]) -> tuple[int, int]:
    assert guard.stdout is not None
    guarded = guard.stdout.readline()
    leader, other = map(int, guard.stdout.readline().split())
    assert guarded == b"guarded %d\n" % leader
    assert alive(leader)
    assert alive(other)
    return leader, other


@pytest.mark.parametrize("status", [0, 3])
def test_the_childs_status_is_the_guards(status: int) -> None:
    with start(sys.executable, "-c", f"raise SystemExit({status})") as guard:
        assert guard.wait(10) == status


def test_a_signalled_child() -> None:
    with start(sys.executable, "-c", "import os;os.kill(os.getpid(),9)") as guard:
        assert guard.wait(10) == 128 + 9


def test_a_program_that_is_not_there() -> None:
    with start("no-such-program-anywhere") as guard:
        output, _ = guard.communicate(timeout=10)
        assert b"no-such-program-anywhere" in output
        assert guard.returncode == 127


def test_the_pipes_end_ends_the_whole_family() -> None:
    with start(sys.executable, "-c", FAMILY) as guard:
        pids = family(guard)
        assert guard.stdin is not None
        guard.stdin.close()
        assert guard.wait(10) != 0
        assert gone(*pids, within=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_guard_ends_the_family(number: signal.Signals) -> None:
    with start(sys.executable, "-c", OBEDIENT) as guard:
        pids = family(guard)
        guard.send_signal(number)
        guard.wait(10)
        assert gone(*pids, within=1)


def test_an_owner_killed_by_sigkill_takes_the_family_along() -> None:
    owner = (
        "import subprocess,sys;"
        f"p=subprocess.Popen([sys.executable,'-I','-S',{str(GUARD)!r},sys.executable,'-c',{FAMILY!r}],"
        "stdin=subprocess.PIPE,stdout=subprocess.PIPE,start_new_session=True);"
        "p.stdout.readline();print(p.stdout.readline().decode(),flush=True);p.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pids = tuple(map(int, process.stdout.readline().split()))
        process.kill()
        assert gone(*pids)


def test_what_a_finished_leader_left_behind_is_ended() -> None:
    leaver = (
        "import subprocess,sys;p=subprocess.Popen(['sleep','600'],stdout=subprocess.DEVNULL);print(p.pid,flush=True)"
    )
    with start(sys.executable, "-c", leaver) as guard:
        assert guard.stdout is not None
        guard.stdout.readline()
        left = int(guard.stdout.readline())
        assert guard.wait(10) == 0
        assert gone(left, within=1)
