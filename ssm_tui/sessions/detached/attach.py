"""A connection to the detached supervisor: found, started where there is none, taken over from where it is another
version."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ssm_tui.errors import SessionError
from ssm_tui.sessions.detached import wire
from ssm_tui.sessions.detached.rendezvous import AVAILABLE, is_ours
from ssm_tui.sessions.detached.wire import Answer, Ask, Hello, News

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from socket import socket

    from ssm_tui.domain.tunnels import TunnelRequest, TunnelStatus
    from ssm_tui.sessions.detached.rendezvous import Rendezvous

HELLO_SECONDS: Final = 5.0
# Python, our modules, and a predecessor that may have tunnels to end.
START_SECONDS: Final = 60.0
# Ending a tunnel takes longest: processes that do not want to go, and an answer of AWS's.
ANSWER_SECONDS: Final = 60.0
_TRIES: Final = 5


class GoneError(SessionError):
    """The supervisor has ended, or was killed, before it answered."""

    def __init__(self) -> None:
        super().__init__("the detached supervisor has gone", "see: ssm-tui tunnels")


def _silent() -> SessionError:
    return SessionError("the detached supervisor does not answer", "is it stopped? end it")


class Attachment:
    """A connection. `on_news` gets the tunnels' changes once they are watched, from the event loop."""

    def __init__(self, hello: Hello, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hello = hello
        self.on_news: Callable[[TunnelStatus], None] = lambda _status: None
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._asked: dict[int, tuple[asyncio.Future[Answer], Callable[[Answer], None] | None]] = {}
        self._listening = asyncio.create_task(self._listen())

    async def ask(self, do: Any, *, then: Callable[[Answer], None] | None = None, **fields: Any) -> Answer:
        """The answer. `then` gets it before any news that came behind it. Raises SessionError: what the supervisor
        said against it, that it does not answer, or GoneError."""
        if self._listening.done():
            raise GoneError
        self._number += 1
        number = self._number
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer, then
        self._writer.write(wire.line(Ask(number, do, **fields)))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise _silent() from None
        finally:
            self._asked.pop(number, None)

    async def gone(self) -> None:
        """Returns when the supervisor has gone."""
        await asyncio.wait([self._listening])

    async def close(self) -> None:
        """Leaves; the tunnels stay."""
        self._listening.cancel()
        await asyncio.wait([self._listening])
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        try:
            while raw := await self._reader.readline():
                # What a newer version says beside is passed over.
                with contextlib.suppress(msgspec.DecodeError):
                    self._take(wire.SAID.decode(raw))
        except (OSError, ValueError):
            pass
        finally:
            for answer, _ in self._asked.values():
                if not answer.done():
                    answer.set_exception(GoneError())
            self._writer.close()

    def _take(self, message: Hello | Answer | News) -> None:
        if isinstance(message, News):
            self.on_news(message.status)
        elif isinstance(message, Answer) and message.number in self._asked:
            answer, then = self._asked[message.number]
            if answer.done():
                return
            if message.message:
                answer.set_exception(SessionError(message.message, message.hint))
                return
            if then is not None:
                then(message)
            answer.set_result(message)


@dataclass(frozen=True, slots=True)
class Supervisors:
    """How to come by the user's detached supervisor.

    `argv` starts one and ends when it serves (0) or cannot (another status); `environment` is what it opens tunnels
    with; `log` is where it says why it cannot.
    """

    rendezvous: Rendezvous
    argv: Sequence[str]
    version: str
    environment: Mapping[str, str]
    log: str = ""

    async def find(self) -> Attachment | None:
        """A connection to the one that there is, of whatever version; None where there is none. Raises SessionError
        where it does not answer, or not in our words."""
        attachment = await self._connect()
        if attachment is not None and attachment.hello.protocol != wire.PROTOCOL:
            await attachment.close()
            raise SessionError(
                f"the detached supervisor is of version {attachment.hello.version}",
                "opening a tunnel with --detach takes over what it has",
            )
        return attachment

    async def get(self) -> Attachment:
        """A connection to one of our own version, which may open tunnels for us.

        It is started where there is none. Another version hands its tunnels over: it ends, and they are opened anew on
        the ports that they had. Raises SessionError.
        """
        self.rendezvous.prepare()
        found = await self._connect()
        left: tuple[TunnelRequest, ...] = ()
        if found is not None and found.hello.version != self.version:
            left = await self._take_over(found)
            found = None
        attachment = found or await self._start()
        try:
            await attachment.ask("check", environment=self.fingerprints(attachment))
            for request in left:
                await attachment.ask("open", request=request, environment=self.fingerprints(attachment))
        except BaseException:
            await attachment.close()
            raise
        return attachment

    def fingerprints(self, attachment: Attachment) -> dict[str, str]:
        """Our environment, as this supervisor can compare it."""
        return wire.fingerprints(wire.settled(self.environment), attachment.hello.salt)

    async def _take_over(self, old: Attachment) -> tuple[TunnelRequest, ...]:
        try:
            answer = await old.ask("hand over", environment=self.fingerprints(old))
            async with asyncio.timeout(START_SECONDS):
                await old.gone()
        except GoneError:
            return ()  # it was ending by itself
        except TimeoutError:
            raise SessionError(
                f"the detached supervisor {old.hello.version} does not make way", f"end it: kill {old.hello.pid}"
            ) from None
        finally:
            await old.close()
        return answer.requests

    async def _start(self) -> Attachment:
        for _ in range(_TRIES):
            await self._launch()
            attachment = await self._connect()
            if attachment is not None:
                return attachment  # else it has ended already, with the last client of its first tunnel
        raise self._not_started()

    async def _launch(self) -> None:
        environment = wire.without_exempt(wire.settled(self.environment))
        nowhere = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self.argv, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
            )
        except OSError as problem:
            raise SessionError(
                f"the detached supervisor cannot be started: {problem.strerror}", "leave out --detach"
            ) from None
        try:
            async with asyncio.timeout(START_SECONDS):
                status = await process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if status:
            raise self._not_started()

    def _not_started(self) -> SessionError:
        return SessionError(
            "the detached supervisor did not start", f"why is in {self.log}" if self.log else "leave out --detach"
        )

    async def _connect(self) -> Attachment | None:
        """None where nobody serves."""
        path = str(self.rendezvous.socket)
        if not AVAILABLE:
            return None
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=wire.MOST_BYTES)
        except OSError:
            return None
        connection: socket = writer.get_extra_info("socket")
        try:
            if not is_ours(connection):
                raise SessionError(f"{path} belongs to another user", "remove it")
            async with asyncio.timeout(HELLO_SECONDS):
                raw = await reader.readline()
            hello = wire.SAID.decode(raw) if raw else None
        except TimeoutError:
            writer.close()
            raise _silent() from None
        except (OSError, ValueError, msgspec.DecodeError):
            hello = None
        except SessionError:
            writer.close()
            raise
        if not isinstance(hello, Hello):
            writer.close()
            return None
        return Attachment(hello, reader, writer)
