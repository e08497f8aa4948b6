"""Why the caller may or may not: asked of IAM in a thread while the panel is open, and the request copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.ui.flows.copy import SHOWN
from ssm_tui.ui.flows.telling import tell
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.grants import Explanation, Target
    from ssm_tui.ui.services import Services


class WhyFlow:
    """Opens the panel."""

    def __init__(self, app: App[Any], services: Services) -> None:
        self._app, self._services = app, services

    async def show(self, target: Target) -> None:
        """What may be done there, and why not."""
        from ssm_tui.ui.dialogs.why import WhyDialog

        async def copy(what: str, text: str) -> None:
            how = await self._services.clipboard.copy(self._app, text)
            tell(self._app, f"{what} copied {how}", cut(visible(" ".join(text.split())), SHOWN))

        def explain() -> Explanation:
            return self._services.clouds.open(target.context).explain(target)

        dialog = WhyDialog(target.label, lambda: in_background(explain, "explain access"), copy)
        await self._app.push_screen_wait(dialog)
