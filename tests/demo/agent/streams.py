"""The client's end of smux for the tests: streams over a test client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.plugin.framing import PayloadType
from ssm_tui.plugin.smux import MAX_DATA, Command, Decoder, Frame, client_stream_ids, encode

if TYPE_CHECKING:
    from tests.demo.agent.client import Client


class Streams:
    """Decodes what the client receives; `data` and `ended` by stream."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = client_stream_ids()
        self._decoder = Decoder()
        self.data: dict[int, bytearray] = {}
        self.ended: set[int] = set()
        self.beats = 0

    async def open(self) -> int:
        number = next(self._numbers)
        self.data[number] = bytearray()
        await self._send(Frame(Command.SYN, number))
        return number

    async def write(self, number: int, data: bytes) -> None:
        for start in range(0, len(data), MAX_DATA):
            await self._send(Frame(Command.PSH, number, data[start : start + MAX_DATA]))

    async def finish(self, number: int) -> None:
        await self._send(Frame(Command.FIN, number))

    async def read(self, number: int, size: int, patience: float = 20) -> bytes:
        """Waits for `size` bytes of the stream, and takes them."""
        await self._client.wait(lambda: self._sort() and len(self.data[number]) >= size, patience)
        taken = bytes(self.data[number][:size])
        del self.data[number][:size]
        return taken

    async def until_ended(self, number: int, patience: float = 20) -> bytes:
        """Waits for the FIN of the stream; returns what is left of it."""
        await self._client.wait(lambda: self._sort() and number in self.ended, patience)
        return bytes(self.data[number])

    def _sort(self) -> bool:
        arrived = self._client.output.pop(PayloadType.OUTPUT, b"")
        for frame in self._decoder.feed(bytes(arrived)):
            if frame.command == Command.PSH:
                self.data[frame.stream_id] += frame.data
            elif frame.command == Command.FIN:
                self.ended.add(frame.stream_id)
            elif frame.command == Command.NOP:
                self.beats += 1
        return True

    async def _send(self, frame: Frame) -> None:
        await self._client.send(encode(frame))
