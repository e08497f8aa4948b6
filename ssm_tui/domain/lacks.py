"""What a read of nodes was not told, and what follows for nodes and facts that it did not show. Pure."""

from __future__ import annotations

from enum import Enum
from typing import Final

from ssm_tui.domain.kinds import NodeKind, kind_of


class Lack(Enum):
    """A list that could not be read, or not to its end."""

    MANAGED = "the nodes that SSM knows"
    INSTANCES = "EC2's instances"
    CONTAINERS = "ECS's containers"
    TAGS = "the tags of hybrid nodes"


Lacks = frozenset[Lack]
EVERYTHING: Final[Lacks] = frozenset(Lack)
NOTHING: Final[Lacks] = frozenset()

# Who tells that a node is there. An instance that SSM alone knows is none that EC2 has any more.
_ROWS = {
    NodeKind.EC2: frozenset({Lack.INSTANCES}),
    NodeKind.HYBRID: frozenset({Lack.MANAGED}),
    NodeKind.ECS: frozenset({Lack.CONTAINERS}),
}
_FACTS = {
    NodeKind.EC2: frozenset({Lack.INSTANCES, Lack.MANAGED}),
    NodeKind.HYBRID: frozenset({Lack.MANAGED, Lack.TAGS}),
    NodeKind.ECS: frozenset({Lack.CONTAINERS}),
}


def may_be_there(node_id: str, lacks: Lacks) -> bool:
    """Whether a node that was not shown may be there all the same."""
    return not _ROWS[kind_of(node_id)].isdisjoint(lacks)


def may_have_more(node_id: str, lacks: Lacks) -> bool:
    """Whether what was not said of a node that was shown may hold all the same."""
    return not _FACTS[kind_of(node_id)].isdisjoint(lacks)


def is_unmanaged(node_id: str, lacks: Lacks) -> bool:
    """Whether an instance that was not shown is none that SSM knows."""
    return kind_of(node_id) is NodeKind.EC2 and Lack.MANAGED not in lacks
