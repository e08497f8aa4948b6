"""The inventory: the one owner of the nodes that are known, of every context, while pages arrive and answers change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.access import NO_ANSWERS
from ssm_tui.domain.listing import Arrangement, Counts, Listing
from ssm_tui.domain.matching import Texts
from ssm_tui.domain.nodes import Ping
from ssm_tui.domain.ordering import node_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import Node, NodeKey


AS_THEY_ARE = Arrangement()


class _Entry:
    """A node with what every query needs of it, made once and not at every keystroke."""

    __slots__ = ("node", "order", "texts")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.order = node_order(node)
        self.texts = Texts(node)


# What a page may leave out because another source of the same read tells it.
_FACTS = (
    "account", "state", "platform", "os", "agent_version", "ip", "vpc", "subnet", "az", "role", "instance_type",
    "launched", "security_groups", "tags",
)  # fmt: skip


def fuller(node: Node, old: Node) -> Node:
    """The node with what was known of it before where the page does not say: a read tells tags after pings or pings
    after tags, and where one of the two is refused, what it told the last time is still the best that is known."""
    kept: dict[str, Any] = {name: fact for name in _FACTS if not getattr(node, name) and (fact := getattr(old, name))}
    if node.ping is Ping.UNKNOWN and old.ping is not Ping.UNKNOWN:
        kept |= {"ping": old.ping, "last_ping": old.last_ping}
    if "tags" in kept and (name := old.tags.get("Name")):
        kept["name"] = name
    elif not node.name and old.name:
        kept["name"] = old.name
    return replace(node, **kept) if kept else node


def _with_access(node: Node, old: Node) -> Node:
    """The node with the access already asked for."""
    return node if node.access != NO_ANSWERS or node.access == old.access else replace(node, access=old.access)


class Inventory:
    """Nodes by key. A read adds and replaces as its pages come; only one that came to its end removes what is gone, of
    nodes and of what was known of them."""

    def __init__(self) -> None:
        self._entries: dict[NodeKey, _Entry] = {}
        self._ordered: list[_Entry] | None = None  # None after nodes have come, changed or gone
        self._seen: dict[Context, set[NodeKey]] = {}
        self._poorer: dict[NodeKey, Node] = {}  # what this read has told of nodes that are shown with more

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Node]:
        return (entry.node for entry in self._entries.values())

    def get(self, key: NodeKey) -> Node | None:
        """The node, while it is known."""
        entry = self._entries.get(key)
        return entry.node if entry else None

    def seen(self, key: NodeKey) -> bool:
        """A page of the read that is under way, or of one that failed, has told of it."""
        return key in self._seen.get(key.context, ())

    def begin(self, context: Context) -> None:
        """A new read of the context starts; the rows of the last one stay until it has ended."""
        self._seen[context] = set()
        self._forget_poorer(context)

    def add(self, nodes: Iterable[Node]) -> None:
        """Rows of a page: new ones are added, known ones replaced, keeping what the page does not say."""
        for node in nodes:
            key, old = node.key, self.get(node.key)
            shown = node if old is None else fuller(node, old)
            if shown is node:
                self._poorer.pop(key, None)
            else:
                self._poorer[key] = node
            self._put(shown if old is None else _with_access(shown, old))
            self._seen.setdefault(node.context, set()).add(key)

    def recall(self, nodes: Iterable[Node]) -> None:
        """Rows of an earlier run: they stand behind everything that has been read in this one."""
        for node in nodes:
            if node.key not in self._entries:
                self._put(node)

    def finish(self, context: Context) -> None:
        """The read came to its end: what it did not show of the context is gone, nodes and what was known of them."""
        self._remove(context, self._seen.pop(context, set()))
        for node in self._forget_poorer(context):
            if (old := self.get(node.key)) is not None:
                self._put(_with_access(node, old))

    def finish_partly(self, context: Context) -> None:
        """The read came to its end, but not everything was told: nothing leaves. An old ping is no longer true where
        it was SSM that said nothing."""
        self._seen.pop(context, None)
        for node in self._forget_poorer(context):
            if node.ping is Ping.UNKNOWN and (old := self.get(node.key)) is not None:
                self._put(replace(old, ping=node.ping, last_ping=node.last_ping))

    def drop(self, context: Context) -> None:
        """Nothing that is known of the context holds any more."""
        self._remove(context, frozenset())
        self._forget_poorer(context)
        if context in self._seen:
            self._seen[context] = set()

    def _remove(self, context: Context, seen: AbstractSet[NodeKey]) -> None:
        for key in [key for key in self._entries if key.context == context and key not in seen]:
            del self._entries[key]
            self._ordered = None

    def _forget_poorer(self, context: Context) -> list[Node]:
        return [self._poorer.pop(key) for key in [key for key in self._poorer if key.context == context]]

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

    def of(self, context: Context) -> list[Node]:
        """All nodes of the context, by name."""
        return [entry.node for entry in self._by_name() if entry.node.context == context]

    def _by_name(self) -> list[_Entry]:
        if self._ordered is None:
            self._ordered = sorted(self._entries.values(), key=attrgetter("order"))
        return self._ordered

    def query(self, wanted: Filter, arrangement: Arrangement = AS_THEY_ARE) -> Listing:
        """The nodes that match, in the order that is wanted; by itself by name (nameless last), then id."""
        shown = [e for e in self._by_name() if arrangement.unmanaged or e.node.ping is not Ping.UNMANAGED]
        found = [entry.node for entry in shown if wanted.admits(entry.texts)]
        totals = Counter(key.context for key in self._entries)
        unmanaged = Counter(n.context for n in self if n.ping is Ping.UNMANAGED)
        listed = Counter(node.context for node in found)
        return Listing(found, {c: Counts(listed[c], total, unmanaged[c]) for c, total in totals.items()})
