"""The stub's wire: HTTP on loopback in a thread of its own; what is not the list's goes on to another endpoint."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.wire.fleet import REGION, Fleet
from tests.wire.plan import Plan, Trouble
from tests.wire.service import Answer, Service, call_of, empty, troubled

KEY = "AKIAWIRESTUB00000001"
_HEAD = "HTTP/1.1 {status} Told\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nx-amzn-RequestId: 8f77\r\n\r\n"


def environment(url: str, key: str = KEY) -> dict[str, str]:
    """What leads a program to a stub, and keeps its user's own set-up out."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "wire",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


class Wire:
    """A running stub; a context manager.

    `fleet` is what every caller sees but those whose access keys `fleets` names. Calls that are not the list's are
    answered with nothing, or by the endpoint `behind` (a demo cloud, say), which must know the caller's keys.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        latency: float = 0.0,
        behind: str = "",
        fleets: Mapping[str, Fleet] | None = None,
    ) -> None:
        self.fleet = fleet
        self.plan = Plan(latency)
        self.url = ""
        self._behind = behind
        self._service = Service(fleet, self.plan)
        self._services = {key: Service(each, self.plan) for key, each in (fleets or {}).items()}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._clients: set[asyncio.Task[None]] = set()

    def environment(self, key: str = KEY) -> dict[str, str]:
        """What leads a program here, and keeps its user's own set-up out."""
        return environment(self.url, key)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.plan.reset()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _close(self) -> None:
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the stub ends
        finally:
            self._clients.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        call = call_of(headers, body)
        trouble, gates, wait = self.plan.meet(call)
        await asyncio.sleep(wait)
        for gate in gates:
            gate.reached.set()
            while not gate.opened.is_set():
                await asyncio.sleep(0.002)
        if trouble is None or trouble is Trouble.CUT:
            answer = self._services.get(call.access_key, self._service).answer(call)
        else:
            answer = troubled(call, trouble)
        if answer is None and self._behind:
            writer.write(await _forwarded(self._behind, head, body))
            await writer.drain()
            return False
        return await _written(writer, answer or empty(call), cut=trouble is Trouble.CUT)


async def _written(writer: asyncio.StreamWriter, answer: Answer, *, cut: bool) -> bool:
    head = _HEAD.format(status=answer.status, kind=answer.kind, length=len(answer.body)).encode()
    writer.write(head)
    writer.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
    await writer.drain()
    return not cut


async def _forwarded(url: str, head: bytes, body: bytes) -> bytes:
    """The answer of the endpoint behind, to the request as it came: its signature holds for the host that it names."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
