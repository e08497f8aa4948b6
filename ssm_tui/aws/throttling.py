"""Waiting where AWS asks for fewer calls: how long, how often, and telling whoever listens.

A client waits longer the more often AWS has refused it lately, whatever call it was: the limits are the account's, a
service and a region at a time. Every wait has some chance in it, so that readers side by side do not come back at once.
"""

from __future__ import annotations

import math
import random
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from ssm_tui.aws.translate import THROTTLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

# Seconds. With all attempts made, a call has waited for a minute at most, and fails as throttled.
SHORTEST = 0.5
LONGEST = 20.0
ATTEMPTS = 8
# With these, or with no answer at all, botocore tries again by itself.
_TRANSIENT = frozenset({500, 502, 503, 504})

_listener: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


def listened(listener: Callable[[str], object], reader: Callable[[], Iterable[T]]) -> Iterator[T]:
    """The reader's items; `listener` is told in words of each wait of the calls that the reader makes, while it is
    waited. For a reader that has a thread to itself (see `streams.merged`)."""
    _listener.set(listener)
    yield from reader()


class Backoff:
    """One client's patience. Its `needs_retry` belongs before botocore's own handler of that event, which would retry
    too, but tells nobody."""

    def __init__(self, service: str, botocores_attempts: int) -> None:
        self._service = service
        self._botocores_attempts = botocores_attempts
        self._answered = False
        self._refusals = 0  # of late: an answer makes it one less
        self._counting = threading.Lock()

    def needs_retry(self, *, response: Any, operation: Any, attempts: int, **_: Any) -> float | None:
        """The seconds to wait before the call is made again; None where that is for others to say."""
        self._answered = self._answered or response is not None
        if response is None or (response[0].status_code in _TRANSIENT and not _throttled(response)):
            # It waits for some seconds. Where nothing has ever answered, the failure itself will tell it best.
            if self._answered and attempts < self._botocores_attempts:
                _tell(f"no good answer to {self._service} {operation.name} yet, trying again")
            return None
        throttled = _throttled(response)
        with self._counting:
            self._refusals = min(self._refusals + 1, 10) if throttled else max(self._refusals - 1, 0)
            longest = min(LONGEST, SHORTEST * 2 ** (self._refusals - 1))
        if not throttled or attempts >= ATTEMPTS:
            return None
        # S311: nobody is harmed who guesses it.
        delay: float = longest * random.uniform(0.5, 1)  # noqa: S311
        _tell(f"throttled: {self._service} {operation.name}, next try in {math.ceil(delay)} s")
        return delay


def _throttled(response: Any) -> bool:
    return str(response[1].get("Error", {}).get("Code", "")).removeprefix("Client.") in THROTTLED


def _tell(words: str) -> None:
    if listener := _listener.get():
        listener(words)
