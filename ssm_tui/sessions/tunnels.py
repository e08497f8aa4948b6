"""The supervisor of tunnels: each is a local port of ours and a session process behind it, from the first bind to the
last process gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.background import in_background
from ssm_tui.domain import sessions
from ssm_tui.domain.databases import Family
from ssm_tui.domain.sessions import LOOPBACK, Command, SessionSpec
from ssm_tui.domain.tunnels import Connection, Traffic, TunnelEvent, TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.errors import FarEndError, SessionError, SsmTuiError
from ssm_tui.sessions import ports, reading
from ssm_tui.sessions.children import Child
from ssm_tui.sessions.probe import QUIET_SECONDS, Reached, probe, quiet_for
from ssm_tui.sessions.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.services import Clouds

# StartSession with botocore's retries, credentials from a slow source included.
PREPARE_SECONDS = 90.0
OPEN_SECONDS = 45.0
PROBE_SECONDS = 12.0
# The plugin says that a stream failed on its output, the stream's end arrives by the socket: either may be first.
_WORD_SECONDS = 0.5
_LAST_WORDS_SECONDS = 5.0
# Only to clean up, while somebody waits for the tunnel's end.
_ANSWER_SECONDS = 3.0


class _PortGoneError(SessionError):
    """The session's own port refused the probe."""


class Preparer(Protocol):
    """Makes the process of a session."""

    def prepare(self, spec: SessionSpec) -> Command:
        """Blocks; raises AwsError, PrerequisiteError."""


