"""One session from start to end: channel, handshake, handler, and every way it can end, with its exit status.

Statuses: 0 the session ended as wished, the remote command's own where the protocol carries it, 128+N after signal N,
1 for everything that failed, each with one line that says why.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ssm_tui.plugin import framing, handshake
from ssm_tui.plugin.channel import DataChannel, End, Ending
from ssm_tui.plugin.dialing import ChannelError
from ssm_tui.plugin.framing import Flag, Message, PayloadType
from ssm_tui.plugin.handler import BrokenStreamError, Handler, StartError
from ssm_tui.plugin.limits import DEFAULT_LIMITS, Limits
from ssm_tui.plugin.negotiation import Negotiation, RefusalError
from ssm_tui.plugin.service import Service, ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from ssm_tui.plugin.arguments import Invocation
    from ssm_tui.plugin.console import Console

_T = TypeVar("_T")
_ALWAYS_STOP: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_KEYS: Final = ("SIGQUIT", "SIGTSTP")
"""End a port session as in AWS's plugin, are keys in a shell, and stay job control under ssh."""
_EARLY_BYTES: Final = 4 * 1024 * 1024
_MAY_BE_SILENT: Final = "AWS-StartInteractiveCommand"


class _SessionOverError(Exception):
    def __init__(self, ending: Ending) -> None:
        super().__init__()
        self.ending = ending


