"""The copy menu, and the word of what was copied and how, or written and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error
from ssm_tui.ui.presentation.copies import Deed
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.connection.entries import Entry
    from ssm_tui.ui.dialogs.copying import CopyMenu
    from ssm_tui.ui.services import ClientFiles, Services

SHOWN = 160  # cells of what was copied that a toast repeats


async def choose_and_copy(app: App[Any], services: Services, menu: CopyMenu) -> Deed | None:
    """Opens the menu; copies or writes what was chosen and says so. What was chosen to be done, None for nothing."""
    chosen = await app.push_screen_wait(menu)
    if chosen is None:
        return None
    if chosen.deed is Deed.COPY:
        how = await services.clipboard.copy(app, chosen.text)
        tell(app, f"{chosen.label} copied {how}", cut(visible(chosen.text), SHOWN))
    elif chosen.entry is not None:
        await _write(app, services.client_files, chosen.entry)
    return chosen.deed


async def _write(app: App[Any], files: ClientFiles, entry: Entry) -> None:
    try:
        place = await in_background(lambda: files.write(entry), f"write {entry.file}")
    except SsmTuiError as error:
        tell_error(app, error)
    else:
        tell(app, f"{entry.name} is in {place}", entry.use)
