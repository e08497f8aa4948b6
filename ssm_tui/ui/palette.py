"""The command palette: the table of actions, and the themes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from ssm_tui.ui.actions import actions_of
from ssm_tui.ui.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssm_tui.ui.screens.home import Home


class ActionProvider(Provider):
    """Offers what can be done in the view that is shown."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        home: Home = self.screen  # type: ignore[assignment]  # the palette is opened from the home screen alone
        for action in actions_of(home.view):
            if action.name != "commands" and home.offered(action):
                yield f"{action.label}  ({action.shown_keys})", action.help, partial(home.run_action, action.name)
        for theme in THEMES:
            yield f"Theme: {theme.name}", "Change the colours.", partial(setattr, self.app, "theme", theme.name)

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for name, text, run in self._entries():
            yield DiscoveryHit(name, run, help=text)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for name, text, run in self._entries():
            if (score := matcher.match(f"{name} {text}")) > 0:
                yield Hit(score, matcher.highlight(name), run, help=text)
