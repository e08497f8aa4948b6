"""Packets of MySQL's protocol, to be written and read. Pure; as "MySQL Source: Client/Server Protocol" has them.

A payload is what a packet holds after its four bytes of length and number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntFlag
from functools import reduce
from operator import or_

LOGIN_PLUGIN = "caching_sha2_password"
CLEAR_PLUGIN = "mysql_clear_password"
NONCE_LENGTH = 20
_UTF8MB4 = 255
_AUTOCOMMIT = 2
_TEXT = 0xFD  # MYSQL_TYPE_VAR_STRING


class Can(IntFlag):
    """Capabilities, of which each side says what it has."""

    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    PROTOCOL_41 = 1 << 9
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRIBUTES = 1 << 20
    LENGTHS_OF_LOGINS = 1 << 21


_EVERYTHING = reduce(or_, Can)


class PacketError(Exception):
    """Not what the protocol has at this place."""


class Refusal(Exception):  # noqa: N818 -- an answer
    """What the server does not do, with MySQL's number and state."""

    def __init__(self, code: int, state: str, words: str) -> None:
        super().__init__(words)
        self.payload = b"\xff" + code.to_bytes(2, "little") + f"#{state}{words}".encode()
        """ERR_Packet."""


@dataclass(frozen=True, slots=True)
class Login:
    """HandshakeResponse41."""

    user: str
    answer: bytes
    database: str
    plugin: str


def greeting(version: str, connection: int, nonce: bytes, *, tls: bool) -> bytes:
    """HandshakeV10, the first thing that is said."""
    can = int(_EVERYTHING if tls else _EVERYTHING & ~Can.SSL)
    low, high = can & 0xFFFF, can >> 16
    return b"".join(
        (
            b"\x0a" + version.encode() + b"\0" + connection.to_bytes(4, "little"),
            nonce[:8] + b"\0" + low.to_bytes(2, "little"),
            bytes([_UTF8MB4]) + _AUTOCOMMIT.to_bytes(2, "little") + high.to_bytes(2, "little"),
            bytes([NONCE_LENGTH + 1]) + bytes(10) + nonce[8:] + b"\0",
            LOGIN_PLUGIN.encode() + b"\0",
        )
    )


def capabilities(payload: bytes) -> Can:
    """What a client says it has, in its request for TLS and in its login alike."""
    return Can(int.from_bytes(payload[:4], "little") & _EVERYTHING)


def read_login(payload: bytes) -> Login:
    """Raises PacketError."""
    can = capabilities(payload)
    if len(payload) < 33 or not can & Can.PROTOCOL_41:
        raise PacketError
    user, rest = _until_zero(payload[32:])
    if can & Can.LENGTHS_OF_LOGINS:
        length, rest = read_number(rest)
        answer, rest = rest[:length], rest[length:]
    elif can & Can.SECURE_CONNECTION:
        end = 1 + int.from_bytes(rest[:1])
        answer, rest = rest[1:end], rest[end:]
    else:
        text, rest = _until_zero(rest)
        answer = text.encode()
    database, plugin = "", ""
    if can & Can.CONNECT_WITH_DB:
        database, rest = _until_zero(rest)
    if can & Can.PLUGIN_AUTH:
        plugin, rest = _until_zero(rest)
    return Login(user, answer, database, plugin)


def switch(plugin: str, nonce: bytes = b"") -> bytes:
    """AuthSwitchRequest: the client is to log in in another way."""
    return b"\xfe" + plugin.encode() + b"\0" + (nonce + b"\0" if nonce else b"")


FAST_AUTH_SUCCESS = b"\x01\x03"


def answers(password: str, nonce: bytes, answer: bytes) -> bool:
    """Whether `answer` is what caching_sha2_password makes of the password."""
    once = hashlib.sha256(password.encode()).digest()
    mask = hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest()
    return answer == bytes(left ^ right for left, right in zip(once, mask, strict=True))


def done() -> bytes:
    """OK without rows."""
    return b"\0\0\0" + _AUTOCOMMIT.to_bytes(2, "little") + b"\0\0"


def rows(names: list[str], values: list[str | None]) -> list[bytes]:
    """The payloads of a result of one row of texts."""
    end = b"\xfe\0\0" + _AUTOCOMMIT.to_bytes(2, "little")
    columns = [_column(name) for name in names]
    row = b"".join(b"\xfb" if value is None else _text(value) for value in values)
    return [_number(len(names)), *columns, end, row, end]


def _column(name: str) -> bytes:
    length = (1024).to_bytes(4, "little")
    fixed = b"\x0c" + _UTF8MB4.to_bytes(2, "little") + length + bytes([_TEXT]) + bytes(5)
    return _text("def") + _text("") * 3 + _text(name) * 2 + fixed


def _number(value: int) -> bytes:
    if value < 0xFB:
        return bytes([value])
    return b"\xfc" + value.to_bytes(2, "little") if value < 1 << 16 else b"\xfd" + value.to_bytes(3, "little")


def read_number(data: bytes) -> tuple[int, bytes]:
    """A length-encoded integer of at most three bytes, and what follows it. Raises PacketError."""
    if not data or data[0] in (0xFB, 0xFE, 0xFF):
        raise PacketError
    size = {0xFC: 2, 0xFD: 3}.get(data[0], 0)
    return (int.from_bytes(data[1 : 1 + size], "little"), data[1 + size :]) if size else (data[0], data[1:])


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _number(len(encoded)) + encoded


def _until_zero(data: bytes) -> tuple[str, bytes]:
    text, zero, rest = data.partition(b"\0")
    if not zero:
        raise PacketError
    return text.decode(errors="replace"), rest
