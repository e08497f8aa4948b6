"""The copy menu, and the word of what was copied and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.ui.flows.telling import tell
from ssm_tui.ui.presentation.copies import Deed
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.ui.dialogs.copying import CopyMenu
    from ssm_tui.ui.services import Clipboard

SHOWN = 160  # cells of what was copied that a toast repeats


async def choose_and_copy(app: App[Any], clipboard: Clipboard, menu: CopyMenu) -> Deed | None:
    """Opens the menu; copies what was chosen and says so. What was chosen to be done, None for nothing."""
    chosen = await app.push_screen_wait(menu)
    if chosen is None:
        return None
    if chosen.deed is Deed.COPY:
        how = await clipboard.copy(app, chosen.text)
        tell(app, f"{chosen.label} copied {how}", cut(visible(chosen.text), SHOWN))
    return chosen.deed
