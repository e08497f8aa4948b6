"""What the details pane tells about a tunnel: its ends, what it carries and what became of it, its command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.sessions import aws_argv, forward, shown
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.details import Details, Finding, facts
from ssm_tui.ui.presentation.sizes import size
from ssm_tui.ui.presentation.times import ago, span
from ssm_tui.ui.presentation.tunnels import DETACHED, LOOKED_UP, SAVED, STATES, TunnelRow, news_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelStatus

CLIENTS = 6  # open connections that are listed
TRIED = 3  # lines of its history that are told while it is not ready
_CALM = (TunnelState.READY, TunnelState.IDLE)


@dataclass(frozen=True, slots=True)
class Insight:
    """What has been asked of a tunnel beside its status: what it carries, and what has become of it."""

    connections: tuple[Connection, ...] = ()
    events: tuple[TunnelEvent, ...] = ()


def tunnel_details(row: TunnelRow, ways: Sequence[str], insight: Insight, now: datetime) -> Details:
    """A tunnel that runs or failed, or a saved one that does not run. `ways` are the names of the node that it goes
    through and of those that stand by; of a saved one there are none."""
    if row.status is None:
        return _saved_details(row)
    status, request = row.status, row.status.request
    findings = [*_findings(row, status, insight.events), *_clients(insight.connections, now)]
    local = status.local_port or request.local_port or request.port
    spec = forward(request.context, request.target, request.port, host=request.host, local_port=local)
    subtitle = f"{DETACHED} goes on without ssm-tui" if status.detached else ""
    return Details(row.name, subtitle, facts(*_facts(status, ways, now)), tuple(findings), shown(aws_argv(spec)))


def _facts(status: TunnelStatus, ways: Sequence[str], now: datetime) -> Iterator[tuple[str, str | None]]:
    request, live = status.request, not status.state.ended
    yield "local", status.address if live else None
    yield "to", request.far_end
    yield "through", ways[0]
    yield "since", f"{status.since.astimezone():%H:%M:%S}, {ago(status.since, now)}"
    yield "connections", str(status.connections) if live else None
    yield "sent", size(status.traffic.sent) if live else None
    yield "received", size(status.traffic.received) if live else None
    yield "sessions", f"{status.sessions} of at most {request.most_sessions}" if live and status.sessions else None
    yield "starts", "with the first connection" if request.on_demand else None
    yield "probed", f"every {span(request.probe_every)}" if request.probe_every else None
    yield "bound to", f"{request.bind} too: others may reach it" if request.bind else None
    yield "stands by", ", ".join(ways[1:])
    yield "context", request.context.label


def _findings(row: TunnelRow, status: TunnelStatus, events: tuple[TunnelEvent, ...]) -> Iterator[Finding]:
    sign, tone = STATES[status.state]
    yield Finding(sign, tone, "state", ": ".join(filter(None, (status.state.value, news_of(status, row.wait)))))
    if status.hint:
        yield Finding("→", Tone.ACCENT, "next", status.hint)
    if status.state not in _CALM:
        for event in [event for event in events if not _is_told(event, status)][-TRIED:]:
            sign, tone = STATES[event.state]
            text = ": ".join(filter(None, (event.state.value, event.text)))
            yield Finding(sign, tone, f"{event.at.astimezone():%H:%M:%S}", text)


def _is_told(event: TunnelEvent, status: TunnelStatus) -> bool:
    """The state itself says so already."""
    return event.state is status.state and event.text.startswith(status.message)


def _clients(connections: tuple[Connection, ...], now: datetime) -> Iterator[Finding]:
    for each in connections[:CLIENTS]:
        carried = f"sent {size(each.sent)}, received {size(each.received)}"
        yield Finding("⇄", Tone.GOOD, "client", f"{each.peer} for {ago(each.since, now)}, {carried}")
    if len(connections) > CLIENTS:
        yield Finding("", Tone.DIM, "", f"and {len(connections) - CLIENTS} more")


def _saved_details(row: TunnelRow) -> Details:
    saved = row.saved
    if saved is None:
        return Details(row.name)
    text = LOOKED_UP if row.looked_up else "saved; ↵ brings it up"
    sign = Finding(SAVED, Tone.DIM, "state", text)
    return Details(saved.name, "", facts(*_saved_facts(saved)), (sign,))


def _saved_facts(saved: SavedTunnel) -> Iterator[tuple[str, str | None]]:
    yield "to", saved.far_end
    yield "through", saved.relay or (saved.target if saved.host else None)
    yield "local port", str(saved.local_port) if saved.local_port else None
    yield "starts", "with the first connection" if saved.on_demand else None
    yield "sessions", f"at most {saved.width}" if saved.width else None
    yield "probed", f"every {span(saved.probe_every)}" if saved.probe_every else None
    yield "bound to", f"{saved.bind} too: others may reach it" if saved.bind else None
    yield "profile", saved.profile
    yield "region", saved.region
