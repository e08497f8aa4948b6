"""How the list of nodes is to stand, and how it stands: order, pins, groups, what is left out. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.nodes import Node


@dataclass(frozen=True, slots=True)
class Sort:
    """By a field of NODE_FIELDS, else by the tag of this key. Nodes without the value come last either way; what has
    the same value stands by name and id."""

    by: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the user wants the list. `pins` are ids of nodes that stand on top of all others, out of any group, and that
    a filter leaves out like any other. `group` is a tag's key; `folded` are values of it whose nodes are not listed."""

    sort: Sort = Sort("name")
    group: str | None = None
    folded: frozenset[str] = frozenset()
    pins: frozenset[str] = frozenset()
    unmanaged: bool = False
    """Whether nodes that cannot take sessions now because SSM does not know them are listed too."""


@dataclass(frozen=True, slots=True)
class Group:
    """The heading of the nodes that have the same value of the tag; "" is that of those without it."""

    tag: str
    value: str
    count: int
    folded: bool = False

    @property
    def id(self) -> str:
        """No node's: rows are looked for by their ids."""
        return ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one context: how many nodes are listed, how many there are, and how many of those are unmanaged."""

    shown: int
    total: int
    unmanaged: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What the table shows, in its order. Nodes of folded groups are counted, not listed."""

    rows: Sequence[Node | Group]
    counts: Mapping[Context, Counts]
