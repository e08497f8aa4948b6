"""What keys do with nodes."""

from __future__ import annotations

from ssm_tui.ui.actions import View
from ssm_tui.ui.flows.desktop import has_desktop
from ssm_tui.ui.screens.acting import Acting


class NodeActions(Acting):
    """On the highlighted node."""

    def action_shell(self) -> None:
        self._settle()
        if (node := self._lists.node) is not None:
            self._flow(self._shells.start(node))

    def action_forward(self) -> None:
        self._settle()

        async def forward() -> None:
            if node is not None and await self._tunnels.open_forward(node, self._services.clock()):
                self.action_view(View.TUNNELS)

        node = self._lists.node
        self._flow(forward())

    def action_desktop(self) -> None:
        self._settle()
        if (node := self._lists.node) is not None and has_desktop(node):
            self._flow(self._desktops.start(node))
