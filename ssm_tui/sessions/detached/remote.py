"""The detached supervisor's tunnels as `Tunnels` (ssm_tui.domain.services): statuses as they were last told, orders
sent over its socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ssm_tui.domain.tunnels import TunnelState, TunnelStatus, may_become
from ssm_tui.errors import SessionError, SsmTuiError
from ssm_tui.sessions.detached.attach import GoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest
    from ssm_tui.sessions.detached.attach import Attachment, Supervisors
    from ssm_tui.sessions.detached.wire import Answer

LOOK_SECONDS: Final = 2.0
"""How often traffic is asked for, and whether a supervisor has come."""
KEPT: Final = 100
"""Tunnels that have ended, of those the last."""


class RemoteTunnels:
    """Construct and use it on a running event loop. It attaches to a supervisor as soon as there is one, and starts one
    only to open a tunnel. Ids are its own: they stay when one supervisor follows another.

    `close` ends the tunnels, as everywhere; `leave` only goes.
    """

    def __init__(
        self,
        supervisors: Supervisors,
        *,
        clock: Callable[[], datetime] | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._supervisors = supervisors
        self._clock = clock or (lambda: datetime.now(UTC))
        self._look_seconds = look_seconds
        self._known: dict[int, TunnelStatus] = {}
        self._numbers = itertools.count(1)
        self._own: dict[int, int] = {}
        """Our ids by those of the supervisor that we are attached to."""
        self._attachment: Attachment | None = None
        self._attaching = asyncio.Lock()
        self._listeners: list[Callable[[TunnelStatus], None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._looked = asyncio.Event()
        self._looking = asyncio.create_task(self._look())

    async def looked(self) -> None:
        """Returns when it is known whether there is a supervisor, and what it has."""
        await self._looked.wait()

    async def prepare(self) -> None:
        """There is a supervisor that will open tunnels for us. Raises SsmTuiError where there cannot be."""
        async with self._attaching:
            await self._attach(start=True)

    # -- Tunnels ------------------------------------------------------------------------------------------------------

    def open(self, request: TunnelRequest) -> int:
        """Begins a tunnel there and returns its id at once. One that is open to the same far end is taken for it: then
        this id ends, and the other one is what there is."""
        number = self._next()
        first = request.ways[0]
        self._become(TunnelStatus(number, request, TunnelState.STARTING, self._clock(), via=first, detached=True))
        self._begin(self._open(number, request))
        return number

    async def stop(self, tunnel: int) -> None:
        """Ends it, or takes one that has failed off the list."""
        theirs = self._theirs(tunnel)
        if theirs is not None and self._attachment is not None:
            with contextlib.suppress(SessionError):  # gone, or not there any more: that is what was wanted
                await self._attachment.ask("stop", tunnel=theirs)
        else:
            self._end(tunnel, TunnelState.STOPPED)

    async def close(self) -> None:
        """Ends all of them, those of other terminals too."""
        if self._attachment is not None:
            with contextlib.suppress(GoneError):
                await self._attachment.ask("stop all")
        await self.leave()

    async def leave(self) -> None:
        """Goes; the tunnels stay."""
        for task in (self._looking, *self._tasks):
            task.cancel()
        await asyncio.gather(self._looking, *self._tasks, return_exceptions=True)
        if self._attachment is not None:
            await self._attachment.close()
            self._attachment = None

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """All that were seen, oldest first. The traffic is some seconds old."""
        return tuple(self._known.values())

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        """Calls `listener` at every change but the bytes'; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def retry(self, tunnel: int) -> None:
        """Tries at once."""
        if (theirs := self._theirs(tunnel)) is not None:
            self._order("retry", tunnel=theirs)

    def renew(self, profile: str | None) -> None:
        """There are new credentials."""
        self._order("renew", profile=profile)

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        """What has become of it, as long as the supervisor knows."""
        answer = await self._asked("history", tunnel)
        return answer.history if answer else ()

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        """The connections that it carries."""
        answer = await self._asked("carried", tunnel)
        return answer.connections if answer else ()

    # -- the supervisor -----------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(SsmTuiError):
                async with self._attaching:
                    await self._attach(start=False)
                if self._attachment is not None:
                    await self._attachment.ask("statuses", then=self._compare)
            self._looked.set()
            await asyncio.sleep(self._look_seconds)

    async def _attach(self, *, start: bool) -> None:
        supervisors = self._supervisors
        if start:
            ours = self._attachment
            if ours is not None and ours.hello.version == supervisors.version:
                await ours.ask("check", environment=supervisors.fingerprints(ours))
                return
            found: Attachment | None = await supervisors.get()
            if ours is not None:
                self._lose(ours)
                await ours.close()
        elif self._attachment is None:
            found = await supervisors.find()
        else:
            return
        if found is not None:
            self._attachment = found
            found.on_news = self._heard
            self._begin(self._until_gone(found))
            await found.ask("watch", then=self._compare)

    async def _until_gone(self, attachment: Attachment) -> None:
        await attachment.gone()
        self._lose(attachment)

    def _lose(self, attachment: Attachment) -> None:
        """What it had is no more."""
        if self._attachment is not attachment:
            return
        self._attachment = None
        for theirs, ours in tuple(self._own.items()):
            del self._own[theirs]
            self._end(
                ours, TunnelState.FAILED, "the detached supervisor has gone, and its tunnels with it", "open it again"
            )

    async def _open(self, number: int, request: TunnelRequest) -> None:
        try:
            await self.prepare()
            attachment = self._attachment
            if attachment is None:
                raise GoneError
            await attachment.ask(
                "open",
                then=lambda answer: self._opened(number, answer),
                request=request,
                environment=self._supervisors.fingerprints(attachment),
            )
        except SsmTuiError as error:
            self._end(number, TunnelState.FAILED, error.message, error.hint)

    def _opened(self, number: int, answer: Answer) -> None:
        if answer.tunnel in self._own:
            self._end(number, TunnelState.STOPPED, "it is open already")
            return
        if number not in self._known or self._known[number].state.ended:  # stopped before it could begin
            self._order("stop", tunnel=answer.tunnel)
        self._own[answer.tunnel] = number
        for status in answer.statuses:
            self._heard(status)

    def _compare(self, answer: Answer) -> None:
        """All that the supervisor has: what is missing has been stopped."""
        for status in answer.statuses:
            self._heard(status)
        there = {status.id for status in answer.statuses}
        for theirs in [each for each in self._own if each not in there]:
            self._end(self._own.pop(theirs), TunnelState.STOPPED)

    def _heard(self, status: TunnelStatus) -> None:
        if status.id not in self._own:
            if status.state is TunnelState.STOPPED:
                return
            self._own[status.id] = self._next()
        ours = self._own[status.id]
        self._become(replace(status, id=ours, detached=True))

    def _become(self, status: TunnelStatus) -> None:
        before = self._known.get(status.id)
        self._known[status.id] = status
        if (
            before is None
            or replace(before, traffic=status.traffic) != status
            or (before.connections != status.connections)
        ):
            for listener in tuple(self._listeners):
                listener(status)

    def _end(self, tunnel: int, state: TunnelState, message: str = "", hint: str = "") -> None:
        before = self._known.get(tunnel)
        if before is None or before.state.ended:
            return
        if not may_become(before.state, state):
            state = TunnelState.STOPPED
        traffic = replace(before.traffic, connections=0)
        self._become(
            replace(
                before, state=state, since=self._clock(), message=message, hint=hint, traffic=traffic, next_try=None
            )
        )

    # -- orders -------------------------------------------------------------------------------------------------------

    async def _asked(self, do: str, tunnel: int) -> Answer | None:
        theirs = self._theirs(tunnel)
        if theirs is None or self._attachment is None:
            return None
        try:
            return await self._attachment.ask(do, tunnel=theirs)
        except SessionError:
            return None

    def _order(self, do: str, **fields: Any) -> None:
        if self._attachment is not None:
            self._begin(self._sent(self._attachment, do, fields))

    async def _sent(self, attachment: Attachment, do: str, fields: dict[str, Any]) -> None:
        with contextlib.suppress(SessionError):
            await attachment.ask(do, **fields)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next(self) -> int:
        listed = set(self._own.values())
        ended = [each.id for each in self._known.values() if each.state.ended and each.id not in listed]
        for number in ended[:-KEPT]:
            del self._known[number]
        return next(self._numbers)

    def _theirs(self, tunnel: int) -> int | None:
        return next((theirs for theirs, ours in self._own.items() if ours == tunnel), None)
