"""Before the real PostgreSQL: TLS, logins by IAM, and RDS's refusals. Everything else is the server's own.

The server itself tells who logs in by IAM: it asks members of `rds_iam` alone for their password in clear, and the
front then asks the client for the token, as RDS does by way of PAM, and answers the server with the password that it
alone knows. Message formats: PostgreSQL, "Frontend/Backend Protocol"; the words of refusals are those of its auth.c.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.demo.servers.front import LOGIN_PATIENCE, Tls, join

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ssm_tui.demo.servers.authority import Authority
    from ssm_tui.demo.servers.front import Far, Guest, Stream, TokenCheck

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_LONGEST_STARTUP = 10_000  # MAX_STARTUP_PACKET_LENGTH
_LONGEST_MESSAGE = 64 * 1024  # before the login; a token has 1,600 bytes at most
_ASKS_IN_CLEAR = b"R\x00\x00\x00\x08\x00\x00\x00\x03"
_NEGOTIATES_VERSION = b"v"


@dataclass(frozen=True, slots=True)
class PostgresFront:
    """The front of one server. `secret` is what it asks of those who log in by IAM."""

    server: Callable[[], tuple[str, int]]
    secret: str
    authority: Authority
    admits: TokenCheck

    async def __call__(self, far: Far, guest: Guest) -> None:
        async with asyncio.timeout(LOGIN_PATIENCE):
            ways = await self._log_in(far, guest)
        if ways is not None:
            await join(*ways)

    async def _log_in(self, far: Far, guest: Guest) -> tuple[Stream, Stream] | None:
        """Client and server when they have only to be passed each other's bytes; None when it is all over."""
        packet, client, encrypted = await self._started(far, guest)
        parameters = _parameters(packet)
        if far.terms.tls is Tls.REQUIRED and not encrypted and not _cancels(packet):
            await _refuse(client, "28000", f"no pg_hba.conf entry for {_who(far, parameters)}, no encryption")
            return None
        server = await asyncio.open_connection(*self.server())
        try:
            server[1].write(packet)
            if _cancels(packet):
                await server[1].drain()
                await server[0].read()
            elif await self._pass_login(far, parameters, client, server, encrypted=encrypted):
                return client, server
        except BaseException:
            server[1].close()
            raise
        server[1].close()
        return None

    async def _started(self, far: Far, guest: Guest) -> tuple[bytes, Stream, bool]:
        """The client's startup packet, the way to it, and whether that is within TLS."""
        while True:
            packet = await _startup(guest.read)
            match int.from_bytes(packet[4:8]):
                case code if code == _SSL_REQUEST and far.terms.tls is not Tls.NONE:
                    await guest.write(b"S")
                    client = await guest.enter(self.authority.context(far.host))
                    return await _startup(client[0].readexactly), client, True
                case code if code in (_SSL_REQUEST, _GSS_REQUEST):
                    await guest.write(b"N")
                case _:
                    return packet, await guest.enter(), False

    async def _pass_login(
        self, far: Far, parameters: dict[str, str], client: Stream, server: Stream, *, encrypted: bool
    ) -> bool:
        """Passes the server's first word on, or answers it where it is about IAM; whether the login may go on."""
        message = await _message(server[0])
        while message.startswith(_NEGOTIATES_VERSION):
            client[1].write(message)
            message = await _message(server[0])
        if message != _ASKS_IN_CLEAR:
            client[1].write(message)
            await client[1].drain()
            return True
        user = parameters.get("user", "")
        if not encrypted:
            await _refuse(client, "28000", f"pg_hba.conf rejects connection for {_who(far, parameters)}, no encryption")
            return False
        client[1].write(_ASKS_IN_CLEAR)
        answer = await _message(client[0])
        token = answer[5:].rstrip(b"\0").decode(errors="replace")
        if answer[:1] != b"p" or not await asyncio.to_thread(self.admits, far, user, token):
            await _refuse(client, "28000", f'PAM authentication failed for user "{user}"')
            return False
        server[1].write(_framed(b"p", self.secret.encode() + b"\0"))
        return True


async def _startup(read: Callable[[int], Awaitable[bytes]]) -> bytes:
    """A packet as clients send before they are known: without a type."""
    length = int.from_bytes(head := await read(4))
    if not 8 <= length <= _LONGEST_STARTUP:
        raise EOFError
    return head + await read(length - 4)


def _cancels(packet: bytes) -> bool:
    return int.from_bytes(packet[4:8]) == _CANCEL_REQUEST


def _parameters(packet: bytes) -> dict[str, str]:
    """The names and values of a startup packet."""
    words = packet[8:].decode(errors="replace").split("\0")
    return dict(zip(words[::2], words[1::2], strict=False))


def _who(far: Far, parameters: dict[str, str]) -> str:
    user = parameters.get("user", "")
    return f'host "{far.client}", user "{user}", database "{parameters.get("database", user)}"'


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One whole message: its type, its length, its content."""
    head = await reader.readexactly(5)
    length = int.from_bytes(head[1:])
    if not 4 <= length <= _LONGEST_MESSAGE:
        raise EOFError
    return head + await reader.readexactly(length - 4)


async def _refuse(client: Stream, code: str, words: str) -> None:
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": words}
    client[1].write(_framed(b"E", "".join(f"{key}{value}\0" for key, value in fields.items()).encode() + b"\0"))
    await client[1].drain()


def _framed(kind: bytes, content: bytes) -> bytes:
    return kind + (len(content) + 4).to_bytes(4) + content
