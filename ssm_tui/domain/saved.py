"""Saved tunnels and their groups, as the settings hold them: what the user wrote, not yet looked up in AWS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.tunnels import MOST_SESSIONS, TunnelRequest
from ssm_tui.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssm_tui.domain.contexts import Context

# A whole id, as AWS gives them since 2016 (17 digits) and gave them before (8).
_NODE_ID = re.compile(r"(?:i-(?:[0-9a-f]{17}|[0-9a-f]{8})|mi-[0-9a-f]{17})")


def is_node_id(text: str) -> bool:
    """Whether the text is a whole node id, which can be taken at its word."""
    return bool(_NODE_ID.fullmatch(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTunnel:
    """A tunnel by name: to `database` (an id or endpoint, through `relay` where the user chose one), or through
    `target` to `port` of `host` (of the target itself where empty).

    `profile` and `region` are None where those in force are meant. `width` is how many sessions it may have; None
    leaves it to `sessions_per_tunnel`. `probe_every` is in seconds; 0 for never.
    """

    name: str
    database: str = ""
    target: str = ""
    port: int | None = None
    host: str = ""
    profile: str | None = None
    region: str | None = None
    relay: str = ""
    local_port: int | None = None
    on_demand: bool = False
    width: int | None = None
    probe_every: float = 0
    bind: str = ""

    @property
    def far_end(self) -> str:
        """What it leads to, as the user wrote it."""
        return self.database or f"{self.host or self.target}:{self.port}"

    @property
    def complete(self) -> bool:
        """Everything is named: it can be opened without asking AWS what the names mean."""
        return bool(self.port and is_node_id(self.target))

    def request(self, context: Context, target: str, *, label: str = "", width: int = MOST_SESSIONS) -> TunnelRequest:
        """The request of a tunnel that names target and port, once the target is known. `width` is the settings'."""
        assert self.port is not None  # noqa: S101 - the settings refuse a tunnel that has neither port nor database
        return TunnelRequest(
            context,
            target,
            self.port,
            host=self.host,
            local_port=self.local_port,
            title=self.name,
            label=label,
            on_demand=self.on_demand,
            most_sessions=self.width or width,
            probe_every=self.probe_every,
            bind=self.bind,
            name=self.name,
        )


def group_members(
    group: str, groups: Mapping[str, Sequence[str]], saved: Sequence[SavedTunnel]
) -> tuple[SavedTunnel, ...]:
    """The group's tunnels, in its order. Raises TargetError for a group that there is not."""
    if group not in groups:
        raise TargetError(
            f"no group is called {group!r}", f"groups are {', '.join(groups) or 'none yet: see [groups]'}"
        )
    by_name = {tunnel.name: tunnel for tunnel in saved}
    return tuple(by_name[name] for name in dict.fromkeys(groups[group]))
