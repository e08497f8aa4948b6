"""Telling the user: toasts whose text is never taken for markup, and waiting that can be left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.errors import SsmTuiError

T = TypeVar("T")

PATIENCE = 0.3  # seconds before waiting is shown: quicker than that is no waiting


def tell(
    app: App[Any], text: str, hint: str = "", *, severity: Literal["information", "warning", "error"] = "information"
) -> None:
    """A toast: what happened, and what to do next on a line of its own."""
    lines = "\n".join(visible(line) for line in (text, hint) if line)
    app.notify(lines, severity=severity, markup=False, timeout=4 if severity == "information" else 9)


def tell_error(app: App[Any], error: SsmTuiError) -> None:
    """The same words as on the command line."""
    tell(app, error.message, error.hint, severity="error")


async def wait_for(app: App[Any], future: asyncio.Future[T], text: str, leave: str = "Esc gives up") -> bool:
    """Waits, visibly where it takes longer than a moment. False where the user gave it up before its end;
    `leave` says what Escape does."""
    done, _ = await asyncio.wait({future}, timeout=PATIENCE)
    if done:
        return True
    from ssm_tui.ui.dialogs.waiting import Waiting

    left = asyncio.Event()
    dialog = Waiting(text, leave=leave)
    await app.push_screen(dialog, lambda _: left.set())
    leaving = asyncio.ensure_future(left.wait())
    either: set[asyncio.Future[Any]] = {future, leaving}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
    if not left.is_set():
        dialog.dismiss(None)
        await left.wait()
    return future.done()
