"""What the system tells of the other end of a local connection: has it been closed, has it read what it was sent.

A close and a shutdown of the sending side look the same on the wire. Linux lists every socket with its inode, which is
0 once no process holds it any more (Documentation/networking/proc_net_tcp.rst). Elsewhere, and of peers on other
machines, nobody knows: `is_gone` is False then.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

# Addresses as the socket module has them: (host, port) or (host, port, flow, scope).
Address: TypeAlias = "tuple[str, int] | tuple[str, int, int, int]"
Pair: TypeAlias = "tuple[Address, Address]"
_Key: TypeAlias = "tuple[str, str]"


class _Row(NamedTuple):
    held: bool
    """A process holds the socket."""
    unacknowledged: int
    unread: int


Table: TypeAlias = "Mapping[_Key, _Row]"


def table() -> Table:
    """Every TCP socket of this machine, by its own and its peer's address; nothing where the system does not tell."""
    rows: dict[_Key, _Row] = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split(maxsplit=10)
            sending, _, receiving = fields[4].partition(":")
            rows[fields[1], fields[2]] = _Row(fields[9] != "0", int(sending, 16), int(receiving, 16))
    return rows


def is_gone(rows: Table, pair: Pair) -> bool:
    """Whether the peer's socket is known to be closed."""
    ours, theirs = pair
    return any(row is not None and not row.held for row in (rows.get(key) for key in _keys(theirs, ours)))


def has_read_all(rows: Table, pair: Pair) -> bool:
    """Whether the peer has read all that was sent to it, the end too, so far as the system tells."""
    ours, theirs = pair
    here = next((row for row in map(rows.get, _keys(ours, theirs)) if row), None)
    there = next((row for row in map(rows.get, _keys(theirs, ours)) if row), None)
    return (here is None or not here.unacknowledged) and (there is None or not there.unread)


def text(address: Address) -> str:
    """`HOST:PORT`, with an IPv6 host in brackets."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _keys(local: Address, remote: Address) -> tuple[_Key, ...]:
    """How the system may write the connection: a client with an IPv6 socket may have dialled an IPv4 address."""
    plain = _written(local), _written(remote)
    if ":" in local[0]:
        return (plain,)
    return plain, (_written(local, mapped=True), _written(remote, mapped=True))


def _written(address: Address, *, mapped: bool = False) -> str:
    """As /proc/net/tcp has it: 32-bit words in the machine's order, in hexadecimal, then the port."""
    host, port = address[:2]
    if ":" in host:
        packed = ipaddress.IPv6Address(host.partition("%")[0]).packed
    else:
        packed = (b"\x00" * 10 + b"\xff\xff" if mapped else b"") + socket.inet_aton(host)
    words = (int.from_bytes(packed[i : i + 4], sys.byteorder) for i in range(0, len(packed), 4))
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
