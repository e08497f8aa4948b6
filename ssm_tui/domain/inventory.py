"""The inventory: the one owner of the nodes that are known, of every context, while pages arrive and answers change."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from ssm_tui.domain.access import NO_ANSWERS
from ssm_tui.domain.filters import Texts
from ssm_tui.domain.ordering import node_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import Node, NodeKey


class _Entry:
    """A node with what every query needs of it, made once and not at every keystroke."""

    __slots__ = ("node", "order", "texts")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.order = node_order(node)
        self.texts = Texts(node)


class Inventory:
    """Nodes by key. A read adds and replaces as its pages come; only one that came to its end removes what is gone."""

    def __init__(self) -> None:
        self._entries: dict[NodeKey, _Entry] = {}
        self._ordered: list[_Entry] | None = None  # None after nodes have come, changed or gone
        self._seen: dict[Context, set[NodeKey]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Node]:
        return (entry.node for entry in self._entries.values())

    def get(self, key: NodeKey) -> Node | None:
        """The node, while it is known."""
        entry = self._entries.get(key)
        return entry.node if entry else None

    def begin(self, context: Context) -> None:
        """A new read of the context starts; the rows of the last one stay until it has ended."""
        self._seen[context] = set()

    def add(self, nodes: Iterable[Node]) -> None:
        """Rows of a page: new ones are added, known ones replaced, keeping the access already asked for."""
        for node in nodes:
            old = self.get(node.key)
            if old is not None and node.access == NO_ANSWERS:
                node = replace(node, access=old.access)
            self._put(node)
            self._seen.setdefault(node.context, set()).add(node.key)

    def finish(self, context: Context) -> None:
        """The read came to its end: nodes of the context that it did not show are gone."""
        seen = self._seen.pop(context, set())
        for key in [key for key in self._entries if key.context == context and key not in seen]:
            del self._entries[key]
            self._ordered = None

    def learn(self, access: Mapping[NodeKey, Access]) -> None:
        """Verdicts that have come in; of nodes that are gone they are dropped."""
        for key, verdict in access.items():
            entry = self._entries.get(key)
            if entry is not None and entry.node.access != verdict:
                # The order has nothing to do with access: it is kept.
                entry.node = replace(entry.node, access=verdict)
                entry.texts = Texts(entry.node)

    def _put(self, node: Node) -> None:
        key = node.key
        known = self._entries.get(key)
        if known is None or known.node != node:
            self._entries[key] = _Entry(node)
            self._ordered = None

    def query(self, wanted: Filter) -> list[Node]:
        """The nodes that match, in a stable order: by name (nameless last), then id."""
        if self._ordered is None:
            self._ordered = sorted(self._entries.values(), key=attrgetter("order"))
        if not wanted:
            return [entry.node for entry in self._ordered]
        return [entry.node for entry in self._ordered if wanted.admits(entry.texts)]
