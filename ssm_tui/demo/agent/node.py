"""A node as its sessions see it: a private home, its own name, a clean environment, a shell with a prompt.

The shells and commands are real ones of this machine; the files they start from lie in the demo's folder. Every process
carries the demo's mark, by which it is found and ended with the demo.
"""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.demo.reaper import MARK

if TYPE_CHECKING:
    from pathlib import Path

    from ssm_tui.demo.agent.order import SessionOrder

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
_WINDOWS_PROMPT = "PS C:\\Windows\\system32> "


@dataclass(frozen=True, slots=True)
class Node:
    """Where and as whom the processes of a node run."""

    home: Path
    environment: dict[str, str]
    shell: tuple[str, ...]
    """The interactive shell as an argv."""


def prepare(order: SessionOrder, folder: Path) -> Node:
    """Makes the node's files where they are not there yet. `folder` holds those of all nodes."""
    place = folder / order.target
    home, programs = place / "home", place / "bin"
    home.mkdir(parents=True, exist_ok=True)
    programs.mkdir(exist_ok=True)
    windows = order.platform.lower() == "windows"
    user = f"{order.hostname}\\ssm-user" if windows else "ssm-user"
    _program(programs / "hostname", order.hostname)
    _program(programs / "whoami", user)
    bash = shutil.which("bash", path=_SYSTEM_PATH)
    start = place / "shellrc"
    _keep(start, _shell_start(order.hostname, windows=windows, bash=bash is not None))
    environment = {
        "HOME": str(home),
        "PATH": f"{programs}:{_SYSTEM_PATH}",
        "USER": "ssm-user",
        "LOGNAME": "ssm-user",
        "SHELL": bash or "/bin/sh",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ENV": str(start),  # what a plain sh reads when it is interactive
        MARK: str(folder),
    }
    shell = (bash, "--noprofile", "--rcfile", str(start), "-i") if bash else ("/bin/sh", "-i")
    return Node(home, environment, shell)


def _program(path: Path, answer: str) -> None:
    _keep(path, f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(answer)}\n")
    path.chmod(0o755)


def _keep(path: Path, text: str) -> None:
    """Writes a file unless it is there already: another session of the node may be running it."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _shell_start(hostname: str, *, windows: bool, bash: bool) -> str:
    if windows:
        prompt = _WINDOWS_PROMPT.replace("\\", "\\\\") if bash else _WINDOWS_PROMPT
    else:
        prompt = f"[ssm-user@{hostname} \\W]$ " if bash else f"[ssm-user@{hostname} ~]$ "
    return f"PS1={shlex.quote(prompt)}\nHOSTNAME={shlex.quote(hostname)}\nunset HISTFILE ENV\n"
