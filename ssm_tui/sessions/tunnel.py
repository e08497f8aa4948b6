"""One tunnel: a local port that stays open, and one session after another behind it, until the user ends it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from ssm_tui.background import in_background
from ssm_tui.domain.recovery import Backoff, Remedy, remedy
from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.errors import FarEndError, SessionClosedError, SsmTuiError
from ssm_tui.sessions import ports, reading
from ssm_tui.sessions.bell import Bell
from ssm_tui.sessions.chronicle import Chronicle
from ssm_tui.sessions.listener import Listener
from ssm_tui.sessions.pool import Pool
from ssm_tui.sessions.session import Session, Starter, refused

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from ssm_tui.sessions.logins import Logins

S = TunnelState
_NEVER = float("inf")


class Wanted(Protocol):
    """Remembers what is open, for the next start after a power cut. Both block briefly."""

    def opened(self, request: TunnelRequest, port: int) -> None:
        """The tunnel has its port."""

    def closed(self, port: int) -> None:
        """The tunnel that had it has ended."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all tunnels of a supervisor share."""

    starter: Starter
    logins: Logins
    clock: Callable[[], datetime]
    random: Callable[[], float]
    memory: ports.PortMemory
    wanted: Wanted | None


class Tunnel:
    """Begins at once. `tell` gets its status at every change."""

    def __init__(self, number: int, request: TunnelRequest, means: Means, tell: Callable[[TunnelStatus], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._request = request
        self._means = means
        self._patience = patience = means.starter.patience
        self._chronicle = Chronicle(number, request, means.clock, tell)
        self._bell = Bell()
        self._pool = Pool(self._begin, request.most_sessions, patience, self._bell, self._chronicle.say)
        self._listener: Listener | None = None
        self._backoff = Backoff(means.random, patience.first_try, patience.last_try)
        self._way = 0
        self._ways_tried = 1
        self._tries = 0
        self._was_ready = False
        self._nudged = False
        self._cause = ""
        """Why there has to be another session."""
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
        return self._chronicle.measured(self._listener.traffic())

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
        waiting = self.status.state in (S.RECONNECTING, S.DEGRADED)
        if waiting or (woken and self.status.state is S.READY):
            self._nudged = True
            self._backoff.reset()
            self._bell.ring()

    # -- its life -----------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Waits for the work's end, clears up, and says what it was."""
        await asyncio.wait([self._work])
        if self._listener is not None:
            await self._listener.close()  # first: clients are reset, they do not take the session's end for an answer's
        await self._pool.close()
        await self._remember(opened=False)
        problem = (None if self._work.cancelled() else self._work.exception()) or self._pool.mistake
        if self.status.state is S.STOPPING:
            self._chronicle.become(S.STOPPED)
        elif isinstance(problem, SsmTuiError):
            self._chronicle.become(S.FAILED, problem.message, problem.hint)
        if problem is not None and not isinstance(problem, SsmTuiError):
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
        await self._listen()
        if self._request.on_demand:
            await self._sleep("the first connection starts the session")
        while True:
            await self._connect()
            await self._recover(await self._stand())

    async def _listen(self) -> None:
        sockets = await self._take_port()
        self._listener = Listener(sockets, self._upstream, on_change=self._counted, clock=self._means.clock)
        await self._listener.start()
        self._chronicle.update(local_port=self._listener.port)
        await self._remember(opened=True)

    async def _take_port(self) -> tuple[socket.socket, ...]:
        request, memory = self._request, self._means.memory
        taking = in_background(lambda: ports.take(request, memory), "take a port")
        try:
            await asyncio.wait([taking])
        except asyncio.CancelledError:
            await asyncio.wait([taking])  # briefly: no port may be left bound
            if taking.exception() is None:
                for each in taking.result():
                    each.close()
            raise
        return taking.result()

    async def _remember(self, *, opened: bool) -> None:
        if (wanted := self._means.wanted) is not None and self._listener is not None:
            request, port = self._request, self._listener.port
            note = (lambda: wanted.opened(request, port)) if opened else (lambda: wanted.closed(port))
            await in_background(note, "remember a tunnel")

    # -- getting a session --------------------------------------------------------------------------------------------

    def _begin(self) -> Session:
        way = self._request.ways[self._way]
        return Session(self._request, way.target, self._means.starter, self._heard)

    async def _connect(self) -> None:
        """Returns when a session stands. Raises what cannot be mended."""
        while True:
            try:
                return await self._start()
            except SsmTuiError as error:
                self._tries += 1
                await self._mend(error)

    async def _start(self) -> None:
        self._nudged = self._refused = False
        self._chronicle.update(via=self._request.ways[self._way])
        self._tell_step("starting the session")
        session = self._begin()
        try:
            await session.open()
            self._tell_step("reaching the far end")
            self._trouble = await self._reach(session)
        except BaseException:
            self._pool.dismiss(session)
            raise
        self._pool.admit(session)
        self._stood_since = self._loop.time()

    async def _reach(self, session: Session) -> FarEndError | None:
        """What keeps a session from the far end, where that may pass. Raises all else."""
        try:
            await session.reach()
        except FarEndError as error:
            if self._remedy(error) is not Remedy.STAND:
                raise
            return error
        return None

    def _tell_step(self, step: str) -> None:
        if self._chronicle.status.state is S.RECONNECTING:
            self._chronicle.become(S.RECONNECTING, f"{self._cause}; {step}")
        else:
            self._chronicle.become(S.STARTING, step)

    async def _mend(self, error: SsmTuiError, *, at_once: bool = False) -> None:
        """Returns when it is time for another start. Raises the error where that mends nothing."""
        self._cause = error.message
        match self._remedy(error):
            case Remedy.FAIL:
                raise error
            case Remedy.PAUSE:
                await self._pause(error)
            case Remedy.OTHER_WAY:
                self._turn(error)
            case Remedy.TRY_AGAIN | Remedy.STAND:
                self._ways_tried = 1
                if at_once:
                    self._chronicle.become(S.RECONNECTING, error.message, error.hint)
                else:
                    await self._wait(error)

    def _remedy(self, error: SsmTuiError) -> Remedy:
        left = len(self._request.ways) - self._ways_tried
        return remedy(error, was_ready=self._was_ready, tries=self._tries, ways_left=left)

    def _turn(self, error: SsmTuiError) -> None:
        """Goes on through the next node, and says so."""
        self._way = (self._way + 1) % len(self._request.ways)
        self._ways_tried += 1
        way = self._request.ways[self._way]
        state = S.STARTING if self._chronicle.status.state is S.STARTING else S.RECONNECTING
        self._chronicle.become(state, f"{error.message}: now through {way.label or way.target}", error.hint)

    async def _pause(self, error: SsmTuiError) -> None:
        self._chronicle.become(S.PAUSED, error.message, error.hint)
        await self._means.logins.renewed(self._request.context)
        self._backoff.reset()
        self._cause = "there are new credentials"
        self._chronicle.become(S.RECONNECTING, self._cause)

    async def _wait(self, error: SsmTuiError) -> None:
        if self._request.on_demand and not self._pool.waiting:
            await self._sleep(error.message, error.hint)
            return
        seconds = self._backoff.next()
        due = self._loop.time() + seconds
        next_try = self._means.clock() + timedelta(seconds=seconds)
        self._chronicle.become(S.RECONNECTING, error.message, error.hint, next_try=next_try)
        while not self._nudged and (left := due - self._loop.time()) > 0:
            await self._bell.wait(left)

    async def _sleep(self, message: str, hint: str = "") -> None:
        """No session until a client dials."""
        self._pool.clear()
        self._chronicle.become(S.IDLE, message, hint)
        while not self._pool.waiting:
            self._check()
            await self._bell.wait()
        self._chronicle.become(S.STARTING, "a client has dialled")

    # -- having one ---------------------------------------------------------------------------------------------------

    async def _stand(self) -> SsmTuiError | None:
        """Tells how it is with the tunnel as long as a session stands. Returns why none does; None where none is
        needed for the time being."""
        looks = Backoff(self._means.random, self._patience.first_look, self._patience.last_look)
        look_at = self._next_look(looks)
        while session := self._pool.best:
            self._check()
            if self._refused:
                self._refused = False
                self._trouble = refused(self._request)
                look_at = self._next_look(looks)
            self._tell_health()
            now = self._loop.time()
            if self._idle_at() <= now:
                return None
            if self._nudged or look_at <= now:
                self._nudged = False
                await self._look(session)
                look_at = self._next_look(looks)
            else:
                until = min(look_at, self._idle_at())
                await self._bell.wait(until - now if until < _NEVER else None)
        self._chronicle.update(sessions=0)
        return self._pool.reason

    async def _look(self, session: Session) -> None:
        """Is the far end reached? A session that cannot even say so is given up."""
        try:
            self._trouble = await self._reach(session)
        except SsmTuiError as error:
            self._pool.give_up(session, error)

    def _tell_health(self) -> None:
        self._chronicle.update(sessions=len(self._pool))
        if self._trouble is not None:
            self._chronicle.become(S.DEGRADED, self._trouble.message, self._trouble.hint)
        elif cause := self._pool.resuming:
            self._chronicle.become(S.DEGRADED, f"the connection was lost: {cause}", "the session is being resumed")
        elif self._chronicle.status.state is not S.READY:
            self._was_ready = True
            self._tries, self._ways_tried = 0, 1
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
            await self._sleep("no client for a while: the next connection starts a session")
        elif self._was_idle(lost):
            await self._sleep(lost.message, "the next connection starts another session")
        else:
            steady = self._loop.time() - self._stood_since >= self._patience.steady
            if steady:
                self._backoff.reset()
            await self._mend(lost, at_once=steady)

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

    def _check(self) -> None:
        """A mistake of ours ends the tunnel."""
        if self._pool.mistake is not None:
            raise self._pool.mistake
