"""Local ports: bound before anything is started, so that a busy one is known at once and none is lost to a race."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.domain.sessions import LOOPBACK, checked_port
from ssm_tui.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.domain.tunnels import TunnelRequest

LOOPBACK_6 = "::1"
_NEXT = 20
_FIRST_UNPRIVILEGED = 1024
_BACKLOG = 512
# Any port that both families have free: each try is one of the system's choice.
_ANY_TRIES = 50
# BSD systems, macOS among them, let one program have all addresses of a port and another a single one.
_SHARES_PORTS = platform.system() not in ("Linux", "Windows")
# On POSIX a port that a tunnel has just left is free for the next one, without waiting for TIME_WAIT; on Windows the
# same option would let any program have a port that is in use, and another one forbids that.
_SHARING: int = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)


class PortMemory(Protocol):
    """Which tunnel had which port, from run to run. Blocks briefly and never fails: what cannot be kept is not."""

    def recall(self, request: TunnelRequest) -> int | None:
        """The port that the tunnel had."""

    def keep(self, request: TunnelRequest, port: int) -> None:
        """The port that the tunnel has from now on."""

    def others(self, request: TunnelRequest) -> frozenset[int]:
        """The ports of all other tunnels: theirs again when they are opened."""


def take(request: TunnelRequest, memory: PortMemory) -> tuple[socket.socket, ...]:
    """The tunnel's sockets, listening: 127.0.0.1 first, then ::1 on the same port, then `request.bind`'s addresses.

    The port is the one that the user wants; else the one that the tunnel had, the far port's own number, or the next
    free one that is not another tunnel's. Blocks (files; the list of processes where a port is taken). Raises
    PortError where the wanted port is taken, forbidden or no port, or where `request.bind` is no address of ours.
    """
    remembered = memory.recall(request)
    addresses = _addresses(request.bind)
    if request.local_port is not None:
        sockets = _take_wanted(checked_port(request.local_port), addresses)
    else:
        sockets = _take_near(request, remembered, memory, addresses)
    port: int = sockets[0].getsockname()[1]
    # Where another instance of ours has this tunnel open, its port stays the tunnel's own.
    if port != remembered and not (remembered is not None and _is_ours(remembered)):
        memory.keep(request, port)
    return sockets


def _take_near(
    request: TunnelRequest, remembered: int | None, memory: PortMemory, addresses: tuple[_Address, ...]
) -> tuple[socket.socket, ...]:
    near = tuple(_near(request.port))
    theirs = memory.others(request)
    free = [port for port in near if port not in theirs]
    for port in ([remembered] if remembered is not None else []) + free:
        with contextlib.suppress(OSError):
            return _bound(port, addresses)
    problem: OSError | None = None
    for _ in range(_ANY_TRIES):
        try:
            return _bound(0, addresses)
        except OSError as error:
            problem = error
    raise PortError(f"no local port can be opened: {problem.strerror if problem else 'none is free'}", "retry later")


def _near(far_port: int) -> Iterator[int]:
    """The far port and the next ones; for a privileged one the same number above 8000 (80 is 8080's old habit)."""
    first = far_port if far_port >= _FIRST_UNPRIVILEGED else far_port + 8000
    yield from range(first, min(first + _NEXT, 65536))


def _take_wanted(port: int, addresses: tuple[_Address, ...]) -> tuple[socket.socket, ...]:
    try:
        return _bound(port, addresses)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise PortError(
                f"port {port} is taken by {_who_has(port)}", "choose another, or none to have one chosen"
            ) from None
        if problem.errno == errno.EACCES:
            raise PortError(f"port {port} may not be opened without privileges", "choose one from 1024 up") from None
        raise PortError(f"port {port} cannot be opened: {problem.strerror}", "choose another") from None


# -- addresses --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Address:
    """A family and what its bind takes, with the port to come: (host, port) or (host, port, flow, scope)."""

    family: socket.AddressFamily
    host: str
    rest: tuple[int, ...] = ()

    def bind(self, port: int) -> socket.socket:
        """A listening socket. Raises OSError, and PortError where the address is not ours."""
        if _SHARES_PORTS and port:
            self._try_all_addresses(port)
        listener = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            if self.family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setsockopt(socket.SOL_SOCKET, _SHARING, 1)
            listener.bind((self.host, port, *self.rest))
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except OSError as problem:
            listener.close()
            if problem.errno == errno.EADDRNOTAVAIL:
                raise PortError(f"{self.host} is no address of this machine", "give one of its own") from None
            raise
        return listener

    def _try_all_addresses(self, port: int) -> None:
        """A program that listens on all addresses would lose its loopback clients to us; the same bind as its own is
        refused. Raises OSError."""
        with socket.socket(self.family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind(("::" if self.family == socket.AF_INET6 else "0.0.0.0", port))  # noqa: S104 - never listened on


def _addresses(bind: str) -> tuple[_Address, ...]:
    """Loopback of both families, and what the user named; one that means all addresses takes its family's place."""
    found = [_Address(socket.AF_INET, LOOPBACK)]
    if _has_loopback_6():
        found.append(_Address(socket.AF_INET6, LOOPBACK_6))
    if not bind:
        return tuple(found)
    try:
        named = socket.getaddrinfo(bind, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PortError(f"{bind!r} is no address to listen on", "give one of this machine's own") from None
    for family, _, _, _, (host, _, *rest) in named:
        address = _Address(family, str(host), tuple(int(each) for each in rest) if any(rest) else ())
        if address.host in ("0.0.0.0", "::"):  # noqa: S104 - asked for by name
            found = [address if each.family == family else each for each in found]
        if address not in found:
            found.append(address)
    return tuple(found)


def _has_loopback_6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as trial:
            trial.bind((LOOPBACK_6, 0))
    except OSError:
        return False
    return True


def _bound(port: int, addresses: tuple[_Address, ...]) -> tuple[socket.socket, ...]:
    """The same port on every address, or none at all (0: any). Raises OSError, PortError."""
    sockets: list[socket.socket] = []
    with contextlib.ExitStack() as undone:
        for address in addresses:
            sockets.append(undone.enter_context(address.bind(port)))
            port = port or sockets[0].getsockname()[1]
        undone.pop_all()
    return tuple(sockets)


# -- who has a port ---------------------------------------------------------------------------------------------------


def _is_ours(port: int) -> bool:
    """Whether an instance of this program listens there."""
    pid = _listener(port)
    return pid is not None and _name(pid) == f"ssm-tui (pid {pid})"


def _who_has(port: int) -> str:
    """The program and its pid, where the system tells: it does not of other users' programs."""
    pid = _listener(port)
    return (_name(pid) if pid is not None else None) or "another program"


def _listener(port: int) -> int | None:
    """The process that listens on the port, on any address."""
    import psutil

    try:
        return next((each.pid for each in psutil.net_connections("tcp") if each.pid and _listens(each, port)), None)
    except (psutil.Error, OSError):
        pass  # macOS tells root alone; a process of one's own may be asked
    for process in psutil.process_iter():
        try:
            if any(_listens(each, port) for each in process.net_connections("tcp")):
                return process.pid
        except (psutil.Error, OSError):
            continue
    return None


def _listens(connection: Any, port: int) -> bool:
    """Of psutil's connections, whose types differ by where they come from."""
    return connection.status == "LISTEN" and bool(connection.laddr) and connection.laddr.port == port


def _name(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        words = process.cmdline()[:4]
        name = process.name()
    except (psutil.Error, OSError):
        return None
    if pid == os.getpid() or "ssm_tui" in words or any(Path(word).stem == "ssm-tui" for word in words):
        name = "ssm-tui"
    return f"{''.join(each if each.isprintable() else '?' for each in name)} (pid {pid})"
