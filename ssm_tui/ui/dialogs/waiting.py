"""Shown while something takes longer than a moment; Escape gives it up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ssm_tui.ui.dialogs.base import Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Waiting(Dialog[None]):
    """Says what is waited for and since when."""

    DEFAULT_CSS = """
    Waiting > .box { width: 60; }
    Waiting .since { margin-top: 1; color: $text-muted; }
    """

    def __init__(self, text: str, *, leave: str = "Esc gives up") -> None:
        super().__init__()
        self._text, self._leave, self._began = text, leave, time.monotonic()

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(Content(self._text))
            yield Static(classes="since")

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)
        self._tick()

    def _tick(self) -> None:
        seconds = int(time.monotonic() - self._began)
        self.query_one(".since", Static).update(Content(f"{seconds} s    {self._leave}"))
