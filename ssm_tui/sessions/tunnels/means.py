"""What all tunnels of a supervisor share, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ssm_tui.sessions.local.ports import PortMemory
    from ssm_tui.sessions.tunnels.local_end import TunnelMemory
    from ssm_tui.sessions.tunnels.logins import Logins
    from ssm_tui.sessions.tunnels.session import Starter


@dataclass(frozen=True, slots=True)
class Means:
    """`clock` is the wall's, `random` gives 0 ≤ x < 1."""

    starter: Starter
    logins: Logins
    clock: Callable[[], datetime]
    random: Callable[[], float]
    memory: PortMemory
    wanted: TunnelMemory | None
