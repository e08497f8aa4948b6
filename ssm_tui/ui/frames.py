"""How often Textual paints, which it reads from the environment when it is imported. Nothing of it is imported here."""

from __future__ import annotations

import os
from importlib import import_module

FRAMES = "TEXTUAL_FPS"
A_SECOND = "240"


def paint_sooner() -> None:
    """What is to be painted waits for the next frame, of 60 a second. What a key in the filter leads to takes three
    (the key, the list, its scrollbar), so up to 48 ms would pass in waiting. Where the user has set it, it stays."""
    if FRAMES not in os.environ:
        os.environ[FRAMES] = A_SECOND
        import_module("textual.constants")
        del os.environ[FRAMES]  # it is not for the programs that are started
