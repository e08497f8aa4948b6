"""A MySQL server as far as the login: greeting, TLS, passwords and IAM's tokens are real, tables there are none.

A real one in a wheel is not to be had, and Debian's is no part of `make demo`. This one is what a tunnel and a
connection string are tried with; what it does not know it says in one of MySQL's own errors. Source: "MySQL Source:
Client/Server Protocol"; RDS User Guide, "IAM database authentication" for the plugin that takes tokens in clear.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ssm_tui.demo.servers import mysql_packets as packets
from ssm_tui.demo.servers.front import LOGIN_PATIENCE, Tls
from ssm_tui.demo.servers.mysql_values import Seat, select

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Iterator, Mapping

    from ssm_tui.demo.servers.authority import Authority
    from ssm_tui.demo.servers.front import Far, Guest, Stream, TokenCheck

_QUIT, _USE, _QUERY, _PING, _RESET = 0x01, 0x02, 0x03, 0x0E, 0x1F
_LONGEST = 1 << 20


@dataclass(slots=True)
class _Line:
    """Packets of one conversation, numbered; before and after it has become a stream."""

    guest: Guest
    stream: Stream | None = None
    number: int = 0

    async def enter(self, context: ssl.SSLContext | None = None) -> None:
        self.stream = await self.guest.enter(context)

    @property
    def cipher(self) -> str:
        """Empty without TLS."""
        found = self.stream[1].get_extra_info("cipher") if self.stream is not None else None
        return str(found[0]) if found else ""

    async def read(self) -> bytes:
        read = self.stream[0].readexactly if self.stream is not None else self.guest.read
        head = await read(4)
        length = int.from_bytes(head[:3], "little")
        if length > _LONGEST:
            raise EOFError
        self.number = (head[3] + 1) % 256
        return await read(length)

    async def write(self, *payloads: bytes) -> None:
        data = b""
        for payload in payloads:
            data += len(payload).to_bytes(3, "little") + bytes([self.number]) + payload
            self.number = (self.number + 1) % 256
        if self.stream is None:
            await self.guest.write(data)
        else:
            self.stream[1].write(data)
            await self.stream[1].drain()


@dataclass(frozen=True, slots=True)
class MySql:
    """The server of every endpoint of MySQL's. `passwords` by user; `token_users` log in by IAM."""

    passwords: Mapping[str, str] = field(repr=False)
    token_users: Collection[str]
    authority: Authority
    admits: TokenCheck
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(8), repr=False)

    async def __call__(self, far: Far, guest: Guest) -> None:
        line = _Line(guest)
        try:
            async with asyncio.timeout(LOGIN_PATIENCE):
                seat = await self._log_in(far, line)
            await line.write(packets.done())
            await _serve(line, seat)
        except packets.Refusal as refusal:
            await line.write(refusal.payload)
        except packets.PacketError:
            await line.write(packets.Refusal(1043, "08S01", "Bad handshake").payload)

    async def _log_in(self, far: Far, line: _Line) -> Seat:
        """Raises Refusal, PacketError."""
        number, nonce = next(self._numbers), bytes(1 + secrets.randbelow(127) for _ in range(packets.NONCE_LENGTH))
        version, tls = far.terms.version or "8.0.39", far.terms.tls
        await line.write(packets.greeting(version, number, nonce, tls=tls is not Tls.NONE))
        payload = await line.read()
        if tls is not Tls.NONE and len(payload) == 32 and packets.capabilities(payload) & packets.Can.SSL:
            await line.enter(self.authority.context(far.host))
            payload = await line.read()
        else:
            await line.enter()
        if tls is Tls.REQUIRED and not line.cipher:
            words = "Connections using insecure transport are prohibited while --require_secure_transport=ON."
            raise packets.Refusal(3159, "HY000", words)
        login = packets.read_login(payload)
        if login.user in self.token_users:
            right, said = await self._by_token(far, line, login, encrypted=bool(line.cipher))
        else:
            right, said = await self._by_password(line, login, nonce)
        if not right:
            words = f"Access denied for user '{login.user}'@'{far.client}' (using password: {'YES' if said else 'NO'})"
            raise packets.Refusal(1045, "28000", words)
        return Seat(number, login.user, far.client, login.database, version, line.cipher)

    async def _by_token(self, far: Far, line: _Line, login: packets.Login, *, encrypted: bool) -> tuple[bool, bool]:
        """Whether the login is right, and whether there was a password at all."""
        if not encrypted:
            return False, bool(login.answer)
        await line.write(packets.switch(packets.CLEAR_PLUGIN))
        token = (await line.read()).rstrip(b"\0").decode(errors="replace")
        return await asyncio.to_thread(self.admits, far, login.user, token), bool(token)

    async def _by_password(self, line: _Line, login: packets.Login, nonce: bytes) -> tuple[bool, bool]:
        answer = login.answer
        if login.plugin != packets.LOGIN_PLUGIN:
            await line.write(packets.switch(packets.LOGIN_PLUGIN, nonce))
            answer = await line.read()
        password = self.passwords.get(login.user)
        right = password is not None and packets.answers(password, nonce, answer)
        if right:
            await line.write(packets.FAST_AUTH_SUCCESS)
        return right, len(answer) > 1


async def _serve(line: _Line, seat: Seat) -> None:
    """Commands, until the client has had enough."""
    while (payload := await line.read()) and payload[0] != _QUIT:
        said = payload[1:].decode(errors="replace")
        try:
            match payload[0]:
                case command if command == _QUERY:
                    found = select(seat, said)
                    await line.write(*(packets.rows(*found) if found else [packets.done()]))
                case command if command in (_USE, _PING, _RESET):
                    seat = replace(seat, database=said) if command == _USE else seat
                    await line.write(packets.done())
                case _:
                    raise packets.Refusal(1047, "08S01", "Unknown command")
        except packets.Refusal as refusal:
            await line.write(refusal.payload)
