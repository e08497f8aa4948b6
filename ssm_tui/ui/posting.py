"""How a thread that reads tells what it has read: by messages, as long as somebody wants them, no faster than they are
taken in."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK = 0.2  # seconds between two looks whether somebody still wants what has not been taken yet


class Told(Message):
    """Something that a read tells. Once the read is stopped it does not count, even where it is on its way already."""

    stopped: threading.Event | None = None

    @property
    def counts(self) -> bool:
        """Whether its read goes on, or went to its end."""
        return self.stopped is None or not self.stopped.is_set()


@dataclass
class Portion(Told):
    """As much as the UI's thread takes in within a few milliseconds. The next one is posted only when this one has been
    taken, so that keys come between."""

    taken: threading.Event = field(default_factory=threading.Event, compare=False, repr=False, kw_only=True)


class Posts:
    """Where the messages of all reads go."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._closed = threading.Event()
        self._door = threading.Lock()

    @property
    def closed(self) -> bool:
        """Nobody listens any more."""
        return self._closed.is_set()

    def close(self) -> None:
        """No message is posted any more."""
        self._closed.set()

    def posting(self, stopped: threading.Event | None = None, heard: Callable[[], object] = bool) -> Posting:
        """For one read, until it is `stopped`; `heard` is called whenever it gets on."""
        return Posting(self, stopped or threading.Event(), heard)

    def post(self, message: Message) -> None:
        """As it is."""
        self._post(message)

    def enter(self) -> threading.Lock:
        """One portion at a time, of whatever read."""
        return self._door


class Posting:
    """Posts for one read. False when there is nobody left to tell, and so no reason to read on."""

    def __init__(self, posts: Posts, stopped: threading.Event, heard: Callable[[], object]) -> None:
        self._posts, self._stopped, self._heard = posts, stopped, heard

    def __call__(self, message: Message) -> bool:
        self._heard()
        if not self._wanted():
            return False
        if isinstance(message, Told):
            message.stopped = self._stopped
        self._posts.post(message)
        return True

    def portion(self, portion: Portion) -> bool:
        """The same, and waits until the portion has been taken in."""
        with self._posts.enter():
            told = self(portion)
            while told and not portion.taken.wait(LOOK):
                told = self._wanted()
            return told

    def _wanted(self) -> bool:
        return not (self._stopped.is_set() or self._posts.closed)
