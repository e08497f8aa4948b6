"""`--request`: asks for just-in-time access to a node, and waits on the command line until somebody has decided."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ssm_tui.commands.terminal import Progress, say
from ssm_tui.domain.just_in_time import FIRST_LOOK, LONGEST_REASON, RequestState, is_request, next_wait
from ssm_tui.errors import NetworkError, SessionError, ThrottledError, UsageError

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.just_in_time import RequestProgress, TemporaryKeys
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Grants


def granted_keys(grants: Grants, node: Node, request: str) -> TemporaryKeys:
    """The keys that `request` earns: a reason, by which access is asked for, or the id of a request that was made
    before. Blocks until it is decided. Raises SessionError where it is not granted, UsageError, AwsError."""
    if node.container:
        raise UsageError(f"{node.label} is a container", "just-in-time access is for machines")
    if len(request) > LONGEST_REASON:
        raise UsageError(f"the reason is {len(request)} characters long", f"AWS takes {LONGEST_REASON}")
    found = request if is_request(request) else grants.ask(node.context, node.id, request)
    try:
        progress = _decided(grants, node.context, found)
    except KeyboardInterrupt:
        say(f"{found} goes on waiting", f"go on with: --request {found}")
        raise
    if progress.keys is None:
        raise SessionError(f"{found}: the request for {node.label} {progress.state.words}", "ask whoever decides on it")
    return progress.keys


def _decided(grants: Grants, context: Context, request: str) -> RequestProgress:
    wait, told = FIRST_LOOK, False
    with Progress(request) as shown:
        while True:
            try:
                progress = grants.look(context, request)
            except (NetworkError, ThrottledError):
                pass  # that passes by itself
            else:
                if progress.state is not RequestState.PENDING:
                    return progress
            if not told:
                say(f"{request} {RequestState.PENDING.words}", "Ctrl-C stops waiting, the request stays")
                told = True
            shown.show("waiting")
            time.sleep(wait)
            wait = next_wait(wait)
