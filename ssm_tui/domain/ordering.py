"""The order in which people look for names: numbers in them by their value, so that web-2 stands before web-10."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node

# Longer numbers are no counters, and int() refuses thousands of digits.
_NUMBER = re.compile(r"([0-9]{1,18})")

Order = tuple[object, ...]


def natural(text: str) -> Order:
    """A sort key: texts and numbers take turns, so that like is always compared with like."""
    return tuple(int(part) if at % 2 else part for at, part in enumerate(_NUMBER.split(text.casefold())))


def node_order(node: Node) -> Order:
    """By name, the nameless last; what has the same name by id, and by context."""
    return not node.name, natural(node.name), node.id, *_context_order(node.context)


def database_order(database: Database) -> Order:
    """By id, and by context."""
    return natural(database.id), database.id, *_context_order(database.context)


def _context_order(context: Context) -> tuple[str, str]:
    return context.profile or "", context.region
