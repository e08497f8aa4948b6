"""`ssm-tui shell`: a session in the foreground of this terminal, with its exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.commands.targets import find_node
from ssm_tui.domain import sessions
from ssm_tui.sessions import foreground

if TYPE_CHECKING:
    from ssm_tui.domain.services import Clouds, Shells


def run(clouds: Clouds, shells: Shells, target: str, reason: str) -> int:
    """Holds the session until it ends. Raises SsmTuiError."""
    node = find_node(clouds, target)
    return foreground.run(shells.prepare(sessions.shell(node.context, node.id, reason=reason)))
