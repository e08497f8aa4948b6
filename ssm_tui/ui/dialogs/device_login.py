"""A device login: the address and the code to be taken to a browser, here or on another machine, and the time left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from ssm_tui.domain.signing import DeviceCode


class DeviceLoginDialog(Dialog[None]):
    """Stays until the login has come to its end or is given up. `copy` is called with the address; `browse` opens it,
    None where this machine has no browser."""

    DEFAULT_CSS = """
    DeviceLoginDialog > .box { width: 90%; max-width: 84; }
    DeviceLoginDialog .code { margin: 1 0; text-style: bold; }
    DeviceLoginDialog .keys { margin-top: 1; }
    DeviceLoginDialog .left { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", show=False),
        Binding("o", "browse", "Open", show=False),
        Binding("q", "leave", show=False),
    ]

    def __init__(
        self, name: str, code: DeviceCode, copy: Callable[[str], None], browse: Callable[[], None] | None
    ) -> None:
        super().__init__()
        self._of, self._code, self._copy, self._browse = name, code, copy, browse
        self._ends = time.monotonic() + code.seconds

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content(f"Sign in · {visible(self._of)}")
        with box:
            yield Static(Content(f"In a browser, on any machine, open\n{visible(self._code.complete_uri)}"))
            yield Static(Content(f"and say yes if it shows the code  {visible(self._code.user_code)}"), classes="code")
            yield Static(classes="left")
            keys = [("y", "copy the address"), ("o", "open it here")][: 2 if self._browse else 1]
            lines = [*keys, ("Esc", "give up")]
            texts = [Content.assemble((f"{key} ", "bold $text-primary"), words) for key, words in lines]
            yield Static(Content("    ").join(texts), classes="keys")

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)
        self._tick()

    def action_copy(self) -> None:
        """The address, with the code in it."""
        self._copy(self._code.complete_uri)

    def action_browse(self) -> None:
        """In this machine's browser."""
        if self._browse is not None:
            self._browse()

    def _tick(self) -> None:
        left = max(0, int(self._ends - time.monotonic()))
        self.query_one(".left", Static).update(Content(f"waiting for it; {left // 60}:{left % 60:02} left"))
