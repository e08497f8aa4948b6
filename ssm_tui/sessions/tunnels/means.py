"""What all tunnels of a supervisor share, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.sessions.local.ports import PortMemory
    from ssm_tui.sessions.tunnels.local_end import TunnelMemory
    from ssm_tui.sessions.tunnels.logins import Logins
    from ssm_tui.sessions.tunnels.session import Starter


class RelayMemory(Protocol):
    """Remembers which nodes led to databases."""

    def reached(self, request: TunnelRequest, target: str) -> None:
        """The far end was reached through this node. Blocks briefly; does not raise."""


@dataclass(frozen=True, slots=True)
class Means:
    """`clock` is the wall's, `random` gives 0 ≤ x < 1."""

    starter: Starter
    logins: Logins
    clock: Callable[[], datetime]
    random: Callable[[], float]
    memory: PortMemory
    wanted: TunnelMemory | None
    relays: RelayMemory | None = None
