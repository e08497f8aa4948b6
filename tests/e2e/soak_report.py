"""What the soak does and what it has shown: the eight cuts, a plan with its bounds, the figures as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ssm_tui.plugin.limits import DEFAULT_LIMITS
from ssm_tui.sessions.tunnels.patience import Patience


class Cut(StrEnum):
    """How the data channel is cut."""

    CLOSE = "server close 1000"
    RESET = "close 1006"
    SILENCE = "silence"
    HALF_FRAME = "half-written frame"
    CHANNEL_CLOSED = "agent channel_closed"
    TERMINATE = "TerminateSession from outside"
    KILL = "plugin SIGKILL"
    RELAY_GONE = "relay gone"


SURVIVED = frozenset({Cut.CLOSE, Cut.RESET, Cut.SILENCE, Cut.HALF_FRAME})

_HEAD = (
    *("cut by", "rounds", "dials", "refused", "caught", "unserved"),
    *("outage", "bound", "reset", "MB", "lost", "doubled", "hung"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done. `stand`: seconds between an outage and the next. `ping`, `pong`: the plugin's limits, where not
    its own; by them alone it notices silence."""

    cuts: tuple[Cut, ...]
    stand: float = 3.5
    ping: float = DEFAULT_LIMITS.ping_every
    pong: float = DEFAULT_LIMITS.pong
    patience: Patience = field(default_factory=Patience)

    def bound(self, cut: Cut) -> float:
        """Seconds in which a client must be served again: what it takes to notice, and to resume or to begin anew."""
        if cut is Cut.SILENCE:
            return self.ping + self.pong + 5
        return 5 if cut in SURVIVED else 10

    reset: float = 5.0
    """Seconds in which a connection that cannot survive must be reset."""


@dataclass
class Row:
    """What all rounds of one way have shown."""

    rounds: int = 0
    dialled: int = 0
    refused: int = 0
    caught: int = 0
    """Reset with a session that ended under them, having dialled before that was known."""
    unserved: int = 0
    outage: float = 0.0
    """The longest time from the cut until a client is served again, or until a surviving one goes on."""
    reset: float = 0.0
    """The longest time from the cut until a connection that cannot survive is reset."""
    lost: int = 0
    doubled: int = 0
    carried: int = 0
    hung: int = 0
    """Connections that could not survive and were not reset in time, or could and did not."""


@dataclass
class Report:
    """Rows by way, and what was left at the end."""

    plan: Plan
    rows: dict[Cut, Row] = field(default_factory=dict)
    processes: list[str] = field(default_factory=list)
    descriptors: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that is not as it must be."""
        found = [
            f"{what} left: {each}" for what in ("processes", "descriptors", "sessions") for each in getattr(self, what)
        ]
        for cut, row in self.rows.items():
            for name in ("refused", "unserved", "lost", "doubled", "hung"):
                if getattr(row, name):
                    found.append(f"{cut}: {getattr(row, name)} {name}")
            if row.reset > self.plan.reset:
                found.append(f"{cut}: a connection reset after {row.reset:.1f} s, the bound is {self.plan.reset:.0f} s")
            if row.outage > self.plan.bound(cut):
                found.append(f"{cut}: an outage of {row.outage:.1f} s, the bound is {self.plan.bound(cut):.0f} s")
        return found

    def table(self) -> str:
        rows = [
            (
                *(cut, row.rounds, row.dialled, row.refused, row.caught, row.unserved),
                *(f"{row.outage:.2f} s", f"{self.plan.bound(cut):.0f} s", f"{row.reset:.2f} s" if row.reset else "-"),
                *(f"{row.carried / 1e6:.1f}", row.lost, row.doubled, row.hung),
            )
            for cut, row in self.rows.items()
        ]
        lines = [f"{first:30}" + "".join(f"{cell!s:>9}" for cell in rest) for first, *rest in (_HEAD, *rows)]
        counts = [len(each) for each in (self.processes, self.descriptors, self.sessions)]
        left = "left: {} processes, {} file descriptors, {} sessions".format(*counts)
        return "\n".join([*lines, left])
