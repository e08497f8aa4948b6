"""What the interface is handed: AWS, sessions, clipboard and hand-over as Protocols, settings as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.ui.themes import DEFAULT_THEME

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from ssm_tui.domain.services import Clouds, Shells, Tunnels
    from ssm_tui.domain.sessions import Command


class Clipboard(Protocol):
    """Where copies go."""

    async def copy(self, app: App[Any], text: str) -> str:
        """Copies, and says by what means in a few words."""


class HandOver(Protocol):
    """Gives the terminal to a child and takes it back."""

    async def __call__(self, app: App[Any], command: Command, title: str) -> int:
        """Runs the command in the foreground; its exit status (negative: the signal). Raises PrerequisiteError where
        it cannot be started."""


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class UiSettings:
    """The user's choices. `columns` are node fields or tags, shown after the fixed columns."""

    columns: tuple[str, ...] = ("env", "team")
    theme: str = DEFAULT_THEME


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the interface needs. `tunnels` is called once, on the event loop; `hand_over` is None where there is
    no terminal to give away (a browser, a test)."""

    clouds: Clouds
    shells: Shells
    tunnels: Callable[[], Tunnels]
    clipboard: Clipboard
    hand_over: HandOver | None
    settings: UiSettings = field(default_factory=UiSettings)
    clock: Callable[[], datetime] = now
