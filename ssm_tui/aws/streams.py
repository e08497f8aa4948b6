"""Several blocking readers at once, their items in the order in which they come. Knows no AWS."""

from __future__ import annotations

import queue
import threading
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")


class _Ended:
    """One reader has come to its end, with the exception that ended it if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


Items = queue.SimpleQueue["T | _Ended"]


def merged(readers: Sequence[Callable[[], Iterable[T]]], items: Items[T] | None = None) -> Iterator[T]:
    """The items of all readers, each run in a thread of its own; an exception in one is raised here. `items` is where
    they are put: what others put there comes in its turn too, while the readers run.

    A reader runs ahead of the one who takes its items: the next page is on its way while this one is being decoded.
    The threads are daemons, so that Ctrl-C does not wait for a read that hangs; one that is left behind when the
    consumer stops early ends with its next item.
    """
    items = queue.SimpleQueue() if items is None else items
    stopped = threading.Event()
    for reader in readers:
        # Who listens to a thread's waits (see `throttling`) listens to those of the threads that it starts.
        work = partial(copy_context().run, _run, reader, items, stopped)
        threading.Thread(target=work, name="ssm-tui-read", daemon=True).start()
    try:
        running = len(readers)
        while running:
            item = items.get()
            if not isinstance(item, _Ended):
                yield item
                continue
            running -= 1
            if item.error is not None:
                raise item.error
    finally:
        stopped.set()


def _run(reader: Callable[[], Iterable[T]], items: Items[T], stopped: threading.Event) -> None:
    try:
        for item in reader():
            if stopped.is_set():
                break
            items.put(item)
    except BaseException as error:  # noqa: BLE001 - it is raised again, in the thread that reads
        items.put(_Ended(error))
    else:
        items.put(_Ended(None))
