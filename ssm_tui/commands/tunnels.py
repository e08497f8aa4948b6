"""`ssm-tui tunnels`: the detached tunnels, listed or stopped."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.terminal import write_line, write_table
from ssm_tui.domain.targets import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.sessions.detached.attach import Supervisors

HEAD = ("NAME", "STATE", "ADDRESS", "TO", "VIA", "CLIENTS", "SENT", "RECEIVED", "MESSAGE")


def run_list(supervisors: Supervisors, *, as_json: bool) -> int:
    """Lists them. Raises SessionError."""
    statuses = asyncio.run(_statuses(supervisors))
    if as_json:
        write_line(json.dumps([as_object(status) for status in statuses], ensure_ascii=False, indent=2))
    elif statuses:
        write_table(HEAD, (as_row(status) for status in statuses))
    return 0


def run_stop(supervisors: Supervisors, names: Sequence[str]) -> int:
    """Stops those named; all of them where none is named. Raises SessionError, TargetError."""
    asyncio.run(_stop(supervisors, names))
    return 0


async def _statuses(supervisors: Supervisors) -> tuple[TunnelStatus, ...]:
    attachment = await supervisors.find()
    if attachment is None:
        return ()
    try:
        return (await attachment.ask("statuses")).statuses
    finally:
        await attachment.close()


async def _stop(supervisors: Supervisors, names: Sequence[str]) -> None:
    attachment = await supervisors.find()
    try:
        if attachment is not None and not names:
            await attachment.ask("stop all")
            return
        listed = (await attachment.ask("statuses")).statuses if attachment is not None else ()
        # All are looked up before any is stopped.
        chosen = [resolve(name, map(_Listed.of, listed), what="tunnel") for name in names]
        if attachment is not None:
            asked = (attachment.ask("stop", tunnel=number) for number in {each.number for each in chosen})
            await asyncio.gather(*asked)
    finally:
        if attachment is not None:
            await attachment.close()


@dataclass(frozen=True, slots=True)
class _Listed:
    """A tunnel as it is named on the command line: by what it is called, or its local address."""

    number: int
    id: str
    name: str

    @classmethod
    def of(cls, status: TunnelStatus) -> _Listed:
        return cls(status.id, status.request.heading, status.address)


def as_object(status: TunnelStatus) -> dict[str, Any]:
    """The tunnel for programs; unknown values are None."""
    request = status.request
    return {
        "name": request.heading,
        "state": status.state.value,
        "address": status.address or None,
        "local_port": status.local_port,
        "far_end": request.far_end,
        "target": request.target,
        "via": status.via.target or None,
        "sessions": status.sessions,
        "connections": status.traffic.connections,
        "sent": status.traffic.sent,
        "received": status.traffic.received,
        "since": status.since.isoformat(),
        "next_try": status.next_try.isoformat() if status.next_try else None,
        "message": status.message or None,
        "hint": status.hint or None,
        "on_demand": request.on_demand,
        "profile": request.context.profile,
        "region": request.context.region,
    }


def as_row(status: TunnelStatus) -> tuple[str, ...]:
    """The tunnel as texts under HEAD."""
    from ssm_tui.ui.presentation.sizes import size

    return (
        status.request.heading,
        status.state.value,
        status.address or "-",
        status.request.far_end,
        (status.via.label or status.via.target or "-") if status.request.host else "-",
        str(status.traffic.connections),
        size(status.traffic.sent),
        size(status.traffic.received),
        status.message or "-",
    )
