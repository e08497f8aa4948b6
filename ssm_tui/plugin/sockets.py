"""Local ends of port sessions: the bound socket and the connections on it. Knows nothing of the data channel."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.plugin.handshake import PortProperties

HIGH_WATER: Final = 4 * 1024 * 1024
"""Bytes towards a local client that does not read, at which the data channel is no longer read either."""
LOW_WATER: Final = 1024 * 1024
_BACKLOG: Final = 512
# struct linger {on, seconds}: two ints, on Windows two shorts. On with 0 s, closing resets the connection.
_LINGER: Final = "hh" if sys.platform == "win32" else "ii"
_RESET, _IN_ORDER = struct.pack(_LINGER, 1, 0), struct.pack(_LINGER, 0, 0)


class ListenError(Exception):
    """The local end cannot be bound; says where and why."""


class Listener:
    """A local address, taken at once by binding, open to clients only after `listen`."""

    def __init__(self, sock: socket.socket, announcement: str, path: str = "") -> None:
        self.socket = sock
        self._announcement = announcement
        self._path = path

    @classmethod
    def bind(cls, properties: PortProperties) -> Listener:
        """Raises `ListenError`."""
        if properties.connection_type == "unix":
            return cls._bind_unix(properties.unix_socket)
        text = properties.local_port or "0"
        port = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else -1
        if not 0 <= port <= 65535:
            raise ListenError(f"{text!r} is not a local port")
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            sock.close()
            raise ListenError(f"listen tcp 127.0.0.1:{port}: bind: {_reason(error)}") from error
        return cls(sock, f"Port {sock.getsockname()[1]} opened")

    @classmethod
    def _bind_unix(cls, path: str) -> Listener:
        if sys.platform == "win32":
            raise ListenError("unix sockets are not available on this system")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(path)
            Path(path).chmod(0o600)
        except OSError as error:
            sock.close()
            raise ListenError(f"listen unix {path}: bind: {_reason(error)}") from error
        return cls(sock, f"Unix socket {path} opened", path)

    def listen(self) -> None:
        """Raises `ListenError`."""
        try:
            self.socket.listen(_BACKLOG)
        except OSError as error:
            raise ListenError(f"listen: {_reason(error)}") from error
        self.socket.setblocking(False)

    def announcement(self, session_id: str) -> str:
        return f"{self._announcement} for sessionId {session_id}.\n"

    def close(self) -> None:
        self.socket.close()
        if self._path:
            Path(self._path).unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


class Owner(Protocol):
    """Whoever carries a local connection's bytes."""

    def opened(self, connection: LocalConnection) -> None: ...
    def received(self, connection: LocalConnection, data: bytes) -> None: ...
    def input_ended(self, connection: LocalConnection) -> None: ...
    def lost(self, connection: LocalConnection, /) -> None: ...
    def congested(self, connection: LocalConnection, *, full: bool) -> None: ...


class LocalConnection(asyncio.Protocol):
    """One accepted connection. Asyncio sets TCP_NODELAY on it.

    It is reset unless it is closed in order: however the session ends, SIGKILL included, the client must not take what
    it has for all there was.
    """

    def __init__(self, owner: Owner, linger: float) -> None:
        self._owner = owner
        self._linger = linger
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._finished = False
        self.input_over = False

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._finished and not self._transport.is_closing():
            self._transport.write(data)

    def pause_reading(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None and not self.input_over:
            self._transport.resume_reading()

    def finish(self) -> None:
        """The target closed: what is buffered is delivered, then the client sees EOF. What it still sends is thrown
        away for a while (closing with unread input would reset the connection and lose the end of the answer)."""
        if self._transport is None or self._finished:
            return
        self._finished = True
        self._closes(_IN_ORDER)
        if self.input_over:
            self._transport.close()
            return
        self._transport.resume_reading()
        self._transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(self._linger, self._transport.close)

    def close(self) -> None:
        if self._transport is not None:
            self._closes(_IN_ORDER)
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._closes(_RESET)
            self._transport.abort()

    def _closes(self, how: bytes) -> None:
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is not None and sock.family == socket.AF_INET:
            with contextlib.suppress(OSError):  # closed already
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)

    def client_is_gone(self) -> bool:
        """Whether the client has closed its socket, where the system tells; after its EOF alone one cannot know."""
        if self._transport is None:
            return True
        sock = self._transport.get_extra_info("socket")
        return sock is not None and _peer_has_closed(sock)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        self._closes(_RESET)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if not self._finished:
            self._owner.received(self, data)

    def eof_received(self) -> bool:
        self.input_over = True
        if self._finished:
            self.close()
        else:
            self._owner.input_ended(self)
        return True  # keep the sending side open

    def pause_writing(self) -> None:
        self._owner.congested(self, full=True)

    def resume_writing(self) -> None:
        self._owner.congested(self, full=False)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._owner.congested(self, full=False)
        self._owner.lost(self)


def _peer_has_closed(sock: socket.socket) -> bool:
    """Linux lists the client's socket with its inode, which is 0 once no process holds it any more: that tells a close
    from a shutdown of the sending side, which look the same on the wire. Elsewhere False: nobody knows."""
    if sock.family != socket.AF_INET:
        return False
    try:
        table = Path("/proc/net/tcp").read_text(encoding="ascii")
        local, remote = _hex_address(sock.getpeername()), _hex_address(sock.getsockname())
    except OSError:
        return False
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == [local, remote]:
            return fields[9] == "0"
    return True


def _hex_address(address: tuple[str, int]) -> str:
    packed = int.from_bytes(socket.inet_aton(address[0]), sys.byteorder)
    return f"{packed:08X}:{address[1]:04X}"


async def serve(listener: Listener, factory: Callable[[], LocalConnection]) -> asyncio.Server:
    """Accepts every connection at once."""
    return await asyncio.get_running_loop().create_server(factory, sock=listener.socket, backlog=_BACKLOG)


async def accept(listener: Listener, factory: Callable[[], LocalConnection]) -> LocalConnection:
    """Accepts one connection; the next waits in the system's queue."""
    loop = asyncio.get_running_loop()
    sock, _ = await loop.sock_accept(listener.socket)
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _, connection = await loop.connect_accepted_socket(factory, sock)
    return connection
