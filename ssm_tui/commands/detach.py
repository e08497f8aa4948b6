"""`ssm-tui tunnel --detach`: tunnels left to the supervisor that outlives the terminal, once they are ready."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.holding import INTERRUPTED, ended_by_signals
from ssm_tui.commands.telling import Teller
from ssm_tui.commands.terminal import PROGRAM, Progress, say_error
from ssm_tui.errors import SessionError
from ssm_tui.sessions.detached.attach import GoneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.commands.requests import TunnelPlan
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.sessions.detached.attach import Attachment, Supervisors


def run(supervisors: Supervisors, plans: Sequence[TunnelPlan]) -> int:
    """Returns when all of them are ready, or one has failed. A signal before that takes back what is not ready yet.

    Raises SessionError: why it failed.
    """
    return asyncio.run(_run(supervisors, plans))


async def _run(supervisors: Supervisors, plans: Sequence[TunnelPlan]) -> int:
    with ended_by_signals() as ended, Progress(PROGRAM) as progress:
        opening = asyncio.create_task(_open(supervisors, plans, progress))
        waited_for: list[asyncio.Future[Any]] = [opening, ended]
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            progress.clear()
            return opening.result()
        opening.cancel()
        await asyncio.wait([opening])
        return INTERRUPTED if ended.result() == signal.SIGINT else 1


async def _open(supervisors: Supervisors, plans: Sequence[TunnelPlan], progress: Progress) -> int:
    attachment = await supervisors.get()
    try:
        return await _Opening(attachment, supervisors.fingerprints(attachment), progress).all(plans)
    finally:
        await attachment.close()


class _Opening:
    """Tunnels on their way to being ready."""

    def __init__(self, attachment: Attachment, fingerprints: dict[str, str], progress: Progress) -> None:
        self._attachment = attachment
        self._fingerprints = fingerprints
        self._progress = progress
        self._changes: asyncio.Queue[TunnelStatus] = asyncio.Queue()
        self._tellers: dict[int, Teller] = {}
        self._begun: set[int] = set()
        """Those that were not there before, and are not ready."""

    async def all(self, plans: Sequence[TunnelPlan]) -> int:
        """0 when they are ready. Raises SessionError for the last that failed; the others are told before."""
        failures: list[tuple[SessionError, str]] = []
        try:
            await self._begin(plans)
            left = set(self._tellers)
            while left:
                status = await self._next()
                if status.id not in left:
                    continue
                teller = self._tellers[status.id]
                if status.state.ended:
                    failures.append((teller.failure(status), status.request.heading))
                    left.remove(status.id)
                    continue
                teller.tell(status)
                if teller.was_ready:
                    left.remove(status.id)
                    self._begun.discard(status.id)
        finally:
            await self._take_back()
        for error, heading in failures[:-1]:
            say_error(error, heading)
        if failures:
            raise failures[-1][0]
        return 0

    async def _begin(self, plans: Sequence[TunnelPlan]) -> None:
        self._attachment.on_news = self._changes.put_nowait
        there = {status.id for status in (await self._attachment.ask("watch")).statuses}
        for each in plans:
            answer = await self._attachment.ask("open", request=each.request, environment=self._fingerprints)
            self._tellers[answer.tunnel] = Teller(each, self._progress)
            if answer.tunnel not in there:
                self._begun.add(answer.tunnel)
            for status in answer.statuses:
                self._changes.put_nowait(status)

    async def _next(self) -> TunnelStatus:
        """The next change. Raises GoneError."""
        change = asyncio.ensure_future(self._changes.get())
        gone = asyncio.ensure_future(self._attachment.gone())
        try:
            await asyncio.wait([change, gone], return_when=asyncio.FIRST_COMPLETED)
            if not change.done():
                raise GoneError
            return change.result()
        finally:
            change.cancel()
            gone.cancel()

    async def _take_back(self) -> None:
        for tunnel in self._begun:
            with contextlib.suppress(SessionError):
                await self._attachment.ask("stop", tunnel=tunnel)
