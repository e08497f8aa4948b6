"""Copying: through the desktop's own tool where the user sits at this machine, else through the terminal (OSC 52)."""

from __future__ import annotations

import hashlib
import os
import sys
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

    from ssm_tui.domain.credentials import Secret

TERMINAL = "through the terminal"
DESKTOP = "to the clipboard"


class SystemClipboard:
    """Chooses the way by where the user sits: over ssh the desktop's tool would fill the far machine's clipboard."""

    def __init__(self, environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> None:
        self._local = is_local(environment, platform)
        self._lent: bytes | None = None  # the digest of the secret that was copied last

    async def copy(self, app: App[Any], text: str) -> str:
        """Copies; says how. A terminal does not acknowledge, so that way is named for the user to doubt."""
        if self._local and await in_background(lambda: _copy_natively(text), "copy"):
            return DESKTOP
        app.copy_to_clipboard(text)
        return TERMINAL

    async def lend(self, app: App[Any], secret: Secret) -> bool:
        """Copies a secret; whether it can be taken back: a terminal cannot be asked what it has, and taking away what
        may be somebody's own copy would be wrong."""
        self._lent = None
        if self._local and await in_background(lambda: _copy_secretly(secret.reveal()), "copy"):
            self._lent = _digest(secret.reveal())
            return True
        app.copy_to_clipboard(secret.reveal())
        app._clipboard = ""  # noqa: SLF001 - Textual's own copy of it: Ctrl-V would paste that into an input
        return False

    async def take_back(self) -> bool:
        """Empties the clipboard where it still has the secret that was lent; whether it had."""
        lent, self._lent = self._lent, None
        return lent is not None and await in_background(lambda: _clear_of(lent), "empty the clipboard")


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


def _copy_secretly(text: str) -> bool:
    """The same, but not by Klipper's tool: it takes the text as an argument, for everybody to see."""
    import pyperclip

    copy, _ = pyperclip.determine_clipboard()
    if getattr(copy, "__name__", "") == "copy_klipper":
        return False
    try:
        copy(text)
    except (pyperclip.PyperclipException, OSError):
        return False
    return True


def _clear_of(digest: bytes) -> bool:
    import pyperclip

    _, paste = pyperclip.determine_clipboard()
    try:
        there = paste()
    except (pyperclip.PyperclipException, OSError, UnicodeDecodeError):  # a picture, say
        return False
    return compare_digest(_digest(there), digest) and _copy_secretly("")


def _digest(text: str) -> bytes:
    """By which a text is known again without being kept."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
