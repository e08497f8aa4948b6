"""`ssm-tui shell`: a session in the foreground of this terminal, with its exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.commands.targets import find_node
from ssm_tui.commands.terminal import say
from ssm_tui.domain import sessions
from ssm_tui.errors import SessionError
from ssm_tui.sessions import foreground

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.just_in_time import TemporaryKeys
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Clouds, Shells

# The AWS CLI's own failures (its user guide, "Return codes"); a session's status is never one of them.
AWS_CLI_FAILURES = range(252, 256)


def run(
    clouds: Clouds,
    shells: Shells,
    target: str,
    reason: str,
    sure: Callable[[Node], None],
    *,
    document: str = "",
    granted: Callable[[Node], TemporaryKeys | None] = lambda _node: None,
) -> int:
    """Holds the session until it ends; `sure` raises where it must not begin, `document` is the settings' session
    document. `granted` waits for keys where the session is to be theirs; AWS lets those start its own document alone.
    Raises SsmTuiError."""
    node = find_node(clouds, target)
    sure(node)
    if (keys := granted(node)) is not None:
        document = ""
    if reason and node.container:
        say("ECS Exec takes no reason: it is not sent")
    command = shells.prepare(sessions.shell_on(node, reason=reason, document=document), keys)
    status = foreground.run(command)
    if command.session_id is None and status in AWS_CLI_FAILURES:
        raise SessionError(
            "the AWS CLI did not start the session; it says why above", 'launcher = "direct" starts sessions without it'
        )
    return status
