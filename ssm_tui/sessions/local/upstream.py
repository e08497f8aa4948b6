"""The seam between a tunnel's local end and its sessions: where a client's bytes go, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from contextlib import AbstractAsyncContextManager


class Upstream(Protocol):
    """A session's local port."""

    carried: int
    """Bytes that have passed, both ways: the listener counts it up."""
    held: int
    """How many of its clients do not take what has come for them now: behind one that never reads the whole session
    comes to a stand. The listener counts."""

    @property
    def host(self) -> str:
        """Where it listens."""

    @property
    def port(self) -> int:
        """Where it listens."""

    @property
    def lost(self) -> asyncio.Future[None]:
        """Settled (or cancelled) once the session is gone."""


class Upstreams(Protocol):
    """Gives each client its upstream."""

    def __call__(self) -> AbstractAsyncContextManager[Upstream]:
        """Entering waits for a session, as long as its owner finds good; it raises TimeoutError or SessionError where
        there will be none: the client is reset. It is left once the client no longer needs the session, and cancelled
        where the client has gone before it had one."""
