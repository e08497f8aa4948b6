"""The desktop of a Windows node: a tunnel to its port 3389, and once that stands the address copied and a client."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from ssm_tui.background import in_background
from ssm_tui.domain.desktops import RDP_PORT
from ssm_tui.domain.nodes import Platform
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.desktops import DesktopClient
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.flows.tunnel import TunnelFlow
    from ssm_tui.ui.services import Services


def has_desktop(node: Node | None) -> bool:
    """Whether there is one to be shown."""
    return node is not None and node.platform is Platform.WINDOWS and not node.container


class DesktopFlow:
    """Desktops that are wanted, and whose tunnels do not stand yet."""

    def __init__(self, app: App[Any], services: Services, tunnels: TunnelFlow) -> None:
        self._app, self._services, self._tunnels = app, services, tunnels
        self._wanted: set[tuple[object, str]] = set()

    async def start(self, node: Node) -> None:
        """Through the tunnel that there is already, or a new one."""
        running = next((each for each in self._tunnels.running() if _leads_to(each, node)), None)
        if running is not None and running.state.usable:
            await self.show(running)
            return
        self._wanted.add((node.context, node.id))
        if running is None and not self._tunnels.open_port(node, RDP_PORT):
            self._wanted.discard((node.context, node.id))

    def due(self, status: TunnelStatus) -> bool:
        """Whether a desktop waits for what the tunnel has just become; asked once for each change."""
        request = status.request
        key = (request.context, request.target)
        if key not in self._wanted or request.port != RDP_PORT or request.host:
            return False
        if status.state.usable or status.state.ended or status.state is TunnelState.STOPPING:
            self._wanted.discard(key)
        return status.state.usable

    async def show(self, status: TunnelStatus) -> None:
        """Copies the address, and starts a client where there is one."""
        how = await self._services.clipboard.copy(self._app, status.address)
        copied = f"{status.address} copied {how}"
        client = await in_background(lambda: self._services.desktops.find(status.address), "find a desktop client")
        if client is None:
            tell(self._app, copied, "give it to a remote desktop client: none was found here")
            return
        name = PurePath(client.command.argv[0]).stem
        try:
            ended = await self._run(client, status)
        except SsmTuiError as error:
            tell_error(self._app, error)
        except SuspendNotSupported:
            tell(self._app, copied, f"this terminal cannot be handed to {name}: start it in another")
        else:
            if ended:
                tell(self._app, f"{name} ended with status {ended}.", copied, severity="warning")
            else:
                tell(self._app, f"{name} shows the desktop; {copied}.")

    async def _run(self, client: DesktopClient, status: TunnelStatus) -> int | None:
        if not client.asks_here:
            return await self._services.desktops.start(client.command)
        if self._services.hand_over is None:
            raise SuspendNotSupported
        return await self._services.hand_over(self._app, client.command, f"the desktop of {status.request.label}")


def _leads_to(status: TunnelStatus, node: Node) -> bool:
    request = status.request
    return (request.context, request.target, request.port, request.host) == (node.context, node.id, RDP_PORT, "")