class TunnelSupervisor:
    """Implements `Tunnels` (ssm_tui.domain.services). Construct and use it on a running event loop."""

    def __init__(self, launcher: Preparer, clouds: Clouds, *, clock: Callable[[], datetime] | None = None) -> None:
        self._launcher = launcher
        self._clouds = clouds
        self._clock = clock or (lambda: datetime.now(UTC))
        self._tunnels: dict[int, _Tunnel] = {}
        self._listeners: list[Callable[[TunnelStatus], None]] = []

    def open(self, request: TunnelRequest) -> int:
        """Begins a tunnel and returns its id at once; what becomes of it comes as statuses."""
        number = len(self._tunnels) + 1
        self._tunnels[number] = _Tunnel(number, request, self._launcher, self._clouds, self._clock, self._tell)
        return number

    async def stop(self, tunnel: int) -> None:
        """Ends it: its processes are gone and its port is free when this returns."""
        await self._tunnels[tunnel].stop()

    async def close(self) -> None:
        """Ends all of them."""
        await asyncio.gather(*(tunnel.stop() for tunnel in self._tunnels.values()))

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """Every tunnel of this run, oldest first, the ended ones too."""
        return tuple(tunnel.status for tunnel in self._tunnels.values())

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        """Calls `listener` at every change; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def retry(self, tunnel: int) -> None:
        """Tries at once what would be tried later."""

    def renew(self, profile: str | None) -> None:
        """There are new credentials for the profile."""

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        """What has become of it."""
        del tunnel
        return ()

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        """The connections that it carries."""
        del tunnel
        return ()

    def _tell(self, status: TunnelStatus) -> None:
        for listener in tuple(self._listeners):
            listener(status)


class _Tunnel:
    """One tunnel's life, as one task: bind, launch, wait for the port, reach the far end, stay, clean up."""

    def __init__(
        self,
        number: int,
        request: TunnelRequest,
        launcher: Preparer,
        clouds: Clouds,
        clock: Callable[[], datetime],
        tell: Callable[[TunnelStatus], None],
    ) -> None:
        self._request = request
        self._launcher = launcher
        self._clouds = clouds
        self._clock = clock
        self._tell = tell
        self._relay: Relay | None = None
        self._session_id: str | None = None
        self._named_at: float | None = None
        self._opening = QUIET_SECONDS
        self._port_opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._far_end_refused = asyncio.Event()
        self._stop_wanted = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self.status = TunnelStatus(number, request, TunnelState.STARTING, clock())
        self._life = asyncio.create_task(self._live())
        self._life.add_done_callback(self._lived)

    async def stop(self) -> None:
        if not self.status.state.ended:
            self._stop_wanted.set()
            self._become(TunnelState.STOPPING)
        await asyncio.wait([self._life])

    async def _live(self) -> None:
        try:
            await self._run()
        except SsmTuiError as error:
            self._become(TunnelState.FAILED, error.message, error.hint)
        except OSError as problem:
            self._become(TunnelState.FAILED, f"the system refused: {problem.strerror}", "too many files or processes?")
        else:
            self._become(TunnelState.STOPPED)
        finally:
            await self._terminate()

    def _lived(self, life: asyncio.Task[None]) -> None:
        """A mistake of our own is an end too: no tunnel may seem to be starting for ever."""
        if life.cancelled() or (mistake := life.exception()) is None:
            return
        if not self.status.state.ended:
            self._become(
                TunnelState.FAILED,
                f"the tunnel broke: {type(mistake).__name__}",
                "this is a mistake in ssm-tui: report it",
            )
        life.get_loop().call_exception_handler({"message": "a tunnel broke", "exception": mistake, "task": life})

    async def _run(self) -> None:
        """Returns when the tunnel was stopped; raises SsmTuiError when it ended otherwise. Leaves nothing behind."""
        relay = self._relay = Relay(ports.bind(self._request.local_port, self._request.port), self._counted)
        try:
            await relay.start()
            self._become(TunnelState.STARTING, "starting the session")
            spec = sessions.forward(
                self._request.context, self._request.target, self._request.port, host=self._request.host
            )
            preparing = in_background(lambda: self._launcher.prepare(spec), "start a session")
            await self._until_first(preparing, seconds=PREPARE_SECONDS)
            if preparing.done() and not self._stop_wanted.is_set():
                await self._with_child(preparing.result(), relay)
            else:
                await self._disown(preparing)
        finally:
            await relay.close()

    async def _with_child(self, command: Command, relay: Relay) -> None:
        self._session_id = command.session_id
        try:
            child = await Child.start(command, self._heard)
        except OSError as problem:
            raise SessionError(f"the session process cannot be started: {problem.strerror}", "retry") from None
        ended = asyncio.create_task(child.wait())
        ready = asyncio.create_task(self._become_ready(relay))
        try:
            await self._until_first(ended, ready)
            if ready.done() and not self._stop_wanted.is_set():
                await self._stood(ready, ended)
                await self._until_first(ended)
            if not self._stop_wanted.is_set():
                raise reading.why_ended(child.tail, ended.result())
        finally:
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)
            await relay.close()  # first: clients are reset, they do not take the session's end for an answer's
            await child.stop()
            await ended

    async def _stood(self, ready: asyncio.Task[None], ended: asyncio.Task[int]) -> None:
        """Raises why the tunnel did not become ready. A plugin that has opened its port and gone has last words that
        say more than the port's silence; they are on their way."""
        try:
            ready.result()
        except _PortGoneError:
            await asyncio.wait([ended], timeout=_LAST_WORDS_SECONDS)
            if not ended.done():
                raise

    async def _become_ready(self, relay: Relay) -> None:
        """Waits for the session's port and for the far end behind it, then lets clients through."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                port = await self._port_opened
        except TimeoutError:
            raise SessionError(
                f"the session did not open within {OPEN_SECONDS:.0f} s", "retry; check the way to ssmmessages endpoints"
            ) from None
        self._become(TunnelState.STARTING, "reaching the far end")
        await self._reach(port)
        relay.open_to(LOOPBACK, port)
        self._become(TunnelState.READY)

    async def _reach(self, port: int) -> None:
        request = self._request
        far = f"{request.host or request.target}:{request.port}"
        try:
            reached = await probe(request.family, LOOPBACK, port, PROBE_SECONDS, quiet_for(self._opening))
        except OSError as problem:
            raise _PortGoneError(f"the session's port does not answer: {problem.strerror}", "retry") from None
        if reached is Reached.SILENT:
            raise FarEndError(
                f"{far} did not answer within {PROBE_SECONDS:.0f} s",
                "most often a security group drops the relay's packets: it must admit the relay on this port",
            )
        if reached is Reached.CLOSED and await self._refusal_was_said():
            raise FarEndError(
                f"connection refused at the far end: {far}", "is the server up there, and does it admit the relay?"
            )
        if reached is Reached.CLOSED and request.family in (Family.POSTGRES, Family.MYSQL):
            raise FarEndError(f"{far} closed the connection at once", "is this the port of the database?")

    async def _refusal_was_said(self) -> bool:
        try:
            async with asyncio.timeout(_WORD_SECONDS):
                return await self._far_end_refused.wait()
        except TimeoutError:
            return False

    async def _until_first(self, *tasks: asyncio.Future[Any], seconds: float | None = None) -> None:
        """Until one is done, the tunnel is to stop, or the time is over."""
        stopped = asyncio.create_task(self._stop_wanted.wait())
        try:
            await asyncio.wait([stopped, *tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()

    async def _disown(self, preparing: asyncio.Future[Command]) -> None:
        """Nobody waits for StartSession any more: the session that it may still give is ended as it comes."""
        stopped = self._stop_wanted.is_set()
        if stopped:
            await asyncio.wait([preparing], timeout=_ANSWER_SECONDS)
        if preparing.done():
            self._own(preparing)
        else:
            preparing.add_done_callback(self._end_late)
        if not stopped:
            raise SessionError(f"StartSession was not answered in {PREPARE_SECONDS:.0f} s", "retry; is the network up?")

    def _own(self, answer: asyncio.Future[Command]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._session_id = answer.result().session_id

    def _end_late(self, answer: asyncio.Future[Command]) -> None:
        self._own(answer)
        self._ending = asyncio.create_task(self._terminate())

    async def _terminate(self) -> None:
        """TerminateSession, where the plugin did not say that the session has ended. A refusal changes nothing here:
        the service ends an abandoned session by itself."""
        session_id, self._session_id = self._session_id, None
        if session_id is None:
            return
        context = self._request.context
        ending = in_background(lambda: self._clouds.open(context).terminate_session(session_id), "end a session")
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await ending
        except (SsmTuiError, TimeoutError):
            return

    def _heard(self, line: str) -> None:
        now = asyncio.get_running_loop().time()
        match reading.read(line):
            case reading.SessionNamed(session_id):
                self._session_id = session_id
                self._named_at = now
            case reading.PortOpened(port):
                self._opening = now - self._named_at if self._named_at else QUIET_SECONDS
                if not self._port_opened.done():
                    self._port_opened.set_result(port)
            case reading.SessionExited():
                self._session_id = None
            case reading.FarEndRefused():
                self._far_end_refused.set()
                if self.status.state is TunnelState.READY:
                    self._become(TunnelState.READY, "a connection was refused at the far end")
            case None:
                pass

    def _counted(self) -> None:
        if self._relay is not None:
            self.status = replace(self.status, traffic=Traffic(self._relay.connections))
            self._tell(self.status)

    def _become(self, state: TunnelState, message: str = "", hint: str = "") -> None:
        if self._stop_wanted.is_set() and not state.ended:
            state = TunnelState.STOPPING
        since = self.status.since if state is self.status.state else self._clock()
        port = self._relay.port if self._relay is not None and not state.ended else self.status.local_port
        self.status = replace(
            self.status,
            state=state,
            since=since,
            message=message,
            hint=hint,
            local_port=port,
            traffic=Traffic() if state.ended else self.status.traffic,
        )
        self._tell(self.status)
