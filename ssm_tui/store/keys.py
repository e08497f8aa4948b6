"""What makes two requests the same tunnel from run to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssm_tui.domain.tunnels import TunnelRequest


def key(request: TunnelRequest) -> str:
    """Where it leads: account (the profile where that is not known), region, far end. Not the relay that leads there,
    unless it is the far end itself."""
    account = request.database.account if request.database is not None else None
    return "/".join((account or request.context.profile or "", request.context.region, request.far_end))
