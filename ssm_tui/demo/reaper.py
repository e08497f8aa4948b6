"""Clears up after the demo cloud however it ends: a small process of its own that outlives it by moments.

The demo holds the writing end of a pipe. When that closes, by an orderly end or because the demo was killed, the reaper
ends what was started (the watched processes, and every process that carries the folder's mark in its environment) and
removes the folder. Run as a bare script without site-packages, so that it starts in about 15 ms; it ignores the signals
of the terminal, since it must see the end of everything else. The mark is read from /proc; where there is none (macOS)
only the watched processes are ended, and shells by the hang-up of their terminal.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

MARK = "SSM_TUI_DEMO_FOLDER"
"""Environment variable that every process on a node carries, with the demo's folder as its value."""

_PATIENCE = 5.0  # seconds for processes to end by themselves before they are killed


class Reaper:
    """The demo's end of the pipe. The folder must exist; from now on it is removed whatever happens."""

    def __init__(self, folder: Path) -> None:
        import subprocess

        reading, self._pipe = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(folder)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
        finally:
            os.close(reading)

    def watch(self, pid: int, signal_number: int = signal.SIGKILL) -> None:
        """From now on `pid` gets this signal at the end. Thread-safe."""
        self._tell(f"watch {pid} {int(signal_number)}\n")

    def forget(self, pid: int) -> None:
        """The process has ended and was waited for. Thread-safe."""
        self._tell(f"forget {pid}\n")

    def close(self) -> None:
        """Ends what is left and removes the folder; returns when that is done."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        self._process.wait()

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # someone killed the reaper: nothing of ours should fail for it
            os.write(self._pipe, line.encode())


def inhabitants(folder: Path) -> list[int]:
    """The processes that carry the mark of the folder, or of a folder in it, without this one."""
    mark = f"{MARK}={folder}/".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environment.parent.name)
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            variables = environment.read_bytes().split(b"\0")
            if pid != os.getpid() and any((variable + b"/").startswith(mark) for variable in variables):
                found.append(pid)
    return found


def end_inhabitants(folder: Path, patience: float = _PATIENCE) -> None:
    """Kills every process that carries the mark, until none is left: they may be forking meanwhile."""
    deadline = time.monotonic() + patience
    while (left := inhabitants(folder)) and time.monotonic() < deadline:
        for pid in left:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.01)


def _started(pid: int) -> str | None:
    """The start time of a process, which tells it from a later one of the same number; None where unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):  # a zombie has ended: its parent, not us, must wait for it
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _end_watched(watched: dict[int, tuple[int, str | None]]) -> None:
    ours = {pid: number for pid, (number, started) in watched.items() if _started(pid) == started}
    for pid, number in ours.items():
        _signal(pid, number)
    deadline = time.monotonic() + _PATIENCE
    while ours and time.monotonic() < deadline:
        ours = {pid: number for pid, number in ours.items() if _alive(pid)}
        time.sleep(0.01)
    for pid in ours:
        _signal(pid, signal.SIGKILL)


def _main() -> None:
    folder = Path(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, tuple[int, str | None]] = {}
    for line in sys.stdin:
        match line.split():
            case ["watch", pid, wanted]:
                watched[int(pid)] = (int(wanted), _started(int(pid)))
            case ["forget", pid]:
                watched.pop(int(pid), None)
    _end_watched(watched)
    end_inhabitants(folder)
    deadline = time.monotonic() + _PATIENCE
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)  # again, where a dying process was still writing
        time.sleep(0.01)


if __name__ == "__main__":
    _main()
