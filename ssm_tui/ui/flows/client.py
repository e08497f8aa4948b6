"""c on a database: its client on this terminal, through a tunnel that is opened where none stands."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from ssm_tui.background import in_background
from ssm_tui.domain.credentials import PasswordMeans, means_of
from ssm_tui.domain.sessions import LOOPBACK
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.clients import FoundClient
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.flows.credentials import CredentialsFlow
    from ssm_tui.ui.flows.production import ProductionGate
    from ssm_tui.ui.flows.tunnel import TunnelFlow
    from ssm_tui.ui.presentation.databases import DatabaseRow
    from ssm_tui.ui.services import Services


class _Login(Enum):
    TOKEN = "token"  # noqa: S105 - the word for it
    SECRET = "secret"  # noqa: S105
    ASKS = "asks"


_ANSWERS = {
    PasswordMeans.TOKEN: ("t", "by a token of IAM's, made now", _Login.TOKEN),
    PasswordMeans.SECRET: ("s", "by the password in Secrets Manager", _Login.SECRET),
}


class ClientFlow:
    """One client at a time: the terminal can be given away only once. A tunnel that was opened for it stays a while."""

    def __init__(
        self,
        app: App[Any],
        services: Services,
        tunnels: TunnelFlow,
        production: ProductionGate,
        credentials: CredentialsFlow,
    ) -> None:
        self._app, self._services, self._tunnels = app, services, tunnels
        self._production, self._credentials = production, credentials
        self._running = False
        self._awaited: dict[int, asyncio.Future[TunnelStatus]] = {}
        self._lingering: dict[int, asyncio.Task[None]] = {}  # by the ids of tunnels that were opened here

    async def start(self, row: DatabaseRow) -> None:
        """From the key to the list again."""
        if self._running:
            return
        self._running = True
        try:
            await self._start(row)
        except SsmTuiError as error:
            tell_error(self._app, error)
        except SuspendNotSupported:
            tell(self._app, "This terminal cannot be handed to a client.", severity="warning")
        finally:
            self._running = False

    def take(self, status: TunnelStatus) -> None:
        """What has become of a tunnel that somebody may wait for."""
        waiting = self._awaited.get(status.id)
        if waiting is not None and not waiting.done() and _settled(status):
            waiting.set_result(status)

    def keep(self, status: TunnelStatus) -> None:
        """The tunnel is wanted for something else: it stays like any other."""
        if task := self._lingering.pop(status.id, None):
            task.cancel()
            tell(self._app, f"The tunnel to {status.request.heading} stays until it is stopped.")

    def close(self) -> None:
        """Nothing is stopped later any more."""
        for task in self._lingering.values():
            task.cancel()

    async def _start(self, row: DatabaseRow) -> None:
        database = row.database
        if self._services.hand_over is None:
            tell(self._app, "There is no terminal here to run a client in.", severity="warning")
            return
        found = await in_background(lambda: self._services.clients.find(database.family), "find a database client")
        if not await self._production.admits(f"start {found.name}", database):
            return
        login = await self._ask_login(found, database)
        if login is None:
            return
        status, opened = await self._stand(row)
        if status is None:
            return
        if task := self._lingering.pop(status.id, None):
            task.cancel()
            opened = True
        try:
            await self._run(found, status, database, login)
        finally:
            if opened:
                self._lingering[status.id] = asyncio.create_task(self._linger(status.id))

    async def _ask_login(self, found: FoundClient, database: Database) -> _Login | None:
        """How the client comes by the password, where there is a choice; None where the user leaves it."""
        ways = means_of(database) if found.client.variables else ()
        if not ways:
            return _Login.ASKS
        from ssm_tui.ui.dialogs.choice import Answer, Choice

        answers = [Answer(*_ANSWERS[means]) for means in ways]
        answers.append(Answer("a", f"{found.name} asks for it, if it must", _Login.ASKS))
        text = f"How shall {found.name} log in to {visible(database.id)}?"
        return await self._app.push_screen_wait(Choice("Connect", text, answers, "go back"))

    async def _stand(self, row: DatabaseRow) -> tuple[TunnelStatus | None, bool]:
        """The tunnel once it may be used, and whether it was opened for this; None where it does not come to that."""
        running = self._running_to(row.database)
        opened = running is None and self._tunnels.open_database(row)
        running = running or self._running_to(row.database)
        if running is None:
            return None, False
        status = await self._usable(running)
        if status is None and opened:  # nobody else wants it
            left = self._running_to(row.database)
            if left is not None and not left.connections:
                await self._tunnels.stop(left)
        return status, opened

    async def _usable(self, status: TunnelStatus) -> TunnelStatus | None:
        waiting: asyncio.Future[TunnelStatus] = asyncio.get_running_loop().create_future()
        self._awaited[status.id] = waiting
        self.take(status)
        try:
            if not await wait_for(self._app, waiting, f"Opening the tunnel to {visible(status.request.heading)} …"):
                return None
        finally:
            del self._awaited[status.id]
        found = waiting.result()
        if found.state is TunnelState.PAUSED:
            tell(self._app, found.message, found.hint, severity="warning")
        return found if found.state.usable else None  # of one that failed the news tell

    def _running_to(self, database: Database) -> TunnelStatus | None:
        every = (s for s in self._tunnels.running() if s.request.database and s.request.database.key == database.key)
        return next((s for s in every if s.state is not TunnelState.STOPPING), None)

    async def _run(self, found: FoundClient, status: TunnelStatus, database: Database, login: _Login) -> None:
        credentials = None
        if login is not _Login.ASKS:
            credentials = await self._credentials.obtain(database, PasswordMeans(login.value))
            if credentials is None:
                return
            if credentials.doubt:
                tell(self._app, credentials.doubt, severity="warning")
        from ssm_tui.domain.clients import client_command
        from ssm_tui.domain.connection import endpoint

        trust = await in_background(self._services.trust, "find certificates")
        at = endpoint(database, LOOPBACK, status.local_port or 0, trust)
        command = client_command(found, database, at, credentials)
        assert self._services.hand_over is not None  # noqa: S101 - _start looked
        ended = await self._services.hand_over(self._app, command, f"{found.name} · {database.id}")
        if ended != 0:
            how = f"status {ended}" if ended > 0 else f"signal {-ended}"
            tell(self._app, f"{found.name} ended with {how}.", severity="warning")

    async def _linger(self, tunnel: int) -> None:
        """Stops the tunnel after its time, or once nobody uses it then."""
        seconds = self._services.settings.client_linger_seconds
        if seconds:
            name = next((s.request.heading for s in self._tunnels.running() if s.id == tunnel), "")
            tell(self._app, f"The tunnel to {name} stays for {seconds:g} s; t keeps it.")
        while True:
            await asyncio.sleep(seconds)
            status = next((each for each in self._tunnels.running() if each.id == tunnel), None)
            if status is None or status.detached or status.state is TunnelState.STOPPING:
                break
            if not status.connections:
                await self._tunnels.stop(status)
                break
            seconds = max(seconds, 1.0)
        self._lingering.pop(tunnel, None)


def _settled(status: TunnelStatus) -> bool:
    """Whether waiting has an end: it may be used, or will not be without the user."""
    ends = (TunnelState.PAUSED, TunnelState.STOPPING)
    return status.state.usable or status.state.ended or status.state in ends
