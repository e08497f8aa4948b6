"""The sessions of one tunnel, and which of them carries which client. Starts further ones and ends idle ones by itself;
the first one, and what to do when the last is lost, are its owner's."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.errors import NetworkError, SessionClosedError, SessionError, SsmTuiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from ssm_tui.sessions.tunnels.bell import Bell
    from ssm_tui.sessions.tunnels.patience import Patience
    from ssm_tui.sessions.tunnels.session import Session


@dataclass(eq=False, slots=True)
class _Place:
    """A session that clients may use, and what it has to do."""

    session: Session
    clients: int = 0
    free_since: float = 0.0
    resuming: str = ""
    counted: int = 0
    rate: int = 0

    @property
    def load(self) -> tuple[bool, bool, int, int]:
        """Less is better: one that resumes carries nothing now, and one with a client that does not read may carry
        nothing for the others."""
        return bool(self.resuming), self.session.held > 0, self.clients, self.rate


class Pool:
    """`begin` starts a session, `most` is how many there may be; the `bell` is rung at every change, and `say` gets
    what the user should know: a session of several that was lost, a width that was refused."""

    def __init__(
        self, begin: Callable[[], Session], most: int, patience: Patience, bell: Bell, say: Callable[[str, str], None]
    ) -> None:
        self._begin = begin
        self._most = most
        self._patience = patience
        self._bell = bell
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._places: dict[Session, _Place] = {}
        self._growing: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._narrow_until = 0.0
        self._narrowness_said = False
        self._counting: asyncio.TimerHandle | None = None
        self._shrinking: asyncio.TimerHandle | None = None
        self._closed = False
        self.reason: SsmTuiError | None = None
        """Why the last session was lost, once there is none."""
        self.mistake: BaseException | None = None
        """What went wrong here, and should not be possible: it ends the tunnel."""

    def __len__(self) -> int:
        return len(self._places)

    @property
    def waiting(self) -> int:
        """How many clients have no session yet."""
        return self._waiting

    @property
    def resuming(self) -> str:
        """Why a session that clients depend on carries nothing just now; empty where all is well."""
        if all(place.resuming for place in self._places.values()):
            return next((place.resuming for place in self._places.values()), "")
        return next((place.resuming for place in self._places.values() if place.clients and place.resuming), "")

    def carries(self, session: Session) -> bool:
        """Whether it stands, and its connection does."""
        return (place := self._places.get(session)) is not None and not place.resuming

    @property
    def best(self) -> Session | None:
        """The session to look through at the far end."""
        return min(self._places.values(), key=lambda place: place.load).session if self._places else None

    def check(self) -> None:
        """Raises a mistake of ours."""
        if self.mistake is not None:
            raise self.mistake

    # -- sessions -----------------------------------------------------------------------------------------------------

    def admit(self, session: Session) -> None:
        """From now on it is for clients; when it is lost it is cleared away."""
        self._places[session] = _Place(session, free_since=self._loop.time())
        self.reason = None
        self._run(self._watch(session))
        self._bell.ring()

    def dismiss(self, session: Session) -> None:
        """Ends a session; what is left of it is waited for by `close`."""
        self._places.pop(session, None)
        self._run(session.close())
        self._bell.ring()

    def give_up(self, session: Session, reason: SsmTuiError) -> None:
        """A session that does not carry any more, whatever its process says."""
        self._forget(session, session.reason or reason)
        self._run(session.close())

    def clear(self) -> None:
        """Ends all sessions: their clients are reset, new ones wait."""
        self.stop_growing()
        for session in list(self._places):
            self.dismiss(session)

    def stop_growing(self) -> None:
        """Gives up the sessions that are being started; they are started anew at need."""
        for task in self._growing:
            task.cancel()
        self._narrow_until = 0.0

    async def close(self) -> None:
        """Ends all sessions; clients that wait get a SessionError. Nothing of them is left when this returns."""
        self._closed = True
        self.clear()
        for timer in (self._shrinking, self._counting):
            if timer is not None:
                timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def resumes(self, session: Session, cause: str) -> None:
        """The plugin has lost its connection for that cause, or with an empty one, has another."""
        if place := self._places.get(session):
            place.resuming = cause
            self._bell.ring()

    async def _watch(self, session: Session) -> None:
        await asyncio.wait([session.lost])
        self._forget(session, session.reason or SessionError("the session was closed"))
        await session.close()

    def _forget(self, session: Session, reason: SsmTuiError) -> None:
        place = self._places.pop(session, None)
        if place is None:
            return
        if not self._places:
            self.reason = reason
        elif place.clients or not isinstance(reason, SessionClosedError):  # else a spare one was idle for too long
            self._say(f"one of {len(self._places) + 1} sessions was lost: {reason.message}", reason.hint)
        self._bell.ring()

    # -- clients ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session for one client, as long as it needs it. Entering waits until there is one: bound it from outside.
        Raises SessionError where there will be none."""
        place = await self._choose()
        place.clients += 1
        self._grow(spare=True)
        self._count_later()
        try:
            yield place.session
        finally:
            place.clients -= 1
            if not place.clients:
                place.free_since = self._loop.time()
                self._shrink_later()
                self._bell.ring()

    async def _choose(self) -> _Place:
        shares_at: float | None = None
        self._waiting += 1
        self._bell.ring()
        try:
            while not self._closed:
                steady = [place for place in self._places.values() if not place.resuming]
                if free := [place for place in steady if not place.clients]:
                    return free[0]
                self._grow()
                left = None
                if steady:  # one that resumes may never come back: its next client waits for any other too
                    shares_at = shares_at or self._loop.time() + self._patience.share
                    left = shares_at - self._loop.time()
                    if not self._growing or left <= 0:
                        return min(steady, key=lambda place: place.load)
                await self._bell.wait(left)
            raise SessionError("the tunnel has ended")
        finally:
            self._waiting -= 1

    def _count_later(self) -> None:
        """Only where a client may have to share is it asked who has how much to do."""
        crowded = len(self._places) > 1 and not self._free()
        if self._counting is None and crowded and not self._closed:
            self._counting = self._loop.call_later(self._patience.count, self._count)

    def _count(self) -> None:
        self._counting = None
        for place in self._places.values():
            place.rate = place.session.carried - place.counted
            place.counted = place.session.carried
        self._count_later()

    # -- width --------------------------------------------------------------------------------------------------------

    def _grow(self, *, spare: bool = False) -> None:
        """Starts as many sessions as clients wait for, and with `spare` one in advance where no session is free."""
        wanted = self._waiting
        if spare and not any(not place.clients for place in self._places.values()):
            wanted = max(wanted, 1)
        if self._closed or not self._places or self._loop.time() < self._narrow_until:
            return
        while len(self._growing) < wanted and len(self._places) + len(self._growing) < self._most:
            task = self._run(self._extend())
            self._growing.add(task)
            task.add_done_callback(self._growing.discard)

    async def _extend(self) -> None:
        """One more session. A refusal is no fault of the tunnel: it stays as wide as it is for a while."""
        session = self._begin()
        try:
            await session.open()
        except SsmTuiError as error:
            self._narrow_until = self._loop.time() + self._patience.narrow
            if isinstance(error, NetworkError):  # everything else suffers from it too
                self._narrow_until = self._loop.time() + self._patience.offline
            elif not self._narrowness_said:
                self._narrowness_said = True
                self._say(f"stays {len(self._places)} wide: {error.message}", error.hint)
        else:
            self._narrowness_said = False
            self.admit(session)
            self._shrink_later()
        finally:
            if session not in self._places:
                self.dismiss(session)  # not awaited here: this may be cancelled twice

    def _shrink_later(self) -> None:
        if self._shrinking is None and not self._closed and len(self._free()) > 1:
            self._shrinking = self._loop.call_later(self._patience.spare, self._shrink)

    def _shrink(self) -> None:
        self._shrinking = None
        long_ago = self._loop.time() - self._patience.spare
        for place in self._free()[1:]:
            if place.free_since <= long_ago:
                self.dismiss(place.session)
        self._shrink_later()

    def _free(self) -> list[_Place]:
        """The sessions without clients, those that are kept longest first."""
        return sorted((place for place in self._places.values() if not place.clients), key=lambda p: -p.free_since)

    # -- tasks --------------------------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ran)
        return task

    def _ran(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (mistake := task.exception()) is not None:
            self.mistake = self.mistake or mistake
        self._bell.ring()
