"""What keys do with tunnels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui.actions import View
from ssm_tui.ui.screens.acting import Acting

if TYPE_CHECKING:
    from ssm_tui.domain.saved import SavedTunnel

_TRIED_AGAIN = (TunnelState.RECONNECTING, TunnelState.PAUSED, TunnelState.FAILED)


class TunnelActions(Acting):
    """On the highlighted tunnel, of which databases may have one too."""

    def action_use_tunnel(self) -> None:
        row = self._lists.tunnels.row
        if row is not None and row.looked_up:
            return
        if row is None or row.status is None or row.status.state in _TRIED_AGAIN:
            self.action_retry()
        else:
            self.action_copy()

    def action_retry(self) -> None:
        row = self._lists.tunnels.row
        if row is None:
            return
        if row.saved is not None and (row.status is None or row.status.state.ended):
            self._bring_up(row.saved)
        elif row.status is not None and row.status.state is TunnelState.PAUSED:
            self.action_sign_in()
        elif row.status is not None:
            self._tunnels.retry(row.status)
            self._changed()

    def _bring_up(self, saved: SavedTunnel) -> None:
        self._flow(self._saved.bring_up(saved))

    def action_groups(self) -> None:
        self._flow(self._saved.toggle_group(self._bring_up))

    def action_stop(self) -> None:
        self._settle()
        row = self._lists.tunnels.row
        if self.view is View.TUNNELS and row is not None and row.saved is not None and row.looked_up:
            self._saved.give_up(row.saved)
            self._changed()
        elif (status := self._lists.running_tunnel(self.view)) is not None:
            self._flow(self._tunnels.stop(status))

    def action_detach(self) -> None:
        if (status := self._lists.running_tunnel(View.TUNNELS)) is not None:
            self._flow(self._tunnels.detach(status))

    def action_log(self) -> None:
        if (status := self._lists.running_tunnel(View.TUNNELS)) is not None:
            self._flow(self._tunnels.show_history(status, self._services.clipboard))
