"""The supervisor of tunnels: opens them, and tells what becomes of them. What belongs to one alone is in `tunnel`.

What a tunnel needs is loaded with the first one: it would be a twentieth of the time until the interface is painted.
"""

from __future__ import annotations

import asyncio
import random as chance
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.tunnels import TunnelState

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.services import Clouds
    from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelStatus
    from ssm_tui.sessions.local.ports import PortMemory
    from ssm_tui.sessions.tunnels.local_end import TunnelMemory
    from ssm_tui.sessions.tunnels.means import Means, RelayMemory
    from ssm_tui.sessions.tunnels.patience import Patience
    from ssm_tui.sessions.tunnels.session import Preparer
    from ssm_tui.sessions.tunnels.tunnel import Tunnel
    from ssm_tui.sessions.tunnels.waking import Waking

KEPT: Final = 100
"""Tunnels that have ended, of those the last: who opens and stops them for weeks has them all no more."""


class TunnelSupervisor:
    """Implements `Tunnels` (ssm_tui.domain.services). Construct and use it on a running event loop.

    `memory` keeps a tunnel's port from run to run, `wanted` what is open, `relays` what led where. `wait_seconds` is
    how long a client waits while there is no session; `random` gives 0 ≤ x < 1.
    """

    def __init__(
        self,
        launcher: Preparer,
        clouds: Clouds,
        *,
        clock: Callable[[], datetime] | None = None,
        memory: PortMemory | None = None,
        wanted: TunnelMemory | None = None,
        relays: RelayMemory | None = None,
        wait_seconds: float | None = None,
        random: Callable[[], float] = chance.random,
        patience: Patience | None = None,
    ) -> None:
        self._launcher, self._clouds = launcher, clouds
        self._clock, self._random = clock or (lambda: datetime.now(UTC)), random
        self._memory, self._wanted, self._relays = memory, wanted, relays
        self._wait_seconds, self._given = wait_seconds, patience
        self._tunnels: dict[int, Tunnel] = {}
        self._opened = 0
        self._listeners: list[Callable[[TunnelStatus], None]] = []

    @cached_property
    def _patience(self) -> Patience:
        from ssm_tui.sessions.tunnels.patience import Patience

        patience = self._given or Patience()
        return patience if self._wait_seconds is None else replace(patience, client=self._wait_seconds)

    @cached_property
    def _means(self) -> Means:
        from ssm_tui.sessions.tunnels.leftovers import Leftovers
        from ssm_tui.sessions.tunnels.local_end import NoPortMemory
        from ssm_tui.sessions.tunnels.logins import Logins
        from ssm_tui.sessions.tunnels.means import Means
        from ssm_tui.sessions.tunnels.session import Starter

        return Means(
            Starter(
                self._launcher,
                Leftovers(self._clouds),
                self._patience,
                lambda spec, refusal: self._clouds.open(spec.context).learn(spec, refusal),
            ),
            Logins(self._clouds, self._patience.login),
            self._clock,
            self._random,
            self._memory or NoPortMemory(),
            self._wanted,
            self._relays,
        )

    @cached_property
    def _waking(self) -> Waking:
        from ssm_tui.sessions.tunnels.waking import Waking

        return Waking(self._woken, tick=self._patience.tick, late=self._patience.late)

    def open(self, request: TunnelRequest) -> int:
        """Begins a tunnel and returns its id at once; what becomes of it comes as statuses."""
        from ssm_tui.sessions.tunnels.tunnel import Tunnel

        ended = [number for number, tunnel in self._tunnels.items() if tunnel.over]
        for number in ended[:-KEPT]:
            del self._tunnels[number]
        self._opened = number = self._opened + 1
        self._tunnels[number] = Tunnel(number, request, self._means, self._tell)
        self._waking.watch()
        return number

    async def stop(self, tunnel: int) -> None:
        """Ends it: its processes are gone and its port is free when this returns."""
        if tunnel in self._tunnels:
            await self._tunnels[tunnel].stop()

    async def close(self) -> None:
        """Ends all of them."""
        await asyncio.gather(*(tunnel.stop() for tunnel in self._tunnels.values()))

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """Every tunnel of this run, oldest first, of the ended ones the last. The traffic is that of this moment."""
        return tuple(tunnel.status for tunnel in self._tunnels.values())

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        """Calls `listener` at every change but the bytes'; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def retry(self, tunnel: int) -> None:
        """Tries at once what would be tried later; where it is paused, whether there are new credentials."""
        if (one := self._tunnels.get(tunnel)) is None:
            return
        if one.status.state is TunnelState.PAUSED:
            self.renew(one.request.context.profile)
        one.nudge()

    def renew(self, profile: str | None) -> None:
        """There are new credentials for the profile: its paused tunnels go on."""
        if self._tunnels:
            self._means.logins.renew(profile)

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        """What has become of it, oldest first."""
        return self._tunnels[tunnel].history if tunnel in self._tunnels else ()

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        """The connections that it carries, oldest first."""
        return self._tunnels[tunnel].connections if tunnel in self._tunnels else ()

    def _tell(self, status: TunnelStatus) -> None:
        if status.state.ended and all(tunnel.status.state.ended for tunnel in self._tunnels.values()):
            self._waking.rest()
        for listener in tuple(self._listeners):
            listener(status)

    def _woken(self) -> None:
        for tunnel in self._tunnels.values():
            tunnel.nudge(woken=True)
