"""What stands in for services that an interface has not been given: nothing is found, asked, kept or started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.accounts import AS_STARTED, Profiles
from ssm_tui.domain.choices import Choices
from ssm_tui.domain.signing import Way
from ssm_tui.errors import AccessDeniedError, CredentialsError, PrerequisiteError, SessionError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ssm_tui.domain.accounts import Choice, Region
    from ssm_tui.domain.clients import FoundClient
    from ssm_tui.domain.connection import Trust
    from ssm_tui.domain.connection.entries import Entry
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Family
    from ssm_tui.domain.desktops import DesktopClient
    from ssm_tui.domain.just_in_time import RequestProgress, TemporaryKeys
    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.services import DeviceLogin, GrantedSessions
    from ssm_tui.domain.sessions import Command
    from ssm_tui.domain.signing import CodeQuestion
    from ssm_tui.domain.snapshots import Snapshot
    from ssm_tui.domain.tunnels import TunnelRequest


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


class NoClientFiles:
    """No client's file is written; ClientFiles."""

    def write(self, entry: Entry) -> Path:
        """Not here."""
        raise SessionError(f"{entry.file} is not written here", "copy the connection string")


class NoClients:
    """No database clients; Clients."""

    def find(self, family: Family) -> FoundClient:
        """None for anything."""
        raise PrerequisiteError(f"there is no client for {family} here", "y copies connection strings")


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


class NoGrants:
    """Nobody grants anything; Grants."""

    def ask(self, context: Context, node_id: str, reason: str) -> str:
        """There is nobody to ask."""
        del context, reason
        raise AccessDeniedError(f"access to {node_id} cannot be asked for here", "ask for a policy that allows it")

    def look(self, context: Context, request: str) -> RequestProgress:
        """Nothing was asked for."""
        del context
        raise TargetError(f"there is no request {request}", "ask for access first")

    def opened(self, context: Context, keys: TemporaryKeys) -> GrantedSessions:
        """No keys are granted."""
        del keys
        raise TargetError(f"no sessions are granted in {context.label}", "ask for access first")


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


class NoChoices:
    """Every run begins as the settings have it."""

    def read(self) -> Choices:
        """None."""
        return Choices()

    def change(self, change: Callable[[Choices], Choices]) -> None:
        """Not kept."""
        del change


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


def no_trust() -> Trust:
    """No certificates are known."""
    from ssm_tui.domain.connection import NO_TRUST

    return NO_TRUST


def not_resolved(saved: SavedTunnel) -> TunnelRequest:
    """For interfaces without saved tunnels."""
    raise TargetError(f"{saved.name} cannot be looked up here", "open it from its database")
