"""`ssm-tui forward` and `ssm-tui tunnel`: tunnels, said to be ready on stdout, held until a signal or left to the
detached supervisor."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

from ssm_tui.commands.holding import hold
from ssm_tui.commands.requests import TunnelPlan
from ssm_tui.commands.targets import find_node
from ssm_tui.commands.terminal import say
from ssm_tui.domain.sessions import checked_port
from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssm_tui.commands.requests import Choices, Requests
    from ssm_tui.domain.services import Clouds, Tunnels


def forward_request(
    clouds: Clouds, target: str, port: int, *, host: str, local_port: int | None, most_sessions: int
) -> TunnelPlan:
    """A tunnel to a node's port, or through it to `host`. Raises SsmTuiError."""
    checked_port(port)
    node = find_node(clouds, target)
    request = TunnelRequest(
        node.context,
        node.id,
        port,
        host=host,
        local_port=local_port,
        title=f"{host or node.label}:{port}",
        label=node.label,
        most_sessions=most_sessions,
    )
    return TunnelPlan(request, end=node)


def tunnel_requests(requests: Requests, name: str, group: str, choices: Choices) -> tuple[TunnelPlan, ...]:
    """The tunnel of this name, or all of the group. Raises SsmTuiError."""
    if bool(name) == bool(group):
        raise UsageError("name one tunnel, or one group with --group", "see: ssm-tui tunnel --help")
    if not group:
        return (requests.named(name, choices),)
    handout = choices.handout
    for option, value in (
        ("--relay", choices.relay),
        ("--local-port", choices.local_port),
        ("--show", handout.show),
        ("--write", handout.write),
    ):
        if value:
            raise UsageError(f"{option} is for one tunnel, not for a group", "give it in the settings of each")
    return requests.group(group, choices)


def run(plans: Sequence[TunnelPlan], tunnels_of: Callable[[], Tunnels]) -> int:
    """Holds the tunnels until a signal. Raises SsmTuiError."""
    warn_of_networks(plans)
    return asyncio.run(hold(tunnels_of, plans))


def warn_of_networks(plans: Sequence[TunnelPlan]) -> None:
    """What is open to others is said each time: a tunnel asks nobody for a password."""
    for each in plans:
        address = each.request.bind
        if address and not ipaddress.ip_address(address).is_loopback:
            say(f"{each.request.heading}: its port is open on {address} too: everyone who reaches that may use it")
