"""News of tunnels as toasts: what the user waits for or must know, once, and one toast for all that change together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.flows.telling import tell
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.times import span
from ssm_tui.ui.presentation.tunnels import counted, heading, names

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from textual.app import App

    from ssm_tui.domain.tunnels import TunnelStatus

TOGETHER = 0.3  # seconds in which changes count as one
QUIET = timedelta(minutes=1)  # after a trouble of a tunnel was told, the same is seen in its row alone


class Kind(Enum):
    """What a toast is about; the order in which several are told, so that the last is on top."""

    LISTENS = "listens"
    READY = "ready"
    AGAIN = "again"
    DEGRADED = "degraded"
    UNREACHED = "unreached"
    LOST = "lost"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(slots=True)
class _Known:
    """Of one tunnel: its state, whether it was ever usable, since when it is in trouble, how much of that was told."""

    state: TunnelState | None = None
    profile: str | None = None
    via: str = ""  # the node of the last time that it was ready
    turned: bool = False  # it is another one now
    reached: bool = False
    trouble: datetime | None = None
    told: Kind | None = None
    told_at: dict[Kind, datetime] = field(default_factory=dict)


class News:
    """Takes every change; tells after a moment what has come of them."""

    def __init__(self, app: App[Any], clock: Callable[[], datetime]) -> None:
        self._app, self._clock = app, clock
        self._known: dict[int, _Known] = {}
        self._changed: dict[int, TunnelStatus] = {}

    def take(self, status: TunnelStatus) -> None:
        """A change; only one of its state is news."""
        known = self._known.setdefault(status.id, _Known())
        if status.state is known.state:
            if status.id in self._changed:
                self._changed[status.id] = status  # the same news, with better words
            return
        known.state, known.profile = status.state, status.request.context.profile
        if status.state in (TunnelState.DEGRADED, TunnelState.RECONNECTING, TunnelState.PAUSED):
            known.trouble = known.trouble or self._clock()
        if not self._changed:
            self._app.set_timer(TOGETHER, self._tell)
        self._changed[status.id] = status

    def _tell(self) -> None:
        changed, self._changed = self._changed, {}
        by_kind: dict[Kind, list[TunnelStatus]] = {}
        longest = 0.0
        asked = {k.profile for k in self._known.values() if k.state is TunnelState.PAUSED and k.told is Kind.PAUSED}
        for status in changed.values():
            known = self._known[status.id]
            took = (self._clock() - known.trouble).total_seconds() if known.trouble else 0.0
            kind = self._kind(status, known)
            if kind is Kind.PAUSED and known.profile in asked:
                continue  # that has been told of the profile; the notice counts those that wait
            if kind is not None:
                by_kind.setdefault(kind, []).append(status)
                longest = max(longest, took if kind is Kind.AGAIN else 0.0)
        for kind in Kind:
            if kind in by_kind:
                self._toast(kind, by_kind[kind], longest)

    def _kind(self, status: TunnelStatus, known: _Known) -> Kind | None:
        """What is to be told of it, if anything."""
        match status.state:
            case TunnelState.READY | TunnelState.IDLE:
                first, told = not known.reached, known.told
                known.reached, known.trouble, known.told = True, None, None
                if status.state is TunnelState.READY:
                    via = status.via.target
                    known.turned, known.via = known.via not in ("", via), via
                if first and status.detached:
                    return None  # it ran before, here or before this program
                if first:
                    return Kind.READY if status.state is TunnelState.READY else Kind.LISTENS
                return Kind.AGAIN if (told or known.turned) and status.state is TunnelState.READY else None
            case TunnelState.FAILED:
                return Kind.FAILED
            case TunnelState.PAUSED:
                return self._trouble(Kind.PAUSED, known)
            case TunnelState.RECONNECTING:
                return self._trouble(Kind.LOST if known.reached else Kind.UNREACHED, known)
            case TunnelState.DEGRADED:
                return self._trouble(Kind.DEGRADED, known)
            case _:
                return None

    def _trouble(self, kind: Kind, known: _Known) -> Kind | None:
        """Each kind once an outage, and none of a tunnel that comes and goes: its row shows it."""
        now = self._clock()
        if kind is known.told or (known.told is Kind.PAUSED and kind is not Kind.PAUSED):
            return None
        before = known.told_at.get(kind)
        if known.told is None and before is not None and now - before < QUIET and kind is not Kind.PAUSED:
            return None
        known.told, known.told_at[kind] = kind, now
        return kind

    def _toast(self, kind: Kind, statuses: list[TunnelStatus], took: float) -> None:
        if kind is Kind.PAUSED:
            for profile in dict.fromkeys(status.request.context.profile for status in statuses):
                of_profile = [status for status in statuses if status.request.context.profile == profile]
                whose = f"The credentials of profile {profile}" if profile else "The default credentials"
                text = f"{whose} are not valid any more; {_wait(of_profile)}"
                tell(self._app, text, "i signs in", severity="warning")
            return
        text, hint = _one(kind, statuses[0], took) if len(statuses) == 1 else _several(kind, statuses, took)
        if kind is Kind.AGAIN and (turned := [status for status in statuses if self._known[status.id].turned]):
            hint = "; ".join(f"{heading(status)} now goes through {_node(status)}" for status in turned)
        severe = {
            Kind.FAILED: "error",
            Kind.LISTENS: "information",
            Kind.READY: "information",
            Kind.AGAIN: "information",
        }
        tell(self._app, text, hint, severity=severe.get(kind, "warning"))  # type: ignore[arg-type]  # literals all


def _node(status: TunnelStatus) -> str:
    return visible(status.via.label or status.via.target)


def _wait(statuses: list[TunnelStatus]) -> str:
    wait = "wait" if len(statuses) != 1 else "waits"
    return f"{counted(len(statuses), 'tunnel')} {wait}: {names(statuses)}"


def _one(kind: Kind, status: TunnelStatus, took: float) -> tuple[str, str]:
    name, why = heading(status), f": {status.message}" if status.message else ""
    match kind:
        case Kind.READY:
            what = "the connection string" if status.request.database else "the address"
            return f"{name} is at {status.address}", f"y on its row copies {what}"
        case Kind.LISTENS:
            return f"{name} listens at {status.address}", "the first connection starts its session"
        case Kind.AGAIN:
            return f"{name} is ready again after {span(took)}", status.message
        case Kind.LOST:
            return f"{name} lost its session{why}", status.hint or "its local port stays open"
        case Kind.UNREACHED:
            return f"{name} is not ready yet{why}", status.hint or "it goes on trying"
        case _:
            return f"{name}: {status.message or status.state.value}", status.hint


def _several(kind: Kind, statuses: list[TunnelStatus], took: float) -> tuple[str, str]:
    many = counted(len(statuses), "tunnel")
    words = {
        Kind.READY: (f"{many} are ready", "3 shows their addresses"),
        Kind.LISTENS: (f"{many} listen", "the first connection starts a session"),
        Kind.AGAIN: (f"{many} are ready again after {span(took)}", ""),
        Kind.LOST: (f"{many} lost their session", "their local ports stay open; 3 shows why"),
        Kind.UNREACHED: (f"{many} are not ready yet", "they go on trying; 3 shows why"),
        Kind.DEGRADED: (f"{many} do not answer at the moment", "3 shows why"),
        Kind.FAILED: (f"{many} failed", "3 shows why"),
    }
    text, hint = words[kind]
    return f"{text}: {names(statuses)}", hint
