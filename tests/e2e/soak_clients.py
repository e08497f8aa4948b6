"""Clients of a tunnel to an echo server, for the soak: one that streams and checks every byte, many that dial once."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

BLOCK = 1024
_WINDOW = 64 * BLOCK  # on the way at any time: a cut always finds some
_PACE = 0.002
_AFTERWARDS = 0.1  # in which bytes that come twice would come
_DIAL_EVERY = 0.1


def block(number: int) -> bytes:
    return number.to_bytes(8, "big") * (BLOCK // 8)


@dataclass
class Stream:
    """One connection: numbered blocks there and back, until `finish` or its end."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    doubled: int = 0
    garbled: int = 0
    reset_at: float | None = None
    ended_at: float | None = None
    stall: float = 0.0
    """The longest time without a byte since `cut`."""
    _next: int = 0
    _last: float = 0.0
    _writer: asyncio.StreamWriter | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()
    _finishing: bool = False

    @property
    def over(self) -> bool:
        return self.reset_at is not None or self.ended_at is not None

    async def open(self, port: int) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._tasks = (asyncio.create_task(self._write()), asyncio.create_task(self._read(reader)))
        await self.passed(256)

    async def passed(self, blocks: int, patience: float = 30.0) -> None:
        """Waits until so many more blocks have come back, or it is over."""
        wanted = self.received + blocks * BLOCK
        async with asyncio.timeout(patience):
            while self.received < wanted and not self.over:
                await asyncio.sleep(_PACE)

    def cut(self) -> None:
        """From now on the longest silence is measured."""
        self._last, self.stall = self._now(), 0.0

    async def finish(self, patience: float = 30.0) -> None:
        """Sends no more and waits until all has come back, if it still stands; then counts what has not."""
        self._finishing = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while self.received < self.sent and not self.over and loop.time() < deadline:
            await asyncio.sleep(_PACE)
        if self.reset_at is None:
            await asyncio.wait(self._tasks, timeout=_AFTERWARDS)
            self.lost += max(0, self.sent - self._next * BLOCK)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def until_reset(self, patience: float) -> bool:
        """Whether it is reset in time. One that ends in order instead tells its client that the answer is complete."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while not self.over and loop.time() < deadline:
            await asyncio.sleep(_PACE)
        return self.reset_at is not None

    async def _write(self) -> None:
        assert self._writer is not None
        try:
            while not self._finishing:
                while self.sent - self.received < _WINDOW:
                    self._writer.write(block(self.sent // BLOCK))
                    await self._writer.drain()
                    self.sent += BLOCK
                await asyncio.sleep(_PACE)
        except OSError:
            self.reset_at = self.reset_at or self._now()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        try:
            while data := await reader.read(65536):
                self._note(len(data))
                rest += data
                while len(rest) >= BLOCK:
                    self._check(rest[:BLOCK])
                    rest = rest[BLOCK:]
            self.ended_at = self._now()
        except OSError:
            self.reset_at = self.reset_at or self._now()
        self.garbled += 0 if block(self._next).startswith(rest) else len(rest)

    def _note(self, size: int) -> None:
        now = self._now()
        if self._last:
            self.stall = max(self.stall, now - self._last)
            self._last = now
        self.received += size

    def _check(self, came: bytes) -> None:
        """Compares a whole block with the one that is next."""
        number = int.from_bytes(came[:8], "big")
        if came != block(number):
            self.garbled += BLOCK
        elif number < self._next:
            self.doubled += BLOCK
        else:
            self.lost += (number - self._next) * BLOCK
            self._next = number + 1

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Dialling:
    """Clients that dial one after another while something is wrong; each says a word and wants it back."""

    port: int
    doomed: Callable[[], bool]
    """Whether who dials now may be carried by a session that cannot survive, and be caught by its end."""
    dialled: int = 0
    refused: int = 0
    caught: int = 0
    unserved: int = 0
    first_served: float = 0.0
    _dials: set[asyncio.Task[None]] = field(default_factory=set)

    async def until_served(self, patience: float) -> bool:
        """Dials until one that began after the call is served. The others are waited for too."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while not self.first_served and loop.time() < deadline:
            self._dials.add(asyncio.create_task(self._dial()))
            await asyncio.wait(self._dials, timeout=_DIAL_EVERY)
            if not self.first_served:
                await asyncio.sleep(_DIAL_EVERY / 2)
        _, late = await asyncio.wait(self._dials, timeout=max(deadline - loop.time(), 1.0))
        for dial in late:
            dial.cancel()
        self.unserved += len(late)
        await asyncio.gather(*self._dials, return_exceptions=True)
        return bool(self.first_served)

    async def _dial(self) -> None:
        self.dialled += 1
        doomed, word = self.doomed(), os.urandom(16)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            self.refused += 1
            return
        try:
            writer.write(word)
            answer = await reader.readexactly(len(word))
        except (OSError, asyncio.IncompleteReadError):
            if doomed:
                self.caught += 1
            else:
                self.unserved += 1
            return
        finally:
            writer.close()
        if answer == word:
            self.first_served = self.first_served or asyncio.get_running_loop().time()
        else:
            self.unserved += 1
