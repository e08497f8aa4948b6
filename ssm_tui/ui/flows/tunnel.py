"""Tunnels from the screen: open for a database or a forward, try again, stop, leave running, look into."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus, Way
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error
from ssm_tui.ui.presentation.tunnel_details import Insight
from ssm_tui.ui.presentation.tunnels import counted, heading, names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual.app import App

    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.relays import Candidate
    from ssm_tui.domain.services import Detachable, Tunnels
    from ssm_tui.ui.presentation.databases import DatabaseRow
    from ssm_tui.ui.services import Clipboard

_CALM = (TunnelState.READY, TunnelState.IDLE)


class TunnelFlow:
    """The tunnels, and which failures the user has taken off the list. `most_sessions` bounds those opened here."""

    def __init__(self, app: App[Any], tunnels: Tunnels, most_sessions: int) -> None:
        self._app, self._tunnels = app, tunnels
        self._most_sessions = most_sessions
        self._warned: object = None
        self._hidden: set[int] = set()

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """The tunnels to show, newest last; stopped ones leave the list, failed ones stay until they are dismissed."""
        return tuple(
            s for s in self._tunnels.statuses() if s.state is not TunnelState.STOPPED and s.id not in self._hidden
        )

    def running(self) -> tuple[TunnelStatus, ...]:
        """Those that hold a port or are about to."""
        return tuple(s for s in self._tunnels.statuses() if not s.state.ended)

    @property
    def detachable(self) -> Detachable | None:
        """What makes tunnels go on without this program, where there is such a thing."""
        return cast("Detachable", self._tunnels) if hasattr(self._tunnels, "detach") else None

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> None:
        """Every change, for as long as the app runs."""
        self._tunnels.subscribe(listener)

    async def close(self) -> None:
        """Ends every tunnel of this program, without a question."""
        await self._tunnels.close()

    # Opening

    def open_database(self, row: DatabaseRow) -> bool:
        """Through the relay chosen; a relay that is thought not to reach it is tried at the second asking. Whether one
        was begun."""
        relay, database = row.relay, row.database
        if relay.node is None:
            tell(self._app, f"No tunnel to {database.id}: {relay.why}", severity="warning")
            return False
        if relay.reachable is Reachable.NO and self._warned != row.key:
            self._warned = row.key
            tell(self._app, relay.why, "press the key again to try anyway", severity="warning")
            return False
        self._warned = None
        return self._open_relayed(database, relay.node, relay.others)

    def open_through(self, database: Database, chosen: Candidate) -> bool:
        """Through the node that the user has chosen among all. What is thought of it is told once more."""
        if chosen.reachable is Reachable.NO:
            tell(self._app, f"{chosen.node.label}: {chosen.finding.why}", chosen.finding.change, severity="warning")
        return self._open_relayed(database, chosen.node)

    def _open_relayed(self, database: Database, node: Node, others: Sequence[Node] = ()) -> bool:
        return self.open(
            TunnelRequest(
                node.context,
                node.id,
                database.port,
                host=database.endpoint,
                title=database.id,
                family=database.family,
                database=database,
                label=node.label,
                others=tuple(Way(other.id, other.label) for other in others),
                most_sessions=self._most_sessions,
            )
        )

    async def open_forward(self, nodes: Sequence[Node], now: datetime) -> bool:
        """Asks once for ports, then opens, with a local port of its own for each node; False where the user left the
        dialog or none was opened."""
        from ssm_tui.ui.dialogs.forwarding import ForwardDialog

        wanted = await self._app.push_screen_wait(ForwardDialog(nodes, now))
        if wanted is None:
            return False
        ports = [wanted.local_port and wanted.local_port + at for at in range(len(nodes))]
        # Each is begun, whatever is said against another.
        begun = [self.open_port(node, wanted.port, wanted.host, port) for node, port in zip(nodes, ports, strict=True)]
        return any(begun)

    def open_port(self, node: Node, port: int, host: str = "", local_port: int | None = None) -> bool:
        """To the node, or through it to the host."""
        request = TunnelRequest(
            node.context,
            node.id,
            port,
            host=host,
            local_port=local_port,
            title=f"{host or node.name or node.id}:{port}",
            label=node.label,
            most_sessions=self._most_sessions,
        )
        return self.open(request)

    def open(self, request: TunnelRequest) -> bool:
        """Begins a tunnel; what speaks against it is told."""
        try:
            self._tunnels.open(request)
        except SsmTuiError as error:
            tell_error(self._app, error)
            return False
        return True

    def replace(self, name: str, request: TunnelRequest) -> None:
        """Begins a saved tunnel; its earlier failures leave the list."""
        failed = [s.id for s in self.statuses() if s.request.name == name and s.state is TunnelState.FAILED]
        if self.open(request):
            self._hidden.update(failed)

    def again(self, status: TunnelStatus) -> None:
        """A failed tunnel once more; the failure leaves the list."""
        if self.open(status.request):
            self._hidden.add(status.id)

    # What runs

    def retry(self, status: TunnelStatus) -> None:
        """At once, where it waits for its next try; a failed one is opened again."""
        if status.state is TunnelState.FAILED:
            self.again(status)
        elif status.state in (TunnelState.RECONNECTING, TunnelState.DEGRADED):
            self._tunnels.retry(status.id)
        else:
            tell(self._app, f"{heading(status)} is {status.state.value}: there is nothing to try again.")

    def renew(self, profile: str | None) -> None:
        """There are new credentials for the profile."""
        self._tunnels.renew(profile)

    async def insight(self, status: TunnelStatus) -> Insight:
        """What it carries, and what became of it where it is not well."""
        try:
            connections = await self._tunnels.carried(status.id) if status.connections else ()
            events = await self._tunnels.history(status.id) if status.state not in _CALM else ()
        except SsmTuiError:  # the supervisor that had it has ended
            return Insight()
        return Insight(connections, events)

    async def show_history(self, status: TunnelStatus, clipboard: Clipboard) -> None:
        """Its own lines, in a dialog that follows them."""
        from ssm_tui.ui.dialogs.history import HistoryDialog

        async def copy(text: str) -> None:
            how = await clipboard.copy(self._app, text)
            tell(self._app, f"The log of {heading(status)} copied {how}")

        dialog = HistoryDialog(heading(status), lambda: self._tunnels.history(status.id), copy)
        await self._app.push_screen_wait(dialog)

    async def detach(self, status: TunnelStatus) -> None:
        """Leaves it running when this program ends."""
        detachable = self.detachable
        if status.detached:
            tell(self._app, f"{heading(status)} goes on without ssm-tui already; s stops it.")
        elif detachable is None or status.state.ended or status.state is TunnelState.STOPPING:
            tell(self._app, f"{heading(status)} cannot be left running.", severity="warning")
        else:
            try:
                await detachable.detach(status.id)
            except SsmTuiError as error:
                tell_error(self._app, error)
            else:
                tell(self._app, f"{heading(status)} goes on when ssm-tui is left.", "s stops it, here or next time")

    async def stop(self, status: TunnelStatus) -> None:
        """Asks first where it carries connections; a failed one is only taken off the list."""
        if status.state.ended:
            self._hidden.add(status.id)
        else:
            await self.stop_all([status], "Stop the tunnel?")

    async def stop_all(self, statuses: Sequence[TunnelStatus], question: str) -> None:
        """Stops them together; asks once where any carries connections."""
        from ssm_tui.ui.dialogs.question import Question

        carrying = [status for status in statuses if status.connections]
        if carrying:
            total = counted(sum(status.connections for status in carrying), "connection")
            text = f"{names(carrying)} {_carry(len(carrying))} {total}. Stopping ends them."
            if not await self._app.push_screen_wait(Question(question, text, "stop")):
                return
        try:
            await asyncio.gather(*(self._tunnels.stop(status.id) for status in statuses))
        except SsmTuiError as error:
            tell_error(self._app, error)
        else:
            free = "its port is" if len(statuses) == 1 else "their ports are"
            tell(self._app, f"{names(statuses)} stopped; {free} free.")


def _carry(count: int) -> str:
    return "carry" if count != 1 else "carries"
