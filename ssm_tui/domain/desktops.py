"""Which program of this machine shows a Windows node's desktop, and how it is told where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ssm_tui.domain.sessions import Command

if TYPE_CHECKING:
    from collections.abc import Callable

RDP_PORT: Final = 3389


@dataclass(frozen=True, slots=True)
class DesktopClient:
    """A client for one address. `asks_here`: it asks for user and password on the terminal, and so needs it."""

    command: Command
    asks_here: bool = False


def choose(address: str, platform: str, find: Callable[[str], str | None], *, graphical: bool) -> DesktopClient | None:
    """The client for `HOST:PORT`, None where there is none. `find` gives a program's path, as `shutil.which` does;
    `graphical` is whether a Linux has a screen."""
    if platform == "darwin":
        # "Remote Desktop URI support" (learn.microsoft.com): whatever app has taken the scheme.
        program = find("open")
        return (
            DesktopClient(Command((program, f"rdp://full%20address=s:{quote(address, safe=':')}"))) if program else None
        )
    if platform == "win32":
        program = find("mstsc")
        return DesktopClient(Command((program, f"/v:{address}"))) if program else None
    if not graphical:
        return None
    if program := find("remmina"):
        return DesktopClient(Command((program, "-c", f"rdp://{address}")))
    for name in ("sdl-freerdp3", "sdl-freerdp"):
        if program := find(name):
            return DesktopClient(Command((program, f"/v:{address}")))
    for name in ("xfreerdp3", "xfreerdp", "wlfreerdp"):
        if program := find(name):
            return DesktopClient(Command((program, f"/v:{address}", "/dynamic-resolution")), asks_here=True)
    return None
