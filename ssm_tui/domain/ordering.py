"""The order in which people look for things: numbers in texts and addresses by their value, states as they matter.

Orders of texts are texts themselves, made once a row: comparing two costs 20 ns, where tuples of their parts took 200.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.nodes import Ping

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node

# Longer numbers are no counters: they are compared in pieces.
_NUMBER = re.compile(r"0*([0-9]{1,18})")
# A number stands before any letter, and one of fewer digits before one of more.
_NUMBERED = tuple(f"\x01{chr(digits)}" for digits in range(19))
_END = "\x00"  # before all that may follow a shorter text

_IPV4 = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})")

Order = str


def natural(text: str) -> Order:
    """A sort key by which web-2 stands before web-10."""
    return _NUMBER.sub(_by_value, text.casefold())


def _by_value(found: re.Match[str]) -> str:
    digits = found[1]
    return _NUMBERED[len(digits)] + digits


def node_order(node: Node) -> Order:
    """By name, the nameless last; what has the same name by id, and by context."""
    name = f"0{natural(node.name)}" if node.name else "1"
    return f"{name}{_END}{node.id}{_END}{_context_order(node.context)}"


def database_order(database: Database) -> Order:
    """By id; what has the same by context, and by service and endpoint."""
    id_, (context, key) = database.id, database.key
    return f"{natural(id_)}{_END}{id_}{_END}{_context_order(context)}{_END}{key}"


def _context_order(context: Context) -> str:
    return f"{context.profile or ''}{_END}{context.region}"


# What nodes can be sorted by, beside fields and tags.
TIMES: dict[str, Callable[[Node], datetime | None]] = {
    "last_ping": lambda node: node.last_ping,
    "launched": lambda node: node.launched,
}

_PINGS = {ping.value: place for place, ping in enumerate(Ping) if ping is not Ping.UNKNOWN}


def natural_or_none(text: str | None) -> Order | None:
    """A sort key; None where there is nothing to compare."""
    return natural(text) if text else None


def value_order(name: str, texts: tuple[str, ...]) -> Any:
    """What values of a field are compared by; None where there is nothing to compare."""
    if not texts:
        return None
    match name:
        case "id":  # hexadecimal: numbers in it count nothing
            return texts[0]
        case "ping":
            return _PINGS.get(texts[0])
        case "access":
            return _access_order(texts)
        case "ip":
            return _address_order(texts[0])
        case "os":  # as the list shows it: the system, else its family
            return natural(texts[-1])
        case _:
            return natural(" ".join(texts))


def _access_order(terms: tuple[str, ...]) -> tuple[bool, ...] | None:
    """Those first that allow more, a shell above all; what is not known last."""
    allowed = tuple(kind.value not in terms for kind in SessionKind)
    return None if all(allowed) and Verdict.DENIED.value not in terms else allowed


def _address_order(text: str) -> tuple[int, int | str]:
    """IPv4, IPv6, and what is neither."""
    if found := _IPV4.fullmatch(text):  # several times as fast as ipaddress
        a, b, c, d = map(int, found.groups())
        return 4, a << 24 | b << 16 | c << 8 | d
    try:
        return 6, int(IPv6Address(text))
    except ValueError:
        return 7, natural(text)
