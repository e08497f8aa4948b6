"""What the interface is handed: AWS, sessions, clipboard and hand-over as Protocols, settings as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.domain.accounts import AS_STARTED, Profiles
from ssm_tui.domain.choices import Choices
from ssm_tui.domain.signing import Way
from ssm_tui.domain.tunnels import MOST_SESSIONS
from ssm_tui.errors import CredentialsError, TargetError
from ssm_tui.ui.themes import DEFAULT_THEME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.app import App

    from ssm_tui.domain.accounts import Choice, Region
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.desktops import DesktopClient
    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.services import (
        Accounts,
        Clouds,
        Codes,
        DeviceLogin,
        PickedBefore,
        RowMemory,
        Shells,
        SignIns,
        Tunnels,
    )
    from ssm_tui.domain.sessions import Command
    from ssm_tui.domain.signing import CodeQuestion
    from ssm_tui.domain.snapshots import Snapshot
    from ssm_tui.domain.tunnels import TunnelRequest


class Clipboard(Protocol):
    """Where copies go."""

    async def copy(self, app: App[Any], text: str) -> str:
        """Copies, and says by what means in a few words."""


class Desktops(Protocol):
    """The remote desktop clients of this machine."""

    def find(self, address: str) -> DesktopClient | None:
        """The one for `HOST:PORT`, None where there is none. Blocks briefly."""

    async def start(self, command: Command) -> int | None:
        """Starts it beside us; its status where it ended at once. Raises PrerequisiteError."""


class NoDesktops:
    """A machine without one."""

    def find(self, address: str) -> DesktopClient | None:
        """None."""
        del address
        return None

    async def start(self, command: Command) -> int | None:
        """Nothing."""
        del command
        return None


class LeftOver(Protocol):
    """What was open when the machine stopped. Both block briefly."""

    def offered(self) -> tuple[TunnelRequest, ...]:
        """The tunnels that nobody has taken up since."""

    def forget(self) -> None:
        """They are not offered again."""


class NothingLeftOver:
    """No memory of the last run."""

    def offered(self) -> tuple[TunnelRequest, ...]:
        """Nothing."""
        return ()

    def forget(self) -> None:
        """Nothing to forget."""


class NoMemory:
    """Every run starts from nothing; a RowMemory."""

    def contexts(self) -> tuple[Context, ...]:
        """None."""
        return ()

    def found(self, contexts: tuple[Context, ...]) -> None:
        """Not kept."""

    def renew(self, profile: str | None) -> None:
        """Nothing depends on it."""

    def recall(self, context: Context) -> Iterator[Snapshot]:
        """Nothing."""
        del context
        return iter(())

    def keep(self, snapshot: Snapshot) -> None:
        """Not kept."""

    def forget(self, context: Context) -> None:
        """Nothing to forget."""


class NoAccounts:
    """Nothing to choose from; Accounts."""

    started = AS_STARTED

    def choose(self, choice: Choice) -> None:
        """Nothing else is there."""

    def profiles(self) -> Profiles:
        """None."""
        return Profiles(())

    def regions(self, near: Sequence[str]) -> tuple[Region, ...]:
        """None."""
        del near
        return ()

    def enabled(self, profile: str | None) -> frozenset[str] | None:
        """Not known."""
        del profile
        return None


class NothingPicked:
    """Every run begins as it is started; PickedBefore."""

    def last(self) -> Choice:
        """Nothing."""
        return AS_STARTED

    def keep(self, choice: Choice) -> None:
        """Not kept."""


class ChoiceMemory(Protocol):
    """What was chosen about the list in earlier runs. Both block briefly; neither raises."""

    def read(self) -> Choices:
        """What holds now."""

    def change(self, change: Callable[[Choices], Choices]) -> None:
        """Keeps `change` of what is kept."""


class NoChoices:
    """Every run begins as the settings have it."""

    def read(self) -> Choices:
        """None."""
        return Choices()

    def change(self, change: Callable[[Choices], Choices]) -> None:
        """Not kept."""
        del change


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
    never."""

    columns: tuple[str, ...] = ("env", "team")
    theme: str = DEFAULT_THEME
    most_sessions: int = MOST_SESSIONS
    refresh_seconds: float = 60.0


class NoSignIns:
    """No way to sign in is known; SignIns."""

    def way(self, profile: str | None) -> Way:
        """None."""
        del profile
        return Way()

    def begin(self, profile: str | None) -> DeviceLogin:
        """There is none."""
        raise CredentialsError(f"profile {profile or 'default'!r} cannot be signed in here", "renew its credentials")

    def stamp(self, profile: str | None) -> object:
        """Always the same."""
        return profile


class NoCodes:
    """Nobody asks for MFA codes; Codes."""

    def attend(self, tell: Callable[[CodeQuestion, Callable[[str | None], None]], None], again: str) -> None:
        """Nothing to attend."""

    def leave(self) -> None:
        """Nothing to leave."""

    def invite(self, profile: str | None) -> None:
        """Nobody to invite."""


def no_browser(url: str) -> Command | None:
    """There is none."""
    del url
    return None


def not_resolved(saved: SavedTunnel) -> TunnelRequest:
    """For interfaces without saved tunnels."""
    raise TargetError(f"{saved.name} cannot be looked up here", "open it from its database")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the interface needs.

    `tunnels` is called once, on the event loop; what it gives may also be Detachable. `hand_over` is None where there
    is no terminal to give away (a browser, a test). `sign_ins` renews profiles' credentials, MFA codes are wanted at
    `codes`, `browser` gives the command that opens an address, None where there is none. `resolve` finds out what a
    saved tunnel means, and raises SsmTuiError; both block. `groups` are names of saved tunnels, by the name of their
    group; `filters` the settings' saved filters, by name.
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
    desktops: Desktops = field(default_factory=NoDesktops)
    choices: ChoiceMemory = field(default_factory=NoChoices)
    accounts: Accounts = field(default_factory=NoAccounts)
    picked: PickedBefore = field(default_factory=NothingPicked)
