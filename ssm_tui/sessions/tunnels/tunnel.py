"""One tunnel: a local port that stays open, and one session after another behind it, until the user ends it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ssm_tui.domain.recovery import Backoff
from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.errors import SessionClosedError, SsmTuiError
from ssm_tui.sessions import reading
from ssm_tui.sessions.tunnels.bell import Bell
from ssm_tui.sessions.tunnels.chronicle import Chronicle
from ssm_tui.sessions.tunnels.connecting import Connector
from ssm_tui.sessions.tunnels.local_end import open_local_end, remember_closed, remember_opened
from ssm_tui.sessions.tunnels.session import Session, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ssm_tui.sessions.local.listener import Listener
    from ssm_tui.sessions.tunnels.means import Means

S = TunnelState
_NEVER = float("inf")


class Tunnel:
    """Begins at once. `tell` gets its status at every change."""

    def __init__(self, number: int, request: TunnelRequest, means: Means, tell: Callable[[TunnelStatus], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._request = request
        self._means = means
        self._patience = means.starter.patience
        self._chronicle = Chronicle(number, request, means.clock, tell)
        self._bell = Bell()
        self._connector = Connector(request, means, self._chronicle, self._bell, self._heard)
        self._pool = self._connector.pool
        self._listener: Listener | None = None
        self._look_wanted = False
        self._trouble: SsmTuiError | None = None
        """Why the far end is not reached, though a session stands."""
        self._refused = False
        self._stood_since = self._quiet_since = self._loop.time()
        self._work = asyncio.create_task(self._run())
        self._life = asyncio.create_task(self._live())
        self._life.add_done_callback(self._lived)

    @property
    def request(self) -> TunnelRequest:
        """What was asked for."""
        return self._request

    @property
    def status(self) -> TunnelStatus:
        """At this moment."""
        if self._listener is None:
            return self._chronicle.status
        return self._chronicle.measured(self._listener.traffic(), len(self._pool))

    @property
    def over(self) -> bool:
        """Nothing of it is left."""
        return self._life.done()

    @property
    def history(self) -> tuple[TunnelEvent, ...]:
        """What has become of it, oldest first."""
        return self._chronicle.history

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Its clients, oldest first."""
        return self._listener.connections() if self._listener is not None and not self._life.done() else ()

    async def stop(self) -> None:
        """Ends it: nothing of it is left when this returns."""
        if not self.status.state.ended and self.status.state is not S.STOPPING:
            self._chronicle.become(S.STOPPING)
            self._work.cancel()
        await asyncio.wait([self._life])

    def nudge(self, *, woken: bool = False) -> None:
        """What would be tried later is tried now. `woken`: after a sleep a far end that was reached is looked at."""
        state = self._chronicle.status.state
        if state is S.DEGRADED or (woken and state is S.READY):
            self._look_wanted = True
            self._bell.ring()
        elif state is S.RECONNECTING or (woken and state is S.STARTING):
            self._connector.hurry(woken=woken)

    # -- its life -----------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Waits for the work's end, clears up, and says what it was."""
        await asyncio.wait([self._work])
        if self._listener is not None:
            await self._listener.close()  # first: clients are reset, they do not take the session's end for an answer's
            self._chronicle.update(traffic=self._listener.traffic())
        await self._pool.close()
        if self._listener is not None:
            await remember_closed(self._means.wanted, self._listener.port)
        problem = (None if self._work.cancelled() else self._work.exception()) or self._pool.mistake
        if self.status.state is S.STOPPING:
            self._chronicle.become(S.STOPPED)
        elif isinstance(problem, SsmTuiError):
            self._chronicle.become(S.FAILED, problem.message, problem.hint)
        elif isinstance(problem, OSError):
            self._chronicle.become(
                S.FAILED, f"the system refused: {problem.strerror}", "too many open files, perhaps: ulimit -n"
            )
        if problem is not None and not isinstance(problem, SsmTuiError | OSError):
            raise problem

    def _lived(self, life: asyncio.Task[None]) -> None:
        """A mistake of our own is an end too: no tunnel may seem to be starting for ever."""
        if life.cancelled() or (mistake := life.exception()) is None:
            return
        if not self.status.state.ended:
            kind = type(mistake).__name__
            self._chronicle.become(S.FAILED, f"the tunnel broke: {kind}", "this is a mistake in ssm-tui: report it")
        self._loop.call_exception_handler({"message": "a tunnel broke", "exception": mistake, "task": life})

    async def _run(self) -> None:
        """Ends by being cancelled, or by what cannot be mended."""
        self._listener = await open_local_end(
            self._request, self._means.memory, self._upstream, on_change=self._counted, clock=self._means.clock
        )
        self._chronicle.update(local_port=self._listener.port)
        await remember_opened(self._means.wanted, self._request, self._listener.port)
        if self._request.on_demand:
            await self._connector.sleep("the first connection starts the session")
        while True:
            self._trouble = await self._connector.connect()
            self._stood_since = self._loop.time()
            await self._recover(await self._stand())

    # -- having one ---------------------------------------------------------------------------------------------------

    async def _stand(self) -> SsmTuiError | None:
        """Tells how it is with the tunnel as long as a session stands. Returns why none does; None where none is
        needed for the time being."""
        looks = Backoff(self._means.random, self._patience.first_look, self._patience.last_look)
        look_at = self._next_look(looks)
        self._refused = self._look_wanted = False
        while session := self._pool.best:
            self._pool.check()
            if self._refused and self._trouble is None:
                self._trouble = refused(self._request)
                look_at = self._next_look(looks)
            self._refused = False
            self._tell_health()
            now, idle_at = self._loop.time(), self._idle_at()
            if idle_at <= now:
                return None
            carries = self._pool.carries(session)
            if carries and (self._look_wanted or look_at <= now):
                self._look_wanted = False
                await self._look(session)
                look_at = self._next_look(looks)
            else:
                due = min(look_at, idle_at) if carries else idle_at
                await self._bell.wait(due - now if due < _NEVER else None)
        self._chronicle.update(sessions=0)
        return self._pool.reason

    async def _look(self, session: Session) -> None:
        """Is the far end reached? A session that cannot even say so is given up."""
        try:
            trouble = await self._connector.reach(session)
        except SsmTuiError as error:
            self._pool.give_up(session, error)
        else:
            # What did not answer may be the connection, and that has a word of its own.
            self._trouble = trouble if self._pool.carries(session) else None

    def _tell_health(self) -> None:
        self._chronicle.update(sessions=len(self._pool))
        if self._trouble is not None:
            self._chronicle.become(S.DEGRADED, self._trouble.message, self._trouble.hint)
        elif cause := self._pool.resuming:
            self._chronicle.become(S.DEGRADED, f"the connection was lost: {cause}", "the session is being resumed")
        elif self._chronicle.status.state is not S.READY:
            self._connector.stood()
            self._chronicle.become(S.READY)

    def _next_look(self, looks: Backoff) -> float:
        if self._trouble is not None:
            return self._loop.time() + looks.next()
        looks.reset()
        return self._loop.time() + self._request.probe_every if self._request.probe_every else _NEVER

    def _idle_at(self) -> float:
        busy = not self._request.on_demand or self.status.connections
        return _NEVER if busy else self._quiet_since + self._patience.idle

    async def _recover(self, lost: SsmTuiError | None) -> None:
        """After the last session: until it is time for another."""
        self._pool.clear()
        self._trouble = None
        if lost is None:
            await self._connector.sleep("no client for a while: the next connection starts a session")
        elif self._was_idle(lost):
            await self._connector.sleep(lost.message, "the next connection starts another session")
        else:
            steady = self._loop.time() - self._stood_since >= self._patience.steady
            await self._connector.replace(lost, steady=steady)

    def _was_idle(self, lost: SsmTuiError) -> bool:
        """Whether the service ended the session because nobody needs it now. Of port sessions it often says nothing."""
        if not isinstance(lost, SessionClosedError) or self.status.connections or lost.idle is False:
            return False
        return bool(lost.idle) or self._loop.time() - self._quiet_since >= self._patience.quiet

    # -- what others tell ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _upstream(self) -> AsyncIterator[Session]:
        """A session for a client of the listener's, within the time that one is kept waiting."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._patience.client):
                session = await stack.enter_async_context(self._pool.session())
            yield session

    def _counted(self) -> None:
        """A client has come or gone."""
        if self._listener is None:
            return
        traffic = self._listener.traffic()
        if not traffic.connections:
            self._quiet_since = self._loop.time()
        if not self._chronicle.status.state.ended:
            self._chronicle.update(traffic=traffic)
        self._bell.ring()

    def _heard(self, session: Session, event: reading.Event) -> None:
        match event:
            case reading.FarEndRefused():
                self._refused = True
                self._bell.ring()
            case reading.ConnectionLost(cause):
                self._pool.resumes(session, cause)
            case reading.ConnectionResumed():
                self._pool.resumes(session, "")
            case _:
                pass
