"""One client of the detached supervisor: its questions heard, the answers and the news said. Nothing that it says or
leaves unsaid harms the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

import msgspec

from ssm_tui.errors import SsmTuiError
from ssm_tui.sessions.detached import wire
from ssm_tui.sessions.detached.wire import Answer, Ask, Hello, News

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ssm_tui.domain.tunnels import TunnelStatus

    Doing = Callable[[Ask], Awaitable[Answer]]

_log = logging.getLogger("ssm_tui.detached")
# Of news that a client does not take, before it is left.
_MOST_BEHIND: Final = 4 * wire.MOST_BYTES


class Visitor:
    """One connection. `do` does what is asked, or raises SsmTuiError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, do: Doing) -> None:
        self._reader = reader
        self._writer = writer
        self._do = do
        self._watches = False
        self._work: set[asyncio.Task[None]] = set()

    async def attend(self, hello: Hello) -> None:
        """Until the client goes."""
        self._writer.write(wire.line(hello))
        try:
            while raw := await self._reader.readline():
                try:
                    ask = wire.ASKS.decode(raw)
                except (msgspec.DecodeError, RecursionError) as problem:
                    # Of another version, or no client of ours: it is told, and may go on.
                    self._say(Answer(_number(raw), message=f"not understood: {problem}", hint="is it another version?"))
                    continue
                self._watches = self._watches or ask.do == "watch"
                work = asyncio.create_task(self._serve(ask))
                self._work.add(work)
                work.add_done_callback(self._done)
        except (OSError, ValueError):  # a line that is too long, or a client that was killed
            return

    async def _serve(self, ask: Ask) -> None:
        answer = Answer(ask.number, message="the detached supervisor broke", hint="its log says where: report it")
        try:
            answer = await self._do(ask)
        except SsmTuiError as error:
            answer = Answer(ask.number, message=error.message, hint=error.hint)
        finally:
            self._say(answer)

    def _done(self, work: asyncio.Task[None]) -> None:
        """A mistake of ours ends what was asked, and nothing else."""
        self._work.discard(work)
        if not work.cancelled() and (mistake := work.exception()) is not None:
            _log.error("could not do what was asked", exc_info=mistake)

    def tell(self, status: TunnelStatus) -> None:
        """News, if it wants any."""
        if self._watches:
            self._say(News(status))

    def _say(self, message: Answer | News) -> None:
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > _MOST_BEHIND:
            transport.abort()  # it does not listen; what it missed it asks for when it comes back
            return
        self._writer.write(wire.line(message))

    async def leave(self) -> None:
        """Says what there is to say, and goes."""
        if self._work:
            await asyncio.wait(self._work)
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()


def _number(raw: bytes) -> int:
    """Which question it was, if that can be told."""
    try:
        return msgspec.json.decode(raw, type=_Numbered).number
    except (msgspec.DecodeError, RecursionError):
        return 0


class _Numbered(msgspec.Struct):
    number: int
