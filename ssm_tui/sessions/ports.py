"""Local ports: bound before anything is started, so that a busy one is known at once and none is lost to a race."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from ssm_tui.domain.sessions import LOOPBACK, checked_port
from ssm_tui.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEXT = 20
_FIRST_UNPRIVILEGED = 1024


def bind(wanted: int | None, far_port: int) -> socket.socket:
    """A socket bound on loopback: to the port that the user wants, or near the far port's own number.

    Raises PortError where the wanted port is taken, forbidden or no port.
    """
    if wanted is not None:
        return _bind_wanted(checked_port(wanted))
    for port in _near(far_port):
        try:
            return _bound(port)
        except OSError:
            continue
    return _bound(0)


def _near(far_port: int) -> Iterator[int]:
    """The far port and the next ones; for a privileged one the same number above 8000 (80 is 8080's old habit)."""
    first = far_port if far_port >= _FIRST_UNPRIVILEGED else far_port + 8000
    yield from range(first, min(first + _NEXT, 65536))


def _bind_wanted(port: int) -> socket.socket:
    try:
        return _bound(port)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise PortError(
                f"port {port} on {LOOPBACK} is taken by another program", "choose another, or none to have one chosen"
            ) from None
        if problem.errno == errno.EACCES:
            raise PortError(f"port {port} may not be opened without privileges", "choose one from 1024 up") from None
        raise PortError(f"port {port} cannot be opened: {problem.strerror}", "choose another") from None


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # A port that a tunnel has just left is free for the next one, without waiting for TIME_WAIT.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(256)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
