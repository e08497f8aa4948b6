"""Before the real Redis: TLS and the login of caches that want one. Everything after it is the server's own.

Until somebody is logged in the front reads the commands itself, as the server cannot be told to insist: it answers
AUTH and HELLO, and refuses the rest in Redis's words. A user of an access list is made in the server with what the list
lets them do, and logged in there. Sources: "RESP protocol spec", AUTH, HELLO, "Access Control List" of Redis.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.demo.servers.front import LOGIN_PATIENCE, Tls, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.demo.servers.authority import Authority
    from ssm_tui.demo.servers.front import CacheUser, Far, Guest, Stream, TokenCheck

_DEFAULT = "default"
_MOST_WORDS, _LONGEST_WORD = 16, 16 * 1024  # what Redis takes of those who are not logged in
_WRONG = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
_NOT_YET = b"-NOAUTH Authentication required.\r\n"
_HELLO_NOT_YET = (
    b"-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
    b"<pass> option can be used to authenticate the client and select the RESP protocol version at the same time\r\n"
)


@dataclass(frozen=True, slots=True)
class RedisFront:
    """The front of one server."""

    server: tuple[str, int]
    authority: Authority
    admits: TokenCheck

    async def __call__(self, far: Far, guest: Guest) -> None:
        async with asyncio.timeout(LOGIN_PATIENCE):
            within = far.terms.tls is not Tls.NONE
            client = await guest.enter(self.authority.context(far.host) if within else None)
            server = await asyncio.open_connection(*self.server)
            try:
                if far.terms.password or far.terms.users:
                    await self._log_in(far, client, server)
            except BaseException:
                server[1].close()
                raise
        await join(client, server)

    async def _log_in(self, far: Far, client: Stream, server: Stream) -> None:
        """Answers the client until somebody is logged in. Raises EOFError where it gives up."""
        while True:
            words = await _command(client[0])
            name = words[0].upper() if words else ""
            if name == "QUIT":
                client[1].write(b"+OK\r\n")
                await client[1].drain()
                raise EOFError
            login = _login(words)
            if login is None:
                client[1].write(_HELLO_NOT_YET if name == "HELLO" else _NOT_YET)
            elif await self._admitted(far, login, server):
                if name == "AUTH":
                    client[1].write(b"+OK\r\n")
                else:
                    server[1].write(_written(_without_login(words)))
                return
            else:
                client[1].write(_WRONG)
            await client[1].drain()

    async def _admitted(self, far: Far, login: tuple[str, str], server: Stream) -> bool:
        """Whether the login is right; if so the server knows who it is, too."""
        name, password = login
        if far.terms.password:
            return name == _DEFAULT and hmac.compare_digest(password.encode(), far.terms.password.encode())
        user = next((each for each in far.terms.users if each.name == name), None)
        if user is None or not await asyncio.to_thread(self._knows, far, user, password):
            return False
        once = secrets.token_urlsafe(18)
        rights = user.access.split()
        for words in (["ACL", "SETUSER", name, "reset", *rights, f">{once}"], ["AUTH", name, once]):
            server[1].write(_written(words))
            if not (await server[0].readline()).startswith(b"+"):
                raise EOFError
        return True

    def _knows(self, far: Far, user: CacheUser, password: str) -> bool:
        if user.by_token:
            return self.admits(far, user.id, password)
        return any(hmac.compare_digest(password.encode(), each.encode()) for each in user.passwords)


def _login(words: Sequence[str]) -> tuple[str, str] | None:
    """User and password of AUTH or of HELLO; None where there are none."""
    match [words[0].upper(), *words[1:]] if words else []:
        case ["AUTH", password]:
            return _DEFAULT, password
        case ["AUTH", user, password]:
            return user, password
        case ["HELLO", _, *options]:
            for place, word in enumerate(options[:-2]):
                if word.upper() == "AUTH":
                    return options[place + 1], options[place + 2]
    return None


def _without_login(words: Sequence[str]) -> list[str]:
    place = next(place for place, word in enumerate(words) if word.upper() == "AUTH")
    return [*words[:place], *words[place + 3 :]]


async def _command(reader: asyncio.StreamReader) -> list[str]:
    """One command: an array of strings, or a line as people type it. Raises EOFError for what is neither."""
    line = (await reader.readline()).removesuffix(b"\n").removesuffix(b"\r")
    if not line.startswith(b"*"):
        if not line and reader.at_eof():
            raise EOFError
        return line.decode(errors="replace").split()
    words = []
    for _ in range(_number(line, b"*", _MOST_WORDS)):
        head = (await reader.readline()).rstrip()
        size = _number(head, b"$", _LONGEST_WORD)
        words.append((await reader.readexactly(size + 2))[:-2].decode(errors="replace"))
    return words


def _number(line: bytes, mark: bytes, most: int) -> int:
    digits = line.removeprefix(mark)
    if not line.startswith(mark) or not digits.isdigit() or int(digits[:8]) > most:
        raise EOFError
    return int(digits)


def _written(words: Sequence[str]) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
