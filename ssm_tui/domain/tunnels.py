"""Tunnels as values: what one is asked to be, and what it is at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ssm_tui.domain.databases import Family
from ssm_tui.domain.sessions import LOOPBACK

if TYPE_CHECKING:
    from datetime import datetime

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database


class TunnelState(StrEnum):
    """STARTING until the far end has been reached; FAILED and STOPPED are ends, the local port is free in both."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Nothing runs for it any more."""
        return self in (TunnelState.STOPPED, TunnelState.FAILED)


@dataclass(frozen=True, slots=True)
class TunnelRequest:
    """A tunnel that is wanted: through `target` to `host` (to the target itself where empty) and `port`.

    `local_port` is the port the user asked for; None means the far port's own number, or the next free one.
    """

    context: Context
    target: str
    port: int
    host: str = ""
    local_port: int | None = None
    title: str = ""
    family: Family = Family.OTHER
    database: Database | None = None


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    """A tunnel at a moment. `message` and `hint` say why it failed, or how far the start is."""

    id: int
    request: TunnelRequest
    state: TunnelState
    since: datetime
    local_port: int | None = None
    message: str = ""
    hint: str = ""
    connections: int = 0

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`, or empty while there is no port."""
        return f"{LOOPBACK}:{self.local_port}" if self.local_port else ""
