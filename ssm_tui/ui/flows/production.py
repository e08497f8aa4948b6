"""The question before anything is opened in production, by the user's own mark: once for what a key does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.domain.databases import Database
from ssm_tui.domain.nodes import NodeKey
from ssm_tui.domain.production import is_production
from ssm_tui.ui.presentation.text import visible
from ssm_tui.ui.presentation.tunnels import counted

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.ui.catalog import Catalog

NAMED = 5  # things that the question names


class ProductionGate:
    """Knows what is production, None for nothing."""

    def __init__(self, app: App[Any], mark: Filter | None, catalog: Catalog) -> None:
        self._app, self._mark, self._catalog = app, mark, catalog

    def guards(self, subject: Node | Database | None) -> bool:
        """Whether something is asked before."""
        return is_production(self._mark, subject)

    async def admits(self, deed: str, *subjects: Node | Database | None) -> bool:
        """Whether it may be done, to all of them: `deed` is what a yes does."""
        guarded = [each for each in subjects if each is not None and self.guards(each)]
        if not guarded or self._mark is None:
            return True
        from ssm_tui.ui.dialogs.question import Question

        names = ", ".join(_name(each) for each in guarded[:NAMED])
        more = f" and {counted(len(guarded) - NAMED, 'other')}" if len(guarded) > NAMED else ""
        text = f"{names}{more} {'are' if len(guarded) > 1 else 'is'} production: {visible(self._mark.text)}"
        answer = await self._app.push_screen_wait(Question("Production", text, deed))
        return answer is True

    async def admits_tunnel(self, request: TunnelRequest) -> bool:
        """The same for a tunnel: by its database, else by the node that it leads to."""
        node = None if request.database else self._catalog.node(NodeKey(request.context, request.target))
        return await self.admits("open the tunnel", request.database or node)


def _name(subject: Node | Database) -> str:
    return visible(subject.id if isinstance(subject, Database) else subject.label)
