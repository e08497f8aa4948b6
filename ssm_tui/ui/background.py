"""Blocking work away from the event loop, in daemon threads: leaving the app never waits for a call that hangs."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def in_background(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """The result of `work`, which runs in a thread of its own. Cancelling gives up waiting, not the work."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed on to whoever awaits it, whatever it is
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return asyncio.shield(asyncio.wrap_future(future))
