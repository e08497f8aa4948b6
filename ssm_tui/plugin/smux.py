"""smux version 1 frames, the multiplexer inside a port session's byte stream: pure, without I/O, for both ends.

Eight bytes of header, little-endian: version, command, length of the data, stream id; then the data. Client streams are
3, 5, 7, … . There is no half-close and no window: FIN ends a stream in both directions.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
HEADER_SIZE = 8
MAX_DATA = 32768
"""Bytes of data in the largest frame that smux sends (its MaxFrameSize); the length field alone allows 65535."""
KEEPALIVE_SECONDS = 10.0
"""Seconds between NOPs where keep-alive is on; the other end gives up after 30 without any frame."""

_HEADER = struct.Struct("<BBHI")


class SmuxError(ValueError):
    """A byte stream that is not smux version 1; nothing after it can be trusted."""


class Command(IntEnum):
    SYN = 0
    FIN = 1
    PSH = 2
    NOP = 3


@dataclass(frozen=True, slots=True)
class Frame:
    command: Command
    stream_id: int
    data: bytes = b""


def encode(frame: Frame) -> bytes:
    """The bytes of a frame. Raises `SmuxError` for more data than a frame holds."""
    if len(frame.data) > MAX_DATA:
        raise SmuxError(f"{len(frame.data)} bytes in one frame")
    return _HEADER.pack(VERSION, frame.command, len(frame.data), frame.stream_id) + frame.data


def client_stream_ids() -> Iterator[int]:
    return count(3, 2)


class Decoder:
    """Cuts a byte stream into frames. Holds at most one unfinished frame, so at most 64 kB."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def buffered(self) -> int:
        return len(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order. Raises `SmuxError`."""
        buffer = self._rest + data if self._rest else data
        frames = []
        start, end = 0, len(buffer)
        while end - start >= HEADER_SIZE:
            version, command, length, stream_id = _HEADER.unpack_from(buffer, start)
            if version != VERSION or command > Command.NOP:
                raise SmuxError(f"version {version}, command {command} where a frame should begin")
            stop = start + HEADER_SIZE + length
            if stop > end:
                break
            frames.append(Frame(Command(command), stream_id, buffer[start + HEADER_SIZE : stop]))
            start = stop
        self._rest = buffer[start:]
        return frames
