"""Stdin as a stream of input messages for shells and stdio sessions: read only as fast as the far side takes it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ssm_tui.plugin.framing import PayloadType
from ssm_tui.plugin.handler import MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.limits import Limits

_READ = 16 * 1024


class Keyboard:
    """One reader of a descriptor. The descriptor's own mode is left alone: it is shared with other processes."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._pollable = True  # regular files and /dev/null are not: a read of them never waits

    async def read(self) -> bytes:
        """What is there, b"" at the end of input."""
        if self._pollable:
            await self._readable()
        if not self._pollable:
            await asyncio.sleep(0)
        try:
            return os.read(self._descriptor, _READ)
        except BlockingIOError:  # somebody made the descriptor non-blocking, and another process was quicker
            return await self.read()
        except OSError:  # closed, or the terminal is gone
            return b""

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        try:
            loop.add_reader(self._descriptor, wake)
        except (PermissionError, ValueError):
            self._pollable = False
            return
        except OSError:  # no such descriptor: the read says so
            return
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)

    async def feed(self, channel: DataChannel, fix: Callable[[bytes], bytes]) -> None:
        """Sends everything up to the end of input, in messages of at most 1024 bytes."""
        while data := await self.read():
            for start in range(0, len(data), MESSAGE_BYTES):
                await channel.room()
                channel.send(PayloadType.OUTPUT, fix(data[start : start + MESSAGE_BYTES]))


async def answer_over(channel: DataChannel, received: Callable[[], int], limits: Limits) -> None:
    """After the end of input: waits until everything sent has arrived and the far side has fallen silent, bounded."""
    try:
        async with asyncio.timeout(limits.after_eof):
            await channel.drained()
            before = -1
            while before != received():
                before = received()
                await asyncio.sleep(limits.quiet)
    except TimeoutError:
        return
