"""What keys do with databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.screens.acting import Acting

if TYPE_CHECKING:
    from ssm_tui.ui.presentation.databases import DatabaseRow


class DatabaseActions(Acting):
    """On the highlighted database."""

    def action_tunnel(self) -> None:
        self._settle()
        row = self._lists.databases.row
        if row is None:
            return
        if row.tunnel is None and self._production.guards(row.database):
            self._choose(self._open_guarded(row))
        elif row.tunnel is None:
            self._tunnels.open_database(row)
            self._changed()
        elif row.tunnel.state is TunnelState.PAUSED:
            self.action_sign_in()
        else:
            self._clients.keep(row.tunnel)
            self.action_copy()

    def action_connect(self) -> None:
        self._settle()
        if (row := self._lists.databases.row) is not None:
            self._flow(self._clients.start(row))

    def action_relays(self) -> None:
        self._settle()
        if (row := self._lists.databases.row) is not None:
            self._choose(self._choose_relay(row))

    async def _choose_relay(self, row: DatabaseRow) -> None:
        """Through the node that the user chooses, whatever is thought of its way."""
        from ssm_tui.ui.dialogs.relays import RelaysDialog

        title = f"Relays for {visible(row.database.id)}"
        chosen = await self.app.push_screen_wait(RelaysDialog(title, self._catalog.ranked(row.database), row.relay.why))
        if chosen is None or not await self._production.admits("open the tunnel", row.database):
            return
        if row.tunnel is not None:
            await self._tunnels.stop(row.tunnel)
        self._tunnels.open_through(row.database, chosen)

    async def _open_guarded(self, row: DatabaseRow) -> None:
        if await self._production.admits("open the tunnel", row.database):
            self._tunnels.open_database(row)
