"""Whether a process is the one that it was: a pid alone comes again, after a restart of the machine above all."""

from __future__ import annotations

from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def identity(pid: int) -> str | None:
    """A text that no other process has, before or after; None where there is no such process any more."""
    if _BOOT.exists():
        return _on_linux(pid)
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{pid}/{process.create_time():.2f}"
    except psutil.Error:
        return None


def _on_linux(pid: int) -> str | None:
    """Its start in ticks since boot, which no change of the clock moves (proc(5), /proc/PID/stat), and the boot."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return None
    state, *fields = line.rpartition(")")[2].split()  # the name before it may hold anything
    return None if state in "ZX" else f"{boot}/{pid}/{fields[18]}"