class Session:
    """Runs one invocation. Use `run` once, inside a running loop of the main thread."""

    def __init__(self, invocation: Invocation, console: Console, limits: Limits = DEFAULT_LIMITS) -> None:
        self._id = invocation.session_id
        self._document = invocation.document
        self._console = console
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._service = Service(invocation.region, invocation.profile, invocation.endpoint, limits.api, limits.kms)
        self._channel = DataChannel(
            invocation.stream_url,
            invocation.token,
            sink=self._sink,
            renew=lambda: self._service.resume(self._id),
            limits=limits,
            outage=self._outage,
        )
        self._negotiation = Negotiation(
            self._channel,
            console,
            session_id=self._id,
            document=self._document,
            data_key=lambda key_id: self._service.data_key(key_id, self._id, invocation.target),
            limits=limits,
        )
        self._handler: Handler | None = None
        self._started = False
        self._early: list[Message] = []
        self._early_bytes = 0
        self._stopped: asyncio.Future[int] = self._loop.create_future()
        self._usual_ends: set[int] = set()
        """Signals that whoever started us ignores: to the AWS CLI, Ctrl-C is how its user ends a session, and any
        other status than 0 a crash that it tells of, argv and all."""

    async def run(self) -> int:
        self._console.line(f"\nStarting session with SessionId: {self._id}\n")
        self._watch(_ALWAYS_STOP)
        work = self._loop.create_task(self._drive())
        try:
            await asyncio.wait([work, self._stopped], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            work.cancel()
            await asyncio.wait([work])
            return await self._stop(self._stopped.result())
        finally:
            self._release()
            await self._channel.close()

    # -- what arrives -------------------------------------------------------------------------------------------------

    def _sink(self, message: Message) -> None:
        """Nothing that comes early is lost: it waits until the handler is ready."""
        if self._negotiation.receive(message):
            return
        if self._started and self._handler is not None:
            self._handler.receive(message)
            return
        self._early.append(message)
        self._early_bytes += len(message.payload)
        if self._early_bytes > _EARLY_BYTES:
            self._channel.pause(self)

    def _outage(self, cause: str | None) -> None:
        if self._started and self._handler is not None:
            self._handler.outage(cause)

    def _release_early(self, handler: Handler) -> None:
        early, self._early = self._early, []
        self._started = True
        for message in early:
            handler.receive(message)
        self._channel.unpause(self)

    # -- the course of a session --------------------------------------------------------------------------------------

    async def _drive(self) -> int:
        limits = self._limits
        first = limits.silent_command if self._document == _MAY_BE_SILENT else limits.first_message
        try:
            await self._channel.open()
            await self._until(
                self._negotiation.begun.wait(), first, "neither a handshake nor output came from the agent"
            )
            handler = await self._until(
                self._negotiation.settled, limits.handshake, "the agent did not complete the handshake"
            )
            self._handler = handler
            if not handler.raw_stdout:
                self._watch(_KEYS)
            await handler.start()
            self._release_early(handler)
            status = await self._until(handler.run(), None, "")
        except _SessionOverError as over:
            return await self._ended(over.ending)
        except (ChannelError, RefusalError, StartError) as error:
            return await self._failed(f"Cannot perform start session: {error}")
        except BrokenStreamError as error:
            return await self._failed(f"Session: {self._id} broken: {error}")
        self._release()
        await self._terminate()
        if not handler.raw_stdout:
            self._console.line(self._exiting)
        return status

    async def _until(self, work: Awaitable[_T], seconds: float | None, failure: str) -> _T:
        """The result of some work, unless the channel ends or the time is over first."""
        task = asyncio.ensure_future(work)
        try:
            either: list[asyncio.Future[Any]] = [task, self._channel.ended]
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if self._channel.ended.done():
                raise _SessionOverError(self._channel.ended.result())
            raise StartError(f"{failure} within {seconds:g} s")
        finally:
            task.cancel()

    # -- how it ends --------------------------------------------------------------------------------------------------

    @property
    def _exiting(self) -> str:
        return f"\n\nExiting session with sessionId: {self._id}.\n\n"

    @property
    def _raw_stdout(self) -> bool:
        return self._handler is not None and self._handler.raw_stdout

    def _release(self) -> None:
        """Gives the local end back: the terminal before any last words, the port at once."""
        if self._handler is not None:
            self._handler.close()
        self._negotiation.close()

    async def _ended(self, ending: Ending) -> int:
        key = self._negotiation.undecided_key
        self._release()
        if ending.end is End.CLOSED:
            if ending.text:
                self._console.line(f"\n\nSessionId: {self._id} : {ending.text}\n\n")
            else:
                self._console.line(self._exiting)
            if key:  # the agent's own words may not come through: it is about to encrypt with a key it does not have
                self._complain(
                    "Cannot perform start session: the agent ended the session instead of confirming its encryption; "
                    f"its node's role needs kms:Decrypt with the key {key}"
                )
                return 1
            remote = self._handler.exit_status if self._handler is not None else 0
            return remote or int(bool(ending.text))
        if ending.end is End.GONE:
            self._complain(f"Session: {self._id} timed out." + (f" ({ending.text})" if ending.text else ""))
            return 1
        return await self._failed(f"Session: {self._id} lost: {ending.text}")

    async def _failed(self, text: str) -> int:
        self._release()
        self._complain(text)
        await self._terminate()
        return 1

    async def _stop(self, signum: int) -> int:
        self._console.patience = self._limits.flush
        self._release()
        if not self._raw_stdout:
            self._console.line("Terminate signal received, exiting.\n")
        await self._terminate()
        if not self._raw_stdout:
            self._console.line(self._exiting)
        return 0 if signum in self._usual_ends else 128 + signum

    def _complain(self, text: str) -> None:
        if self._raw_stdout:
            self._console.note(text)
        else:
            self._console.line(f"{text}\n")

    async def _terminate(self) -> None:
        """Ends the session at the service: by the flag where the agent takes it and answers, else by the API."""
        ended = self._channel.ended
        flag = (
            self._started
            and self._handler is not None
            and self._handler.knows_flags
            and handshake.agent_knows_terminate_flag(self._negotiation.agent_version)
        )
        if ended.done() and ended.result().end is not End.LOST:
            return
        if flag and not ended.done():
            sequence = self._channel.send(PayloadType.FLAG, framing.flag_payload(Flag.TERMINATE_SESSION))
            acknowledged = self._loop.create_task(self._channel.acknowledged(sequence))
            either: list[asyncio.Future[Any]] = [acknowledged, ended]
            done, _ = await asyncio.wait(either, timeout=self._limits.terminate, return_when=asyncio.FIRST_COMPLETED)
            acknowledged.cancel()
            if done:
                return
        try:
            await self._service.terminate(self._id)
        except ServiceError as error:
            self._console.note(f"Session {self._id} could not be ended at the service: {error}")

    # -- signals ------------------------------------------------------------------------------------------------------

    def _watch(self, names: Iterable[str]) -> None:
        for name in names:
            signum = getattr(signal, name, None)
            if signum is None:
                continue
            # The AWS CLI starts us with SIGINT, SIGQUIT and SIGTSTP ignored, but an ignored SIGHUP means nohup.
            if signal.getsignal(signum) is signal.SIG_IGN:
                if name == "SIGHUP":
                    continue
                self._usual_ends.add(signum)
            try:
                self._loop.add_signal_handler(signum, self._signalled, signum)
            except NotImplementedError:  # Windows
                signal.signal(signum, lambda s, _: self._loop.call_soon_threadsafe(self._signalled, s))

    def _signalled(self, signum: int) -> None:
        if self._stopped.done():  # asked twice: no more waiting
            self._release()
            os._exit(128 + signum)
        if self._started and self._handler is not None and self._handler.signalled(signum):
            return
        self._stopped.set_result(signum)
