"""What every symbol on the screen means, next to the tables that draw them."""

from __future__ import annotations

from ssm_tui.domain.access import SessionKind
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.nodes import Ping
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.presentation.cells import ARROWS
from ssm_tui.ui.presentation.databases import REACH
from ssm_tui.ui.presentation.node_rows import FOLDED, MARKED, OPEN
from ssm_tui.ui.presentation.nodes import DENIED, LETTERS, PINGS, PINNED, UNKNOWN
from ssm_tui.ui.presentation.tunnels import DETACHED, SAVED, STATES

_ACCESS = {
    SessionKind.SHELL: "you may start a shell",
    SessionKind.FORWARD: "you may forward a port of the node",
    SessionKind.REMOTE: "you may forward to a remote host through the node",
    SessionKind.SSH: "you may reach the node's sshd, as `ssm-tui proxy` does",
}
_PING = {
    Ping.ONLINE: "the agent answers; the time says when it was last heard",
    Ping.LOST: "the connection to the agent is lost; the time says since when",
    Ping.INACTIVE: "the agent has not been heard for long",
    Ping.UNMANAGED: "Systems Manager does not know this instance, or ECS Exec is off",
    Ping.UNKNOWN: "Systems Manager would not say",
}
_REACH = {
    Reachable.YES: "the relay named reaches the database",
    Reachable.NO: "no relay reaches it; the details say why",
    Reachable.UNKNOWN: "whether it can be reached is not known; the details say why",
}
_TUNNEL = {
    TunnelState.STARTING: "starting: the far end has not been reached yet",
    TunnelState.READY: "ready: the local address leads to the far end",
    TunnelState.IDLE: "idle: the local address is open; the next connection starts a session",
    TunnelState.DEGRADED: "degraded: a session stands, but the far end does not answer at the moment",
    TunnelState.RECONNECTING: "reconnecting: the session was lost, the local address stays open",
    TunnelState.PAUSED: "paused: the credentials have expired; sign in and it goes on",
    TunnelState.STOPPING: "stopping",
    TunnelState.STOPPED: "stopped; its local port is free",
    TunnelState.FAILED: "failed; the details say why and what to do",
}

LEGEND: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Access",
        (
            *((LETTERS[kind], text) for kind, text in _ACCESS.items()),
            (DENIED, "denied; the details say by what, w why and what to ask for"),
            (UNKNOWN, "unknown; trying tells"),
        ),
    ),
    ("Ping", tuple((PINGS[ping][0], text) for ping, text in _PING.items())),
    (
        "Relay",
        (*((REACH[reach][0], text) for reach, text in _REACH.items()), ("◐ reading", "relays are still being read")),
    ),
    (
        "List of nodes",
        (
            (MARKED[0], "marked: copy, forward and pin take all that are; other keys take the highlighted one"),
            (PINNED, "pinned on top, whatever the order"),
            (f"{OPEN} {FOLDED}", "a group by a tag with the number of its nodes; folded, they are hidden"),
            (" ".join(ARROWS.values()), "the column by which nodes are sorted, and which way"),
        ),
    ),
    (
        "Everywhere",
        (
            ("▌", "the highlighted row, whose details are shown and which the keys act on"),
            ("→ next", "in the details: what to check or to do"),
            ("!", "something could not be read, and what that leaves open"),
            ("␛ ‹200b›", "a character of a name that is not shown because terminals act on it"),
        ),
    ),
    (
        "Tunnels and contexts",
        (
            *((STATES[state][0], text) for state, text in _TUNNEL.items()),
            (SAVED, "saved: in the settings and not running; Enter brings it up"),
            (DETACHED, "goes on when ssm-tui is left"),
            ("⇄", "tunnels that are up; in a row of databases, the local address; in the details, a client"),
            ("×3", "it is three sessions wide at the moment"),
            ("◐ reading", "a context is being read; the number counts its nodes so far"),
            ("● fresh", "a context has been read to the end, and how long ago"),
            ("✗ failed", "a context could not be read; older rows stay"),
            ("○ not enabled", "the account has not enabled the region: there is nothing to read"),
            (
                "◌ stale",
                "the rows are of an earlier run, or of before a failure; their pings are dim",
            ),
        ),
    ),
    (
        "Filter",
        (
            ("web", "in name, id, address or a tag"),
            ("env=prod", "a tag and its whole value"),
            ("ping:online", "a field"),
            ("access:shell", "what you may enter for sure; access:shell|unknown-shell also what AWS would not tell"),
            ("a=x|y", "either value"),
            ("-word", "must not match"),
            ("* ?", 'any text, any character; "quotes" keep a text together'),
            ("owner=", "no such tag; tag:owner for one that is there"),
            ("@prod", "the filter saved as prod; F shows them all"),
            ("Tab", "takes what is offered; ↑ ↓ then go among it, Esc takes it back"),
            ("2/2…", "others were not read: AWS was asked only for what the filter of the start finds"),
        ),
    ),
)
