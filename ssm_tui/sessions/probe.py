"""Was the far end reached? One short exchange through a tunnel, as the engine behind it expects.

A connection to a plugin's port proves nothing: the plugin accepts first and dials later. So the probe waits for a byte
that only the far server can have sent, and says goodbye in the protocol's own way where it has one.
"""

from __future__ import annotations

import asyncio
import ssl
from enum import Enum
from typing import TYPE_CHECKING

from ssm_tui.domain.databases import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.domain.tunnels import TunnelRequest

# PostgreSQL's SSLRequest: length 8, code 80877103. Answered with one byte, before any authentication, and not logged.
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


class Reached(Enum):
    """What became of a probe."""

    YES = "the far end answered"
    CLOSED = "the connection was closed without a word"
    SILENT = "no answer in time"


def client_hello() -> bytes:
    """The first message of a TLS client. Whatever comes back, an alert too, comes from the far end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is said beyond this message
    said = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    except ssl.SSLWantReadError:
        return said.read()
    raise AssertionError("a handshake that nobody answered cannot end")


# What is said first; MySQL's server speaks first.
_GREETINGS: Mapping[Family, Callable[[], bytes]] = {
    Family.POSTGRES: lambda: SSL_REQUEST,
    Family.REDSHIFT: lambda: SSL_REQUEST,
    Family.MYSQL: bytes,
    Family.REDIS: lambda: b"PING\r\n",
    Family.HTTPS: client_hello,
}


# These begin with TLS where they have it; PostgreSQL and MySQL begin in clear.
_BEGIN_WITH_TLS = (Family.REDIS, Family.MEMCACHED, Family.MONGO)


def spoken(request: TunnelRequest) -> Family:
    """How to begin with the far end: as its family does, or with TLS where its database takes nothing else."""
    within = request.database is not None and request.database.tls is True
    return Family.HTTPS if within and request.family in _BEGIN_WITH_TLS else request.family


async def probe(family: Family, host: str, port: int, patience: float, quiet: float) -> Reached:
    """Dials host:port and waits for the far server, at most `patience` seconds, or `quiet` ones where its protocol is
    not known and nothing but a refusal is expected. Raises OSError where the dial fails."""
    reader, writer = await asyncio.open_connection(host, port)
    greeting = _GREETINGS.get(family)
    try:
        if greeting is not None:
            writer.write(greeting())
        async with asyncio.timeout(quiet if greeting is None else patience):
            return Reached.YES if await reader.read(1) else Reached.CLOSED
    except TimeoutError:
        return Reached.YES if greeting is None else Reached.SILENT
    except ConnectionResetError:
        return Reached.CLOSED
    finally:
        writer.close()
