"""This program's tunnels and the detached supervisor's as one `Tunnels`, and the way from the first to the second."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.services import Tunnels
    from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelStatus
    from ssm_tui.sessions.detached.remote import RemoteTunnels


class JoinedTunnels:
    """Implements `Tunnels` and `Detachable`. Ids: twice the own supervisor's, and twice the other's plus one."""

    def __init__(self, own: Tunnels, detached: RemoteTunnels) -> None:
        self._own = own
        self._detached = detached

    def open(self, request: TunnelRequest) -> int:
        """Begins one of this program's."""
        return 2 * self._own.open(request)

    async def stop(self, tunnel: int) -> None:
        """Ends it, wherever it is."""
        await self._of(tunnel).stop(tunnel // 2)

    async def close(self) -> None:
        """Ends this program's tunnels; the detached ones stay."""
        await asyncio.gather(self._own.close(), self._detached.leave())

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """This program's, then the detached ones, each oldest first."""
        return (
            *(replace(status, id=2 * status.id) for status in self._own.statuses()),
            *(replace(status, id=2 * status.id + 1) for status in self._detached.statuses()),
        )

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        """Calls `listener` at every change; the returned function ends that."""
        ends = (
            self._own.subscribe(lambda status: listener(replace(status, id=2 * status.id))),
            self._detached.subscribe(lambda status: listener(replace(status, id=2 * status.id + 1))),
        )

        def end() -> None:
            for each in ends:
                each()

        return end

    def retry(self, tunnel: int) -> None:
        """Tries at once."""
        self._of(tunnel).retry(tunnel // 2)

    def renew(self, profile: str | None) -> None:
        """There are new credentials, for both."""
        self._own.renew(profile)
        self._detached.renew(profile)

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        """What has become of it."""
        return await self._of(tunnel).history(tunnel // 2)

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        """The connections that it carries."""
        return await self._of(tunnel).carried(tunnel // 2)

    async def detach(self, tunnel: int) -> None:
        """Ends the tunnel here and opens it there, on the same local port. Raises SsmTuiError where the supervisor will
        not have it; the tunnel is then what it was."""
        status = next(each for each in self.statuses() if each.id == tunnel)
        if status.detached:
            return
        if status.state.ended:
            raise SessionError("the tunnel has ended", "open it again first")
        await self._detached.prepare()
        await self._own.stop(tunnel // 2)
        self._detached.open(replace(status.request, local_port=status.local_port or status.request.local_port))

    def _of(self, tunnel: int) -> Tunnels:
        return self._detached if tunnel % 2 else self._own
