"""What stands in the way of a session on a node as far as its facts tell, and what to check first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.nodes import Ping
from ssm_tui.ui.presentation.times import ago

if TYPE_CHECKING:
    from datetime import datetime

    from ssm_tui.domain.nodes import Node


class Obstacle(NamedTuple):
    """Why a session will hardly start, and what would mend it."""

    why: str
    check: str


_WAYS = "that it reaches ssm and ssmmessages on port 443 (endpoints and their security group, or NAT)"
_NAMES = {
    SessionKind.SHELL: "a shell",
    SessionKind.FORWARD: "forwarding a port of it",
    SessionKind.REMOTE: "forwarding through it",
    SessionKind.SSH: "ssh to it",
}
_UP = frozenset({None, "running", "pending"})


def doubt(node: Node, kind: SessionKind, now: datetime) -> Obstacle | None:
    """What speaks against this kind of session there: a verdict, else the node's own state."""
    answer = node.access.of(kind)
    if answer.verdict is Verdict.DENIED:
        return Obstacle(f"{_NAMES[kind]} is denied: {answer.reason or 'no reason is known'}", "")
    return obstacle(node, now)


def obstacle(node: Node, now: datetime) -> Obstacle | None:
    """None for a node that is online, or of which nothing is known."""
    if node.missing:
        return Obstacle("ECS Exec cannot enter it", "; ".join(node.missing))
    if node.state not in _UP:
        return Obstacle(f"the {'container' if node.container else 'instance'} is {node.state}", _for_state(node.state))
    heard = f", last heard {ago(node.last_ping, now)} ago" if node.last_ping else ""
    match node.ping:
        case Ping.UNMANAGED:
            role = f"that {node.role} has" if node.role else "for an instance profile with"
            check = f"{role} AmazonSSMManagedInstanceCore, that the SSM agent runs, and {_WAYS}"
            return Obstacle("Systems Manager does not know it", f"check {check}")
        case Ping.LOST:
            return Obstacle(f"its agent has lost the connection{heard}", f"check that the agent runs, and {_WAYS}")
        case Ping.INACTIVE:
            return Obstacle(
                f"its agent has been silent for long{heard}", f"check that it and its agent run, and {_WAYS}"
            )
        case Ping.ONLINE | Ping.UNKNOWN:
            return None


def _for_state(state: str | None) -> str:
    return "start it, then read again" if state == "stopped" else "read again to see what became of it"
