"""Saved tunnels and groups of them: looked up, brought up, taken down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import App

    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.dialogs.groups import Group
    from ssm_tui.ui.flows.production import ProductionGate
    from ssm_tui.ui.flows.tunnel import TunnelFlow
    from ssm_tui.ui.services import Services


class SavedFlow:
    """Knows which saved tunnels are being looked up: that asks AWS and may take seconds. `changed` shows it."""

    def __init__(
        self,
        app: App[Any],
        services: Services,
        tunnels: TunnelFlow,
        production: ProductionGate,
        changed: Callable[[], None],
    ) -> None:
        self._app, self._services, self._tunnels, self._changed = app, services, tunnels, changed
        self._production = production
        self._saved = {each.name: each for each in services.saved}
        self.looked_up: set[str] = set()

    def running(self, names: Iterable[str]) -> list[TunnelStatus]:
        """The tunnels that run under these names."""
        wanted = set(names)
        return [status for status in self._tunnels.running() if status.request.name in wanted]

    async def bring_up(self, saved: SavedTunnel) -> None:
        """Finds out what it means and opens it. What is wrong with it is told; nothing where it is up already."""
        if saved.name in self.looked_up or self.running([saved.name]):
            return
        self.looked_up.add(saved.name)
        self._changed()
        try:
            request = await in_background(lambda: self._services.resolve(saved), "look up a saved tunnel")
        except SsmTuiError as error:
            if saved.name in self.looked_up:
                tell_error(self._app, type(error)(f"{saved.name}: {error.message}", error.hint))
        else:
            # Else the user has taken it back.
            if saved.name in self.looked_up and await self._production.admits_tunnel(request):
                self._tunnels.replace(saved.name, request)
        finally:
            self.looked_up.discard(saved.name)
            self._changed()

    def give_up(self, saved: SavedTunnel) -> None:
        """What the looking up finds is not opened."""
        self.looked_up.discard(saved.name)

    def groups(self) -> tuple[Group, ...]:
        """Every group as it stands."""
        from ssm_tui.ui.dialogs.groups import Group

        return tuple(
            Group(name, members, sum(1 for each in members if self.running([each])))
            for name, members in self._services.groups.items()
        )

    async def toggle_group(self, start: Callable[[SavedTunnel], None]) -> None:
        """Asks which where there are several, and where one is half up what to do. Without a word for it, what is not
        wholly up is brought up, by `start` for each."""
        from ssm_tui.ui.dialogs.groups import GroupChoice, GroupMenu

        groups = self.groups()
        if len(groups) == 1 and (groups[0].whole or not groups[0].up):
            choice: GroupChoice | None = GroupChoice(groups[0].name)
        else:
            choice = await self._app.push_screen_wait(GroupMenu(groups))
        if choice is None:
            return
        name = choice.name
        group = next(each for each in self.groups() if each.name == name)
        if group.whole or choice.down:
            await self._tunnels.stop_all(self.running(group.members), f"Take the group {name} down?")
            return
        missing = [self._saved[each] for each in group.members if not self.running([each])]
        tell(self._app, f"Bringing up {name}: {', '.join(each.name for each in missing)}")
        for each in missing:
            start(each)
