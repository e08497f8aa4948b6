"""The inventory: the one owner of the nodes that are known, of every context, while pages arrive and answers change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.domain.access import NO_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import Node, NodeKey


class Inventory:
    """Nodes by key. A read adds and replaces as its pages come; only one that came to its end removes what is gone."""

    def __init__(self) -> None:
        self._nodes: dict[NodeKey, Node] = {}
        self._seen: dict[Context, set[NodeKey]] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def get(self, key: NodeKey) -> Node | None:
        """The node, while it is known."""
        return self._nodes.get(key)

    def begin(self, context: Context) -> None:
        """A new read of the context starts; the rows of the last one stay until it has ended."""
        self._seen[context] = set()

    def add(self, nodes: Iterable[Node]) -> None:
        """Rows of a page: new ones are added, known ones replaced, keeping the access already asked for."""
        for node in nodes:
            old = self._nodes.get(node.key)
            if old is not None and node.access == NO_ANSWERS:
                node = replace(node, access=old.access)
            self._nodes[node.key] = node
            self._seen.setdefault(node.context, set()).add(node.key)

    def finish(self, context: Context) -> None:
        """The read came to its end: nodes of the context that it did not show are gone."""
        seen = self._seen.pop(context, set())
        gone = [key for key in self._nodes if key.context == context and key not in seen]
        for key in gone:
            del self._nodes[key]

    def learn(self, access: Mapping[NodeKey, Access]) -> None:
        """Verdicts that have come in; of nodes that are gone they are dropped."""
        for key, verdict in access.items():
            node = self._nodes.get(key)
            if node is not None:
                self._nodes[key] = replace(node, access=verdict)

    def query(self, wanted: Filter) -> list[Node]:
        """The nodes that match, in a stable order: by name (nameless last), then id."""
        found = self._nodes.values() if not wanted else (n for n in self._nodes.values() if wanted.matches(n))
        return sorted(found, key=lambda n: (not n.name, n.name.casefold(), n.id))
