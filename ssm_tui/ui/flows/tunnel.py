"""Tunnels from the screen: open for a database or a forward, stop, try again, and say what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.dialogs.forwarding import ForwardDialog
from ssm_tui.ui.dialogs.question import Question
from ssm_tui.ui.dialogs.waiting import Waiting
from ssm_tui.ui.flows.telling import tell, tell_error
from ssm_tui.ui.presentation.tunnels import heading

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from textual.app import App

    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Tunnels
    from ssm_tui.ui.presentation.databases import DatabaseRow


class TunnelFlow:
    """Keeps the statuses that were announced last, so that only news is told."""

    def __init__(self, app: App[Any], tunnels: Tunnels) -> None:
        self._app, self._tunnels = app, tunnels
        self._warned: object = None
        self._states: dict[int, TunnelState] = {}
        self._hidden: set[int] = set()

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """The tunnels to show, newest last; stopped ones leave the list, failed ones stay until they are dismissed."""
        return tuple(
            s for s in self._tunnels.statuses() if s.state is not TunnelState.STOPPED and s.id not in self._hidden
        )

    def running(self) -> tuple[TunnelStatus, ...]:
        """Those that hold a port or are about to."""
        return tuple(s for s in self._tunnels.statuses() if not s.state.ended)

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> None:
        """Every change, for as long as the app runs."""
        self._tunnels.subscribe(listener)

    async def close(self) -> None:
        """Ends every tunnel, without a question."""
        await self._tunnels.close()

    def announce(self, status: TunnelStatus) -> None:
        """A toast for what the user waits for: it is ready, or it failed."""
        before = self._states.get(status.id)
        self._states[status.id] = status.state
        if status.state is before:
            return
        if status.state is TunnelState.READY:
            what = "the connection string" if status.request.database else "the address"
            tell(self._app, f"{heading(status)} is at {status.address}", f"y on its row copies {what}")
        elif status.state is TunnelState.FAILED:
            tell(self._app, f"{heading(status)}: {status.message}", status.hint, severity="error")

    def open_database(self, row: DatabaseRow) -> None:
        """Through the relay chosen; a relay that is thought not to reach it is tried at the second asking."""
        relay, database = row.relay, row.database
        if relay.node is None:
            tell(self._app, f"No tunnel to {database.id}: {relay.why}", severity="warning")
            return
        if relay.reachable is Reachable.NO and self._warned != row.key:
            self._warned = row.key
            tell(self._app, relay.why, "press Enter again to try anyway", severity="warning")
            return
        self._warned = None
        self._open(
            TunnelRequest(
                relay.node.context,
                relay.node.id,
                database.port,
                host=database.endpoint,
                title=database.id,
                family=database.family,
                database=database,
            )
        )

    async def open_forward(self, node: Node, now: datetime) -> bool:
        """Asks for ports, then opens; False where the user left the dialog."""
        wanted = await self._app.push_screen_wait(ForwardDialog(node, now))
        if wanted is None:
            return False
        title = f"{wanted.host or node.name or node.id}:{wanted.port}"
        request = TunnelRequest(
            node.context, node.id, wanted.port, host=wanted.host, local_port=wanted.local_port, title=title
        )
        return self._open(request)

    def again(self, status: TunnelStatus) -> None:
        """A failed tunnel once more; the failure leaves the list."""
        if self._open(status.request):
            self._hidden.add(status.id)

    def _open(self, request: TunnelRequest) -> bool:
        try:
            self._tunnels.open(request)
        except SsmTuiError as error:
            tell_error(self._app, error)
            return False
        return True

    async def stop(self, status: TunnelStatus) -> None:
        """Asks first where it carries connections; a failed one is only taken off the list."""
        if status.state.ended:
            self._hidden.add(status.id)
            return
        if status.connections:
            text = f"{heading(status)} carries {_connections(status.connections)}. Stopping it ends them."
            if not await self._app.push_screen_wait(Question("Stop the tunnel?", text, "stop it")):
                return
        try:
            await self._tunnels.stop(status.id)
        except SsmTuiError as error:
            tell_error(self._app, error)
        else:
            tell(self._app, f"{heading(status)} stopped; its port is free.")

    async def close_all(self) -> bool:
        """Ends every tunnel before the app is left; False where the user would rather stay."""
        running = self.running()
        carried = [s for s in running if s.connections]
        if carried:
            names = ", ".join(heading(s) for s in carried[:4]) + (" …" if len(carried) > 4 else "")
            total = _connections(sum(s.connections for s in carried))
            text = f"{_tunnels(len(carried))} still {_carry(len(carried))} {total}: {names}. Leaving stops them."
            if not await self._app.push_screen_wait(Question("Leave ssm-tui?", text, "stop them and leave")):
                return False
        if running:
            await self._app.push_screen(Waiting(f"Stopping {_tunnels(len(running))} …", leave=""))
        await self._tunnels.close()
        return True


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count != 1 else ''}"


def _tunnels(count: int) -> str:
    return f"{count} tunnel{'s' if count != 1 else ''}"


def _carry(count: int) -> str:
    return "carry" if count != 1 else "carries"
