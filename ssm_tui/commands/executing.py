"""`ssm-tui tunnel NAME --exec -- COMMAND`: a program beside a tunnel, with the way there and perhaps a password in its
environment alone. Stdout is the program's."""

from __future__ import annotations

import asyncio
import shutil
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.commands.holding import INTERRUPTED, ended_by_signals
from ssm_tui.commands.telling import Teller
from ssm_tui.commands.terminal import PROGRAM, Progress, say
from ssm_tui.domain.clients import WITHOUT, with_password
from ssm_tui.domain.connection import endpoint, environment
from ssm_tui.domain.sessions import LOOPBACK, Command
from ssm_tui.errors import PrerequisiteError, UsageError
from ssm_tui.sessions import beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.commands.requests import TunnelPlan
    from ssm_tui.domain.connection import Trust
    from ssm_tui.domain.credentials import Credentials, PasswordMeans
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.services import Clouds, Tunnels
    from ssm_tui.domain.tunnels import TunnelStatus


@dataclass(frozen=True, slots=True)
class Execution:
    """What is run, and which password it is given: of the database's usual user, unless `user` names another."""

    argv: tuple[str, ...]
    means: PasswordMeans | None = None
    user: str = ""

    def check(self) -> None:
        """Raises UsageError, PrerequisiteError for what could not be run, before anything is started."""
        if not self.argv:
            raise UsageError("--exec wants a command", "such as: ssm-tui tunnel orders --exec -- psql")
        if shutil.which(self.argv[0]) is None:
            raise PrerequisiteError(f"{self.argv[0]} is not a program", "is it installed, and on PATH?")


def run(execution: Execution, plan: TunnelPlan, tunnels_of: Callable[[], Tunnels], clouds: Clouds, trust: Trust) -> int:
    """The program's own exit status; the tunnel is gone then. Raises SsmTuiError."""
    if execution.means is not None and plan.request.database is None:
        raise UsageError(f"{plan.request.heading} leads to no database", "a password (--password) is for databases")
    return asyncio.run(_Run(execution, plan, clouds, trust).run(tunnels_of()))


class _Run:
    """One program beside one tunnel."""

    def __init__(self, execution: Execution, plan: TunnelPlan, clouds: Clouds, trust: Trust) -> None:
        self._execution, self._plan, self._clouds, self._trust = execution, plan, clouds, trust
        self._changes: asyncio.Queue[TunnelStatus] = asyncio.Queue()

    async def run(self, tunnels: Tunnels) -> int:
        """From the tunnel's start to its end."""
        unsubscribe = tunnels.subscribe(self._changes.put_nowait)
        with ended_by_signals() as ended, Progress(PROGRAM) as progress:
            teller = Teller(self._plan, progress, quiet=True)
            try:
                tunnels.open(self._plan.request)
                preparing = asyncio.create_task(self._prepare(teller))
                waited_for: list[asyncio.Future[Any]] = [preparing, ended]
                await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
                if not preparing.done():
                    preparing.cancel()
                    return INTERRUPTED if ended.result() == signal.SIGINT else 128 + ended.result()
                progress.clear()
                following = asyncio.create_task(self._follow(teller))
                try:
                    return await beside.run(preparing.result())
                finally:
                    following.cancel()
            finally:
                unsubscribe()
                await tunnels.close()

    async def _prepare(self, teller: Teller) -> Command:
        """The command, once the far end has been reached: a token is made no sooner."""
        while not teller.was_ready:
            status = await self._changes.get()
            if status.state.ended:
                raise teller.failure(status)
            teller.tell(status)
            port = status.local_port
        request = self._plan.request
        database, execution = request.database, self._execution
        variables = {"TUNNEL_HOST": LOOPBACK, "TUNNEL_PORT": str(port)}
        if database is not None and port:
            variables |= await self._variables(database, port)
        return Command(execution.argv, variables, without=WITHOUT if database else ())

    async def _variables(self, database: Database, port: int) -> dict[str, str]:
        means, user = self._execution.means, self._execution.user
        credentials: Credentials | None = None
        if means is not None:
            cloud = self._clouds.open(database.context)
            credentials = await in_background(lambda: cloud.credentials(database, means, user), "get a password")
            if credentials.doubt:
                say(credentials.doubt)
        at = endpoint(database, LOOPBACK, port, self._trust)
        name = (credentials.user if credentials else user) or at.user
        variables = environment(database, replace(at, user=name))
        return with_password(database, variables, credentials) if credentials else variables

    async def _follow(self, teller: Teller) -> None:
        """What becomes of the tunnel is told; the program notices by itself."""
        while True:
            status = await self._changes.get()
            if status.state.ended:
                error = teller.failure(status)
                say(error.message, error.hint)
            else:
                teller.tell(status)
