"""One session of a tunnel: its process, from StartSession to TerminateSession. Knows no tunnel and no client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from ssm_tui.background import in_background
from ssm_tui.domain import sessions
from ssm_tui.domain.databases import Family
from ssm_tui.domain.sessions import LOOPBACK, Command, SessionSpec
from ssm_tui.errors import AccessDeniedError, FarEndError, SessionError, SsmTuiError
from ssm_tui.sessions import reading
from ssm_tui.sessions.children import Child
from ssm_tui.sessions.probe import Reached, probe, spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.sessions.tunnels.leftovers import Leftovers
    from ssm_tui.sessions.tunnels.patience import Patience

# From the session's name to its open port, where that is not known, and what is believed of it at most. Seconds.
_SLOW_OPENING: Final = 0.7
_LONGEST_OPENING: Final = 3.0


class Preparer(Protocol):
    """Makes the process of a session."""

    def prepare(self, spec: SessionSpec) -> Command:
        """Blocks; raises AwsError, PrerequisiteError."""


def no_lesson(_spec: SessionSpec, _refusal: AccessDeniedError | None) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Starter:
    """What a session needs beside its request."""

    launcher: Preparer
    leftovers: Leftovers
    patience: Patience
    learn: Callable[[SessionSpec, AccessDeniedError | None], object] = no_lesson
    """Told of sessions that another program has started, or was refused. Blocks."""


class Session:
    """Begins at once. `on_event` gets what the plugin says once the port is open.

    `lost` is settled when the session carries nothing any more, `reason` then says why (None where `close` was called):
    its clients are to be reset before anything else, so that they do not take its end for the end of an answer.
    """

    host = LOOPBACK

    def __init__(
        self, request: TunnelRequest, target: str, starter: Starter, on_event: Callable[[Session, reading.Event], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self._target = target
        self._starter = starter
        self._patience = starter.patience
        self._on_event = on_event
        self._id: str | None = None
        self._named_at: float | None = None
        self._named = asyncio.Event()
        self._opening = _SLOW_OPENING
        self._port_said: asyncio.Future[int] = loop.create_future()
        self._far_end_refused = asyncio.Event()
        self._probing = False
        self._closing = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self.port = 0
        self.carried = self.held = 0
        self.opened_at = loop.time()
        self.opened = asyncio.Event()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.reason: SsmTuiError | None = None
        self._life = asyncio.create_task(self._live())

    async def open(self) -> None:
        """Returns when the session's port is open. Raises SsmTuiError."""
        await _first_of(self.opened.wait(), _over(self.lost))
        if not self.lost.done():
            return
        if self.reason is None and not self._closing.is_set():
            await asyncio.shield(self._life)  # raises a mistake of ours
        raise self.reason or SessionError("the session was closed")

    async def reach(self) -> None:
        """Returns when the far end has answered. Raises FarEndError, and SessionError where the session is gone."""
        reaching = asyncio.create_task(self._reach())
        self._probing = True
        try:
            await _first_of(_over(reaching), _over(self.lost))
            if self.lost.done():
                raise self.reason or SessionError("the session was closed")
            reaching.result()
        except _PortGoneError:
            # A plugin that has opened its port and gone has last words that say more than the port's silence.
            await _first_of(_over(self.lost), seconds=self._patience.last_words)
            if self.reason is not None:
                raise self.reason from None
            raise
        finally:
            self._probing = False
            reaching.cancel()
            await asyncio.gather(reaching, return_exceptions=True)

    async def close(self) -> None:
        """Ends it; no process of it is left and the service knows when this returns. A mistake of ours is raised."""
        self._closing.set()
        _settle(self.lost)
        await asyncio.shield(self._life)

    # -- its life -----------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        try:
            await self._run()
        except SsmTuiError as error:
            self.reason = error
        except OSError as problem:
            self.reason = SessionError(
                f"the session process cannot be started: {problem.strerror}", "too many files or processes?"
            )
        finally:
            _settle(self.lost)
            await self._terminate()

    async def _run(self) -> None:
        spec = self._spec
        preparing = in_background(lambda: self._starter.launcher.prepare(spec), "start a session")
        await _first_of(_over(preparing), self._closing.wait(), seconds=self._patience.prepare)
        if preparing.done() and not self._closing.is_set():
            await self._with_child(preparing.result())
        else:
            await self._disown(preparing)

    @property
    def _spec(self) -> SessionSpec:
        request = self._request
        return sessions.forward(request.context, self._target, request.port, host=request.host)

    def _learn(self, refusal: AccessDeniedError | None) -> None:
        """Of the AWS CLI's own call: ours are learned from where they are made."""
        spec = self._spec
        learning = in_background(lambda: self._starter.learn(spec, refusal), "learn")
        learning.add_done_callback(lambda future: future.cancelled() or future.exception())

    async def _with_child(self, command: Command) -> None:
        self._id = command.session_id
        if self._id is not None:
            self._named.set()
        child = await Child.start(command, self._heard)
        ended = asyncio.create_task(child.wait())
        try:
            said, gone = _over(self._port_said), _over(ended)
            await _first_of(said, gone, self._closing.wait(), seconds=self._patience.open)
            if self._port_said.done() and not self._closing.is_set():
                if command.session_id is None:
                    self._learn(None)
                self._stand(self._port_said.result())
                await _first_of(_over(ended), self._closing.wait())
            if self._closing.is_set():
                # The AWS CLI calls StartSession itself: ended before it says the answer, it would leave a session that
                # nobody can name.
                await _first_of(self._named.wait(), _over(ended), seconds=self._patience.answer)
                return
            if not ended.done():
                raise SessionError(
                    f"the session did not open within {self._patience.open:.0f} s",
                    "retry; check the way to ssmmessages endpoints",
                )
            raise reading.why_ended(child.tail, ended.result())
        except SsmTuiError as error:
            self.reason = error
            if command.session_id is None and isinstance(error, AccessDeniedError):
                self._learn(error)
            raise
        finally:
            _settle(self.lost)
            await child.stop()
            await ended

    def _stand(self, port: int) -> None:
        self.port = port
        self.opened_at = asyncio.get_running_loop().time()
        self.opened.set()

    async def _disown(self, preparing: asyncio.Future[Command]) -> None:
        """Nobody waits for StartSession any more: the session that it may still give is ended as it comes."""
        if self._closing.is_set():
            await asyncio.wait([preparing], timeout=self._patience.answer)
        if preparing.done():
            self._own(preparing)
        else:
            preparing.add_done_callback(self._end_late)
        if not self._closing.is_set():
            raise SessionError(
                f"StartSession was not answered in {self._patience.prepare:.0f} s", "retry; is the network up?"
            )

    def _own(self, answer: asyncio.Future[Command]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._id = answer.result().session_id

    def _end_late(self, answer: asyncio.Future[Command]) -> None:
        self._own(answer)
        self._ending = asyncio.create_task(self._terminate())

    async def _terminate(self) -> None:
        """TerminateSession, whatever the plugin said of the session's end."""
        session_id, self._id = self._id, None
        if session_id is not None:
            await self._starter.leftovers.end(self._request.context, session_id, self._patience.answer)

    def _heard(self, line: str) -> None:
        now = asyncio.get_running_loop().time()
        match event := reading.read(line):
            case reading.SessionNamed(session_id):
                self._id = session_id
                self._named_at = now
                self._named.set()
            case reading.PortOpened(port):
                self._opening = now - self._named_at if self._named_at else _SLOW_OPENING
                if not self._port_said.done():
                    self._port_said.set_result(port)
            case reading.FarEndRefused():
                self._far_end_refused.set()
                if not self._probing:  # else it is the probe's own answer
                    self._on_event(self, event)
            case reading.ConnectionLost() | reading.ConnectionResumed():
                self._on_event(self, event)
            case None:
                pass

    # -- its far end --------------------------------------------------------------------------------------------------

    async def _reach(self) -> None:
        request, seconds = self._request, self._patience.probe
        far = request.far_end
        self._far_end_refused.clear()
        try:
            reached = await probe(spoken(request), self.host, self.port, seconds, self._quiet)
        except OSError as problem:
            raise _PortGoneError(f"the session's port does not answer: {problem.strerror}", "retry") from None
        if reached is Reached.SILENT:
            raise FarEndError(
                f"{far} did not answer within {seconds:g} s",
                "most often a security group drops the relay's packets: it must admit the relay on this port",
            )
        if reached is Reached.CLOSED and await self._refusal_was_said():
            raise refused(request)
        if reached is Reached.CLOSED and request.family in (Family.POSTGRES, Family.MYSQL):
            raise FarEndError(f"{far} closed the connection at once", "is this the port of the database?")

    @property
    def _quiet(self) -> float:
        """The silence after which a far end of unknown protocol counts as reached. A refusal comes back within a round
        trip, and opening the session took several (websocket, handshake and its completion): where those were slow, or
        the machine is busy, it is waited for longer."""
        return self._patience.quiet_probe + min(self._opening, _LONGEST_OPENING)

    async def _refusal_was_said(self) -> bool:
        await _first_of(self._far_end_refused.wait(), seconds=self._patience.word)
        return self._far_end_refused.is_set()


class _PortGoneError(SessionError):
    """The session's own port refused the probe."""


def refused(request: TunnelRequest) -> FarEndError:
    """The relay was refused by the far end."""
    return FarEndError(
        f"connection refused at the far end: {request.far_end}", "is the server up there, and does it admit the relay?"
    )


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _over(future: asyncio.Future[Any]) -> None:
    """Until it is done, whatever has become of it; giving up the wait changes nothing for it."""
    await asyncio.wait([future])


async def _first_of(*waits: Any, seconds: float | None = None) -> None:
    """Until one of them is over, or the time is."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
