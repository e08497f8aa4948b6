"""A device login from its beginning to its end: the code is asked for, shown, and waited for in the background."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from textual.app import App

    from ssm_tui.domain.services import DeviceLogin
    from ssm_tui.ui.services import Services


async def sign_in_here(app: App[Any], services: Services, profile: str | None, name: str) -> bool:
    """True once the user has said yes in a browser; False where he gave up. Raises SsmTuiError."""
    beginning = in_background(lambda: services.sign_ins.begin(profile), "begin a sign-in")
    if not await wait_for(app, beginning, "Asking AWS for a code …"):
        return False
    login = await beginning
    stop = threading.Event()
    try:
        return await _watched(app, services, login, stop, name)
    finally:
        stop.set()  # however this ends: the thread that waits ends with its next look


async def _watched(app: App[Any], services: Services, login: DeviceLogin, stop: threading.Event, name: str) -> bool:
    from ssm_tui.ui.dialogs.device_login import DeviceLoginDialog

    async def copy(text: str) -> None:
        tell(app, f"The address is copied {await services.clipboard.copy(app, text)}.")

    async def browse() -> None:
        command = services.browser(login.code.complete_uri)
        try:
            if command is None or await services.desktops.start(command):
                tell(app, "No browser came up.", "y copies the address", severity="warning")
        except SsmTuiError as error:
            tell_error(app, error)

    dialog = DeviceLoginDialog(
        name,
        login.code,
        lambda text: _do(app, copy(text)),
        (lambda: _do(app, browse())) if services.browser(login.code.complete_uri) else None,
    )
    left = asyncio.Event()
    await app.push_screen(dialog, lambda _: left.set())
    waiting = in_background(lambda: login.wait(stop), "wait for a sign-in")
    leaving = asyncio.ensure_future(left.wait())
    either: set[asyncio.Future[Any]] = {waiting, leaving}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not waiting.done():
            waiting.cancel()
    if not waiting.done() or waiting.cancelled():
        return False
    if not left.is_set():
        dialog.dismiss(None)
        await left.wait()
    return waiting.result()


def _do(app: App[Any], work: Coroutine[Any, Any, None]) -> None:
    app.run_worker(work, exit_on_error=False)
