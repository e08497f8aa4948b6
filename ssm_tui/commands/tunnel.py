"""`ssm-tui forward` and `ssm-tui tunnel`: one tunnel, said to be ready on stdout, held until a signal."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.targets import find_database, find_node, find_relay
from ssm_tui.commands.terminal import PROGRAM, Progress, say, write_line
from ssm_tui.domain.connection import endpoint, render
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.sessions import LOOPBACK, checked_port
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.errors import SessionError
from ssm_tui.sessions.tunnels import TunnelSupervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssm_tui.domain.databases import Relay
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Clouds, Tunnels
    from ssm_tui.sessions.launch import Launcher

INTERRUPTED = 130


def run_forward(
    clouds: Clouds, launcher: Launcher, target: str, port: int, *, host: str, local_port: int | None
) -> int:
    """A tunnel to a node's port, or through it to `host`. Raises SsmTuiError."""
    checked_port(port)
    node = find_node(clouds, target)
    title = f"{host or node.label}:{port}"
    request = TunnelRequest(node.context, node.id, port, host=host, local_port=local_port, title=title)
    return asyncio.run(hold(lambda: TunnelSupervisor(launcher, clouds), request, via=node.label if host else ""))


def run_tunnel(clouds: Clouds, launcher: Launcher, name: str, *, relay: str, local_port: int | None, show: str) -> int:
    """A tunnel to a database, through the relay named or chosen. Raises SsmTuiError."""
    database, around = find_database(clouds, name)
    if show:
        # A format that this database has not is said before anything starts.
        render(database, show, endpoint(database, LOOPBACK, database.port))
    node, doubt = (find_node(clouds, relay), "") if relay else _chosen(find_relay(clouds, database, around))
    request = TunnelRequest(
        node.context,
        node.id,
        database.port,
        host=database.endpoint,
        local_port=local_port,
        title=database.id,
        family=database.family,
        database=database,
    )
    return asyncio.run(
        hold(lambda: TunnelSupervisor(launcher, clouds), request, via=node.label, doubt=doubt, show=show)
    )


def _chosen(relay: Relay) -> tuple[Node, str]:
    """The relay's node, and what is not known about its way to the database."""
    assert relay.node is not None  # noqa: S101 - find_relay raises where there is none
    return relay.node, "" if relay.reachable is Reachable.YES else relay.why


async def hold(
    tunnels_of: Callable[[], Tunnels], request: TunnelRequest, *, via: str = "", doubt: str = "", show: str = ""
) -> int:
    """Opens the tunnel, says when it is ready, and keeps it until a signal: 130 after Ctrl-C, else 0 once it was ready.

    `via` names the relay in messages, `doubt` what is not known about it, `show` the connection string to print.
    Nothing of the tunnel is left when this returns. Raises SessionError where it fails.
    """
    tunnels = tunnels_of()
    changes: asyncio.Queue[TunnelStatus] = asyncio.Queue()
    ready = asyncio.Event()
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    unsubscribe = tunnels.subscribe(changes.put_nowait)
    with _ended_by_signals(ended):
        try:
            tunnels.open(request)
            following = asyncio.create_task(_follow(changes, ready, show))
            waited_for: list[asyncio.Future[Any]] = [following, ended]
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                raise _failure(following.result(), via, doubt)
            following.cancel()
        finally:
            unsubscribe()
            await tunnels.close()
    if ended.result() == signal.SIGINT:
        return INTERRUPTED
    return 0 if ready.is_set() else 1


async def _follow(changes: asyncio.Queue[TunnelStatus], ready: asyncio.Event, show: str) -> TunnelStatus:
    """Tells the tunnel's states until it ends; the last one."""
    with Progress(PROGRAM) as progress:
        while True:
            status = await changes.get()
            if status.state.ended:
                return status
            if status.state is TunnelState.READY:
                break
            progress.show(status.message)
    _announce(status, show)
    ready.set()
    said = ""
    while not (status := await changes.get()).state.ended:
        if status.message and status.message != said:
            said = status.message
            say(status.message, status.hint)
    return status


def _announce(status: TunnelStatus, show: str) -> None:
    database = status.request.database
    lines = [f"ready {status.address}"]
    if show and database is not None and status.local_port:
        lines.append(render(database, show, endpoint(database, LOOPBACK, status.local_port)))
    write_line("\n".join(lines))


def _failure(status: TunnelStatus, via: str, doubt: str) -> SessionError:
    """No tunnel ends by itself without a fault; the relay is named, for another one may do better."""
    message = f"{status.message or 'the tunnel has ended'}{f', through {via}' if via else ''}"
    return SessionError(message, "; ".join(filter(None, [status.hint, doubt])))


@contextmanager
def _ended_by_signals(ended: asyncio.Future[int]) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP end the tunnel in order instead of ending the program in the middle."""
    loop = asyncio.get_running_loop()
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
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
