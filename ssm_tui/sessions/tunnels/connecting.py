"""Gets a tunnel its next session: tries, waits, pauses for credentials, turns to another node, by the rules of
domain.recovery. What to do with the session is its tunnel's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from ssm_tui.background import in_background
from ssm_tui.domain.recovery import Allowance, Backoff, Course, Remedy
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import FarEndError, SsmTuiError
from ssm_tui.sessions.tunnels.pool import Pool
from ssm_tui.sessions.tunnels.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.sessions import reading
    from ssm_tui.sessions.tunnels.bell import Bell
    from ssm_tui.sessions.tunnels.chronicle import Chronicle
    from ssm_tui.sessions.tunnels.means import Means

S = TunnelState


class Connector:
    """Fills the `pool`. Tells the states from STARTING or RECONNECTING on until a session stands; READY is not its to
    tell."""

    def __init__(
        self,
        request: TunnelRequest,
        means: Means,
        chronicle: Chronicle,
        bell: Bell,
        on_event: Callable[[Session, reading.Event], None],
    ) -> None:
        patience = means.starter.patience
        self._loop = asyncio.get_running_loop()
        self._request = request
        self._means = means
        self._chronicle = chronicle
        self._bell = bell
        self._on_event = on_event
        self._course = Course(request.ways)
        self._backoff = Backoff(means.random, patience.first_try, patience.last_try)
        self._at_once = Allowance()
        self._attempt: Session | None = None
        self._hurried = self._woken = False
        self._cause = ""
        """Why there has to be another session."""
        self.pool = Pool(self.begin, request.most_sessions, patience, bell, chronicle.say)

    def begin(self) -> Session:
        """A session on the present way, just begun."""
        return Session(self._request, self._course.way.target, self._means.starter, self._on_event)

    async def connect(self) -> FarEndError | None:
        """Returns when the pool has a session: what keeps it from the far end, where that may pass. Raises what
        cannot be mended."""
        while True:
            try:
                return await self._start()
            except SsmTuiError as error:
                if not self._woken:  # else it was given up for a fresh one
                    self._course.failed(error)
                    await self._mend(error)

    async def replace(self, error: SsmTuiError, *, steady: bool) -> None:
        """After the last session: returns when it is time for another start. `steady`: it stood for a while, and the
        next is begun at once, unless that was done too often. Raises the error where that mends nothing."""
        self._course.lost(error, steady=steady)
        await self._mend(error, at_once=steady and self._at_once.take(self._loop.time()))

    async def _mend(self, error: SsmTuiError, *, at_once: bool = False) -> None:
        self._cause = error.message
        match self._course.remedy(error):
            case Remedy.FAIL:
                raise error
            case Remedy.PAUSE:
                await self._pause(error)
            case Remedy.OTHER_WAY:
                self._turn(error)
            case Remedy.TRY_AGAIN | Remedy.STAND:
                self._course.begin_anew()
                if self._request.on_demand and not self.pool.waiting:
                    await self.sleep(error.message, error.hint)
                elif at_once:
                    self._backoff.reset()
                    self._chronicle.become(S.RECONNECTING, error.message, error.hint)
                else:
                    await self._wait(error)

    async def reach(self, session: Session) -> FarEndError | None:
        """What keeps a session from the far end, where that may pass. Raises all else."""
        try:
            await session.reach()
        except FarEndError as error:
            if session.lost.done() or self._course.remedy(error) is not Remedy.STAND:
                raise
            return error
        return None

    async def sleep(self, message: str, hint: str = "") -> None:
        """No session until a client dials."""
        self.pool.clear()
        self._chronicle.become(S.IDLE, message, hint)
        while not self.pool.waiting:
            self.pool.check()
            await self._bell.wait()
        self._chronicle.become(S.STARTING, "a client has dialled")

    def stood(self) -> None:
        """The far end has been reached."""
        self._course.stood()
        relays, target = self._means.relays, self._course.way.target
        if relays is not None and self._request.database is not None:
            in_background(lambda: relays.reached(self._request, target), "remember a relay")
        self._means.starter.leftovers.settle(self._request.context, self._means.starter.patience.prepare)

    def hurry(self, *, woken: bool = False) -> None:
        """What is waited for is tried at once. `woken`: what was begun before a sleep would only run into its end."""
        self._hurried = True
        self._backoff.reset()
        if woken:
            self.pool.stop_growing()
            if self._attempt is not None:
                self._woken = True
                self.pool.dismiss(self._attempt)
        self._bell.ring()

    async def _start(self) -> FarEndError | None:
        self._hurried = self._woken = False
        self._chronicle.update(via=self._course.way)
        self._tell_step("starting the session")
        session = self._attempt = self.begin()
        try:
            await session.open()
            self._tell_step("reaching the far end")
            trouble = await self.reach(session)
        except BaseException:
            self.pool.dismiss(session)
            raise
        finally:
            self._attempt = None
        self.pool.admit(session)
        return trouble

    def _tell_step(self, step: str) -> None:
        if self._chronicle.status.state is S.RECONNECTING:
            self._chronicle.become(S.RECONNECTING, f"{self._cause}; {step}")
        else:
            self._chronicle.become(S.STARTING, step)

    def _turn(self, error: SsmTuiError) -> None:
        """Goes on through the next node, and says so."""
        way = self._course.turn()
        state = S.STARTING if self._chronicle.status.state is S.STARTING else S.RECONNECTING
        self._cause = f"{error.message}: now through {way.label or way.target}"
        self._chronicle.become(state, self._cause, error.hint)

    async def _pause(self, error: SsmTuiError) -> None:
        self._chronicle.become(S.PAUSED, error.message, error.hint)
        await self._means.logins.renewed(self._request.context)
        self._backoff.reset()
        self._cause = "there are new credentials"
        self._chronicle.become(S.RECONNECTING, self._cause)

    async def _wait(self, error: SsmTuiError) -> None:
        seconds = self._backoff.next()
        due = self._loop.time() + seconds
        next_try = self._means.clock() + timedelta(seconds=seconds)
        self._chronicle.become(S.RECONNECTING, error.message, error.hint, next_try=next_try)
        while not self._hurried and (left := due - self._loop.time()) > 0:
            await self._bell.wait(left)
