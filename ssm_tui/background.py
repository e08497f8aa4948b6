"""Blocking work away from the event loop, in daemon threads: a call that hangs keeps neither the loop nor the process
from ending, and thirty at once do not wait for each other, as they would in asyncio's own pool."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def in_background(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """The result of `work`, which runs in a thread of its own. Cancelling gives up waiting, not the work."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        if not answer.done():
            give()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed on to whoever awaits it, whatever it is
            problem = error
            give = lambda: answer.set_exception(problem)  # noqa: E731
        else:
            give = lambda: answer.set_result(result)  # noqa: E731
        try:
            loop.call_soon_threadsafe(settle, give)
        except RuntimeError:  # the loop is closed: the process is ending
            return

    threading.Thread(target=run, name=name, daemon=True).start()
    return answer
