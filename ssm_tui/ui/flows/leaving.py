"""Leaving the app while tunnels are open: stop them, leave them running, or stay."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell_error
from ssm_tui.ui.presentation.tunnels import counted, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.flows.tunnel import TunnelFlow


class _Fate(Enum):
    STOP = "stop"
    KEEP = "keep"


async def leave(app: App[Any], tunnels: TunnelFlow) -> bool:
    """Whether the app may end now; whatever shall not outlive it has ended then.

    Asked where something would be lost: where tunnels carry connections, or where they could be left running.
    """
    from ssm_tui.ui.dialogs.choice import Answer, Choice
    from ssm_tui.ui.dialogs.waiting import Waiting

    own = [s for s in tunnels.running() if not s.detached and s.state is not TunnelState.STOPPING]
    detachable = tunnels.detachable
    if own and (detachable is not None or any(status.connections for status in own)):
        answers = [Answer("y", "stop them and leave" if len(own) > 1 else "stop it and leave", _Fate.STOP)]
        if detachable is not None:
            answers.append(Answer("b", "leave and keep running in the background", _Fate.KEEP))
        fate = await app.push_screen_wait(Choice("Leave ssm-tui?", _question(own), answers, "stay"))
        if fate is None:
            return False
        if fate is _Fate.KEEP and not await _keep(app, tunnels, own):
            return False
    if left := sum(not status.detached for status in tunnels.running()):
        await app.push_screen(Waiting(f"Stopping {counted(left, 'tunnel')} …", leave=""))
    await tunnels.close()
    return True


def _question(own: Sequence[TunnelStatus]) -> str:
    carrying = [status for status in own if status.connections]
    if carrying:
        total = counted(sum(status.connections for status in carrying), "connection")
        carry = "carry" if len(carrying) != 1 else "carries"
        text = f"{counted(len(carrying), 'tunnel')} still {carry} {total}: {names(carrying)}."
        rest = len(own) - len(carrying)
        return f"{text} {counted(rest, 'other')} without any." if rest else text
    is_open = "are open" if len(own) != 1 else "is open"
    return f"{counted(len(own), 'tunnel')} {is_open}: {names(own)}."


async def _keep(app: App[Any], tunnels: TunnelFlow, own: Sequence[TunnelStatus]) -> bool:
    """Hands each over; where one cannot be, the user stays and is told why."""
    from ssm_tui.ui.dialogs.waiting import Waiting

    detachable = tunnels.detachable
    if detachable is None:
        return False
    waiting = Waiting(f"Handing over {counted(len(own), 'tunnel')} …", leave="")
    await app.push_screen(waiting)
    try:
        for status in own:
            await detachable.detach(status.id)
    except SsmTuiError as error:
        tell_error(app, error)
        return False
    finally:
        if waiting.is_running:
            await waiting.dismiss(None)
    return True
