"""The dialog for a port forward, on one node or several: port, host, local port; checks them, and shows the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from ssm_tui.domain.access import SessionKind
from ssm_tui.domain.sessions import aws_argv, checked_port, forward, shown
from ssm_tui.errors import PortError
from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.obstacles import doubt
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from textual.app import ComposeResult

    from ssm_tui.domain.nodes import Node


@dataclass(frozen=True, slots=True)
class Forward:
    """What was asked for; `local_port` None leaves it to the tunnel."""

    port: int
    host: str = ""
    local_port: int | None = None


class ForwardDialog(Dialog[Forward]):
    """Answers with ports that are ports."""

    DEFAULT_CSS = """
    ForwardDialog > .box { width: 90%; max-width: 84; }
    ForwardDialog Horizontal { height: 1; margin-bottom: 1; }
    ForwardDialog Label { width: 13; }
    ForwardDialog Input { width: 1fr; background: $panel; }
    ForwardDialog .hint { width: 26; color: $text-muted; padding-left: 2; }
    ForwardDialog .command { color: $text-muted; height: auto; max-height: 4; }
    ForwardDialog .doubt { color: $text-warning; height: auto; max-height: 3; }
    ForwardDialog .problem { color: $text-error; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, nodes: Sequence[Node], now: datetime) -> None:
        super().__init__()
        self._node, self._more, self._now = nodes[0], len(nodes) - 1, now

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        more = f" and {self._more:,} more" if self._more else ""
        box.border_title = Content(f"Forward through {visible(self._node.label)}{more}")
        box.border_subtitle = Content("↵ opens · Tab next field · Esc leaves")
        with box:
            for name, label, hint in (
                ("port", "Port", "on the node or the host"),
                ("host", "Host", "empty: the node itself"),
                ("local", "Local port", "of the first; counted up" if self._more else "empty: the same number"),
            ):
                with Horizontal():
                    yield Label(label)
                    yield Input(id=name, compact=True, restrict=r"[0-9]*" if name != "host" else r"\S*")
                    yield Label(hint, classes="hint")
            yield Static(classes="doubt")
            yield Static(classes="problem")
            yield Static(classes="command")

    def on_mount(self) -> None:
        self._show()

    def on_input_changed(self) -> None:
        self._show()

    def on_input_submitted(self) -> None:
        try:
            wanted = self._wanted()
        except PortError as error:
            self._show(error)
        else:
            self.dismiss(wanted)

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _wanted(self) -> Forward:
        port, local = self._value("port"), self._value("local")
        if not port:
            raise PortError("which port?", "the one that the service listens on")
        if local:
            checked_port(int(local) + self._more)
        return Forward(checked_port(int(port)), self._value("host"), checked_port(int(local)) if local else None)

    def _show(self, submitted: PortError | None = None) -> None:
        """The command as it is so far; a missing port is a problem only once the dialog was submitted."""
        problem, command = "", ""
        try:
            wanted = self._wanted()
        except PortError as error:
            if submitted or self._value("port"):
                problem = " · ".join(filter(None, (error.message, error.hint)))
        else:
            spec = forward(
                self._node.context,
                self._node.id,
                wanted.port,
                host=wanted.host,
                local_port=wanted.local_port or wanted.port,
            )
            command = f"$ {visible(shown(aws_argv(spec)))}"
        kind = SessionKind.REMOTE if self._value("host") else SessionKind.FORWARD
        against = doubt(self._node, kind, self._now)
        text = visible(". ".join(filter(None, against))) if against else ""
        self.query_one(".doubt", Static).update(Content(text))
        self.query_one(".problem", Static).update(Content(problem))
        self.query_one(".command", Static).update(Content(command))
