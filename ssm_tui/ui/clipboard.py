"""Copying: through the desktop's own tool where the user sits at this machine, else through the terminal (OSC 52)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

TERMINAL = "through the terminal"
DESKTOP = "to the clipboard"


class SystemClipboard:
    """Chooses the way by where the user sits: over ssh the desktop's tool would fill the far machine's clipboard."""

    def __init__(self, environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> None:
        self._local = is_local(environment, platform)

    async def copy(self, app: App[Any], text: str) -> str:
        """Copies; says how. A terminal does not acknowledge, so that way is named for the user to doubt."""
        if self._local and await in_background(lambda: _copy_natively(text), "copy"):
            return DESKTOP
        app.copy_to_clipboard(text)
        return TERMINAL


def is_local(environment: Mapping[str, str], platform: str) -> bool:
    """Whether the clipboard of this machine is the one in front of the user."""
    if any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")):
        return False
    if platform in ("darwin", "win32", "cygwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))


def _copy_natively(text: str) -> bool:
    """False where this machine has no tool for it, or the tool failed."""
    import pyperclip

    try:
        pyperclip.copy(text)
    except (pyperclip.PyperclipException, OSError):
        return False
    return True
