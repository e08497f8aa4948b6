"""Tunnels as values: what one is asked to be, the states it goes through, and what it is at a moment."""

from __future__ import annotations

from dataclasses import dataclass, field

# What the fields below are is looked up at run time, where these values are written to files and sockets and read back.
from datetime import datetime  # noqa: TC003
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.contexts import Context  # noqa: TC001
from ssm_tui.domain.databases import Database, Family
from ssm_tui.domain.sessions import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SESSIONS: Final = 4
"""How many sessions one tunnel may have at a time, unless the settings say otherwise."""


class TunnelState(StrEnum):
    """From STARTING to RECONNECTING and PAUSED the local port is open and clients are accepted."""

    STARTING = "starting"
    """The far end has not been reached yet."""
    IDLE = "idle"
    """No session runs; the next connection starts one."""
    READY = "ready"
    """The far end has been reached."""
    DEGRADED = "degraded"
    """A session stands, but something on the way does not answer at the moment."""
    RECONNECTING = "reconnecting"
    """The session was lost; another is being started, or will be at `next_try`."""
    PAUSED = "paused"
    """The profile's credentials have expired; nothing is tried until there are new ones."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    """Ended because the user wished it; the port is free."""
    FAILED = "failed"
    """Ended by a reason that trying again cannot mend; the port is free."""

    @property
    def ended(self) -> bool:
        """Nothing runs for it any more."""
        return not TRANSITIONS[self]

    @property
    def usable(self) -> bool:
        """A client that connects now will be served, so far as is known."""
        return self in (TunnelState.READY, TunnelState.IDLE)


def _transitions() -> Mapping[TunnelState, frozenset[TunnelState]]:
    s = TunnelState
    ends = {s.STOPPING, s.FAILED}
    lost = {s.RECONNECTING, s.PAUSED, s.IDLE}
    return {
        s.STARTING: frozenset(ends | lost | {s.READY, s.DEGRADED}),
        s.IDLE: frozenset(ends | {s.STARTING}),
        s.READY: frozenset(ends | lost | {s.DEGRADED}),
        s.DEGRADED: frozenset(ends | lost | {s.READY}),
        s.RECONNECTING: frozenset(ends | {s.PAUSED, s.IDLE, s.READY, s.DEGRADED}),
        s.PAUSED: frozenset(ends | {s.RECONNECTING, s.IDLE}),
        s.STOPPING: frozenset({s.STOPPED}),
        s.STOPPED: frozenset(),
        s.FAILED: frozenset(),
    }


TRANSITIONS: Final = _transitions()
"""Where each state may lead. Staying in a state, with another message, is always allowed."""


def may_become(before: TunnelState, after: TunnelState) -> bool:
    """Whether one state may follow the other."""
    return after is before or after in TRANSITIONS[before]


@dataclass(frozen=True, slots=True)
class Way:
    """A node that a tunnel may go through: its id, and what people call it."""

    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class TunnelRequest:
    """A tunnel that is wanted: through `target` to `host` (to the target itself where empty) and `port`.

    `local_port` is the port the user asked for; None means the one it had before, the far port's own number, or the
    next free one. `bind` is an address beside loopback that the user asked for by name. `others` are further nodes
    that reach the same host, best first. `on_demand`: a session is started by the first connection and ended after an
    idle time. `most_sessions` bounds how wide the tunnel grows. `probe_every` is the user's own wish for a regular
    probe of the far end, in seconds; 0 for none. `name` is that of a saved tunnel.
    """

    context: Context
    target: str
    port: int
    host: str = ""
    local_port: int | None = None
    title: str = ""
    family: Family = Family.OTHER
    database: Database | None = None
    label: str = ""
    others: tuple[Way, ...] = ()
    on_demand: bool = False
    most_sessions: int = MOST_SESSIONS
    probe_every: float = 0
    bind: str = ""
    name: str = ""

    @property
    def far_end(self) -> str:
        """`HOST:PORT` as the relay sees it; the node's id where it is the far end itself."""
        return f"{self.host or self.target}:{self.port}"

    @property
    def heading(self) -> str:
        """What the tunnel is called (foreign text: names come from tags)."""
        return self.title or self.name or self.far_end

    @property
    def ways(self) -> tuple[Way, ...]:
        """The nodes to go through, the wanted one first."""
        return (Way(self.target, self.label), *self.others)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a tunnel carries: open connections, and bytes of all connections since it was opened, as the local clients
    see them (`sent` by them, `received` by them)."""

    connections: int = 0
    sent: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """One open connection of a local client."""

    peer: str
    since: datetime
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class TunnelEvent:
    """A line of a tunnel's history: no secret is ever in `text`."""

    at: datetime
    state: TunnelState
    text: str


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    """A tunnel at a moment. `message` and `hint` say why it is not ready, or what has just happened.

    `id` counts up among the tunnels of one supervisor. `via` is the node that it goes through now, `sessions` how many
    stand. `next_try` is when another start is due, while RECONNECTING and waiting. `detached`: it belongs to the
    supervisor that outlives this program.
    """

    id: int
    request: TunnelRequest
    state: TunnelState
    since: datetime
    local_port: int | None = None
    message: str = ""
    hint: str = ""
    traffic: Traffic = field(default_factory=Traffic)
    via: Way = Way("")
    sessions: int = 0
    next_try: datetime | None = None
    detached: bool = False

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return self.traffic.connections

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`, or empty while there is no port."""
        return f"{LOOPBACK}:{self.local_port}" if self.local_port else ""
