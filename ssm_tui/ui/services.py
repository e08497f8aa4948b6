"""What the interface is handed: AWS, sessions, clipboard and hand-over as Protocols, settings as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.domain.just_in_time import FIRST_LOOK
from ssm_tui.domain.tunnels import MOST_SESSIONS
from ssm_tui.ui.absent import (
    NoAccounts,
    NoChoices,
    NoClientFiles,
    NoClients,
    NoCodes,
    NoDesktops,
    NoGrants,
    NoMemory,
    NoSignIns,
    NothingLeftOver,
    NothingPicked,
    no_browser,
    no_trust,
    not_resolved,
)
from ssm_tui.ui.themes import DEFAULT_THEME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from textual.app import App

    from ssm_tui.domain.choices import Choices
    from ssm_tui.domain.clients import FoundClient
    from ssm_tui.domain.connection import Trust
    from ssm_tui.domain.connection.entries import Entry
    from ssm_tui.domain.credentials import Secret
    from ssm_tui.domain.databases import Family
    from ssm_tui.domain.desktops import DesktopClient
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.relays import Preferences
    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.services import (
        Accounts,
        Clouds,
        Codes,
        Grants,
        PickedBefore,
        RowMemory,
        Shells,
        SignIns,
        Tunnels,
    )
    from ssm_tui.domain.sessions import Command
    from ssm_tui.domain.tunnels import TunnelRequest


class Clipboard(Protocol):
    """Where copies go."""

    async def copy(self, app: App[Any], text: str) -> str:
        """Copies, and says by what means in a few words."""

    async def lend(self, app: App[Any], secret: Secret) -> bool:
        """Copies a secret; whether it can be taken back again."""

    async def take_back(self) -> bool:
        """Empties the clipboard if what was lent last is still in it, and says whether it was."""


class Desktops(Protocol):
    """The remote desktop clients of this machine."""

    def find(self, address: str) -> DesktopClient | None:
        """The one for `HOST:PORT`, None where there is none. Blocks briefly."""

    async def start(self, command: Command) -> int | None:
        """Starts it beside us; its status where it ended at once. Raises PrerequisiteError."""


class ClientFiles(Protocol):
    """The files in which database clients keep their connections."""

    def write(self, entry: Entry) -> Path:
        """Lays the entry over the one of its name, or adds it; where. Blocks briefly. Raises SsmTuiError."""


class Clients(Protocol):
    """The database clients of this machine."""

    def find(self, family: Family) -> FoundClient:
        """The one to start. Blocks briefly. Raises PrerequisiteError where there is none."""


class LeftOver(Protocol):
    """What was open when the machine stopped. Both block briefly."""

    def offered(self) -> tuple[TunnelRequest, ...]:
        """The tunnels that nobody has taken up since."""

    def forget(self) -> None:
        """They are not offered again."""


class ChoiceMemory(Protocol):
    """What was chosen about the list in earlier runs. Both block briefly; neither raises."""

    def read(self) -> Choices:
        """What holds now."""

    def change(self, change: Callable[[Choices], Choices]) -> None:
        """Keeps `change` of what is kept."""


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
    """The user's choices. `columns` are node fields or tags, shown after the fixed columns; `most_sessions` is how wide
    a tunnel may grow that is opened from the screen; `refresh_seconds` after a read everything is read again, 0 for
    never; `shell_document` is what shells use where that is not the account's default. `production` is what a question
    is asked before; `clipboard_seconds` how long a password stays in the clipboard, 0 for ever; `client_linger_seconds`
    how long a tunnel that was opened for a database client stays after it; `look_seconds` after it was made a request
    for access is looked at again."""

    columns: tuple[str, ...] = ("env", "team")
    theme: str = DEFAULT_THEME
    most_sessions: int = MOST_SESSIONS
    refresh_seconds: float = 60.0
    shell_document: str = ""
    production: Filter | None = None
    clipboard_seconds: float = 45.0
    client_linger_seconds: float = 60.0
    look_seconds: float = FIRST_LOOK


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the interface needs.

    `tunnels` is called once, on the event loop; what it gives may also be Detachable. `hand_over` is None where there
    is no terminal to give away (a browser, a test). `sign_ins` renews profiles' credentials, MFA codes are wanted at
    `codes`, `browser` gives the command that opens an address, None where there is none. `resolve` finds out what a
    saved tunnel means, and raises SsmTuiError; both block. `groups` are names of saved tunnels, by the name of their
    group; `filters` the settings' saved filters, by name. `trust` finds the files of certificates that there are now,
    and blocks briefly. `preferences` are those among relays, as they are now; asking for them blocks briefly.
    """

    clouds: Clouds
    shells: Shells
    tunnels: Callable[[], Tunnels]
    clipboard: Clipboard
    hand_over: HandOver | None
    settings: UiSettings = field(default_factory=UiSettings)
    clock: Callable[[], datetime] = now
    saved: tuple[SavedTunnel, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    resolve: Callable[[SavedTunnel], TunnelRequest] = not_resolved
    sign_ins: SignIns = field(default_factory=NoSignIns)
    codes: Codes = field(default_factory=NoCodes)
    browser: Callable[[str], Command | None] = no_browser
    left_over: LeftOver = field(default_factory=NothingLeftOver)
    memory: RowMemory = field(default_factory=NoMemory)
    grants: Grants = field(default_factory=NoGrants)
    desktops: Desktops = field(default_factory=NoDesktops)
    clients: Clients = field(default_factory=NoClients)
    choices: ChoiceMemory = field(default_factory=NoChoices)
    accounts: Accounts = field(default_factory=NoAccounts)
    picked: PickedBefore = field(default_factory=NothingPicked)
    trust: Callable[[], Trust] = no_trust
    client_files: ClientFiles = field(default_factory=NoClientFiles)
    preferences: Callable[[], Preferences] | None = None
