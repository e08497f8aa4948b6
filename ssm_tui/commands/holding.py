"""Keeps tunnels open from the terminal until a signal, or until they have ended by themselves."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.telling import Teller
from ssm_tui.commands.terminal import PROGRAM, Progress, say_error
from ssm_tui.domain.tunnels import TunnelState, TunnelStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ssm_tui.commands.requests import TunnelPlan
    from ssm_tui.domain.services import Tunnels

INTERRUPTED = 130


async def hold(tunnels_of: Callable[[], Tunnels], plans: Sequence[TunnelPlan]) -> int:
    """Opens the tunnels, says of each when it is ready, and keeps them until a signal: 130 after Ctrl-C, else 0 if all
    of them were ready.

    One that fails is told and the others go on; when none is left, the last failure is raised (SessionError). Nothing
    of the tunnels is left when this returns.
    """
    tunnels = tunnels_of()
    changes: asyncio.Queue[TunnelStatus] = asyncio.Queue()
    unsubscribe = tunnels.subscribe(changes.put_nowait)
    with ended_by_signals() as ended, Progress(PROGRAM) as progress:
        try:
            tellers = {tunnels.open(each.request): Teller(each, progress) for each in plans}
            following = asyncio.create_task(_follow(changes, tellers))
            waited_for: list[asyncio.Future[Any]] = [following, ended]
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                progress.clear()
                last = following.result()
                raise tellers[last.id].failure(last)
            following.cancel()
        finally:
            unsubscribe()
            await tunnels.close()
    if ended.result() == signal.SIGINT:
        return INTERRUPTED
    return 0 if all(teller.was_ready for teller in tellers.values()) else 1


async def _follow(changes: asyncio.Queue[TunnelStatus], tellers: dict[int, Teller]) -> TunnelStatus:
    """Tells the tunnels' states until all of them have ended; the last one's end."""
    left = set(tellers)
    while True:
        status = await changes.get()
        if status.id not in left:
            continue
        if not status.state.ended:
            tellers[status.id].tell(status)
            continue
        left.remove(status.id)
        if not left:
            return status
        if status.state is TunnelState.FAILED:
            say_error(tellers[status.id].failure(status), status.request.heading)


@contextmanager
def ended_by_signals() -> Iterator[asyncio.Future[int]]:
    """The first of SIGINT, SIGTERM and SIGHUP that comes: they end things in order, not the program in the middle."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def end(number: int) -> None:
        if not ended.done():
            ended.set_result(number)

    # By signal.signal rather than the loop's add_signal_handler, which Windows does not have.
    before = {
        number: signal.signal(number, lambda received, _frame: loop.call_soon_threadsafe(end, received))
        for number in numbers
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
