"""The inventory: the one owner of the nodes that are known, of every context, while pages arrive and answers change."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.access import NO_ANSWERS
from ssm_tui.domain.lacks import EVERYTHING, NOTHING, is_unmanaged, may_be_there, may_have_more
from ssm_tui.domain.listing import Arrangement, Counts
from ssm_tui.domain.nodes import Ping
from ssm_tui.domain.querying import Querying
from ssm_tui.domain.rows import Rows, rows_of, same_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.columns import Columns
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.lacks import Lacks
    from ssm_tui.domain.listing import Listing
    from ssm_tui.domain.nodes import Node, NodeKey
    from ssm_tui.domain.rows import Row


AS_THEY_ARE = Arrangement()


# What a page may leave out because another source of the same read tells it.
_FACTS = (
    "account", "state", "platform", "os", "agent_version", "ip", "vpc", "subnet", "az", "role", "instance_type",
    "launched", "security_groups", "tags",
)  # fmt: skip


def _kept(node: Node, old: Node) -> dict[str, Any]:
    """What was known of the node before and the page does not say: a read tells tags after pings or pings after tags,
    and where one of the two is refused, what it told the last time is still the best that is known."""
    kept: dict[str, Any] = {name: fact for name in _FACTS if not getattr(node, name) and (fact := getattr(old, name))}
    if node.ping is Ping.UNKNOWN and old.ping is not Ping.UNKNOWN:
        kept |= {"ping": old.ping, "last_ping": old.last_ping}
    if "tags" in kept and (name := old.tags.get("Name")):
        kept["name"] = name
    elif not node.name and old.name:
        kept["name"] = old.name
    return kept


def _answered(node: Node, old: Node) -> dict[str, Any]:
    """The access already asked for."""
    return {"access": old.access} if node.access == NO_ANSWERS != old.access else {}


class _Shelf:
    """What is known of one context."""

    __slots__ = ("leaving", "number", "places", "poorer", "told", "unmanaged")

    def __init__(self, number: int) -> None:
        self.number = number
        self.places: dict[str, int] = {}  # by id
        self.unmanaged = 0
        self.told: set[str] = set()  # ids that this read has told of, or one that failed
        self.leaving: Iterator[None] | None = None  # where its end is under way
        self.poorer: dict[str, Node] = {}  # what it has told of nodes that are shown with more


class Inventory:
    """Nodes by key. A read adds and replaces as its pages come; only one that came to its end removes what is gone, of
    nodes and of what was known of them."""

    def __init__(self) -> None:
        self._shelves: dict[Context, _Shelf] = {}
        self._rows = Rows()
        self._querying = Querying(self._rows)

    def __len__(self) -> int:
        return sum(len(shelf.places) for shelf in self._shelves.values())

    def __iter__(self) -> Iterator[Node]:
        return (node for node in self._rows.nodes if node is not None)

    def get(self, key: NodeKey) -> Node | None:
        """The node, while it is known."""
        shelf = self._shelves.get(key.context)
        place = None if shelf is None else shelf.places.get(key.id)
        return None if place is None else self._rows.nodes[place]

    def seen(self, key: NodeKey) -> bool:
        """A page of the read that is under way, or of one that failed, has told of it."""
        shelf = self._shelves.get(key.context)
        return shelf is not None and key.id in shelf.told

    def told(self, context: Context) -> int:
        """How many nodes the read that is under way has told of."""
        shelf = self._shelves.get(context)
        return len(shelf.told) if shelf else 0

    def begin(self, context: Context) -> None:
        """A new read of the context starts; the rows of the last one stay until it has ended."""
        self._forget(self._shelf(context))

    def add(self, nodes: Iterable[Node]) -> None:
        """Rows of a page: new ones are added, known ones replaced, keeping what the page does not say."""
        self.add_rows(rows_of(nodes))

    def add_rows(self, rows: Iterable[Row]) -> None:
        """The same, with the rows made before."""
        for row in rows:
            node = row.node
            shelf = self._shelf(node.context)
            shelf.told.add(node.id)
            place = shelf.places.get(node.id)
            old = None if place is None else self._rows.nodes[place]
            if place is None or old is None:
                self._put(shelf, row)
                continue
            if kept := _kept(node, old):
                shelf.poorer[node.id] = node
            else:
                shelf.poorer.pop(node.id, None)
            kept |= _answered(node, old)
            self._replace(shelf, place, replace(node, **kept) if kept else node, row)
        self._rows.columns.renew()

    def recall(self, nodes: Iterable[Node]) -> None:
        """Rows of an earlier run: they stand behind everything that has been read in this one."""
        self.recall_rows(rows_of(nodes))

    def recall_rows(self, rows: Iterable[Row]) -> None:
        """The same, with the rows made before."""
        for row in rows:
            shelf = self._shelf(row.node.context)
            if row.node.id not in shelf.places:
                self._put(shelf, row)

    def finish(self, context: Context, lacks: Lacks = NOTHING) -> None:
        """The read came to its end: what it did not show of the context is gone, nodes and what was known of them.

        Unless it was not told of by those who would have, because they `lacks`; but an old ping is no longer true where
        it was SSM that said nothing, or does not know the instance any more."""
        shelf = self._shelf(context)
        for _ in self._leaving(shelf, lacks):
            pass
        self._forget(shelf)

    def settle(self, context: Context, most: int, lacks: Lacks = NOTHING) -> bool:
        """Some of what `finish` would do, `most` rows of it. Whether there may be more."""
        shelf = self._shelf(context)
        if shelf.leaving is None:
            shelf.leaving = self._leaving(shelf, lacks)
        return sum(1 for _ in islice(shelf.leaving, most)) == most

    def _leaving(self, shelf: _Shelf, lacks: Lacks) -> Iterator[None]:
        """A step for each row that goes, or is no more than what this read has told of it."""
        for id_ in [] if lacks == EVERYTHING else [id_ for id_ in shelf.places if id_ not in shelf.told]:
            if id_ not in shelf.places:
                continue
            if not may_be_there(id_, lacks):
                self._remove(shelf, id_)
            elif is_unmanaged(id_, lacks):
                self._silence(shelf, id_, Ping.UNMANAGED)
            yield
        while shelf.poorer:
            id_, node = shelf.poorer.popitem()
            place = shelf.places.get(id_)
            old = None if place is None else self._rows.nodes[place]
            if place is None or old is None:
                continue
            if not may_have_more(id_, lacks):
                known = _answered(node, old)
                self._replace(shelf, place, replace(node, **known) if known else node)
            elif node.ping is Ping.UNKNOWN:
                self._silence(shelf, id_, Ping.UNKNOWN)
            yield

    def _silence(self, shelf: _Shelf, id_: str, ping: Ping) -> None:
        """SSM says nothing of it."""
        place = shelf.places[id_]
        if (old := self._rows.nodes[place]) is not None:
            self._replace(shelf, place, replace(old, ping=ping, last_ping=None))

    def _forget(self, shelf: _Shelf) -> None:
        """What the last read has told, and of which nodes."""
        shelf.told, shelf.poorer, shelf.leaving = set(), {}, None

    def discard(self, nodes: Iterable[Node]) -> None:
        """These are not there any more."""
        for node in nodes:
            shelf = self._shelf(node.context)
            if node.id in shelf.places:
                self._remove(shelf, node.id)

    def drop(self, context: Context) -> None:
        """Nothing that is known of the context holds any more."""
        shelf = self._shelf(context)
        for id_ in list(shelf.places):
            self._remove(shelf, id_)
        self._forget(shelf)

    def learn(self, access: Mapping[NodeKey, Access]) -> None:
        """Verdicts that have come in; of nodes that are gone they are dropped."""
        for key, verdict in access.items():
            shelf = self._shelves.get(key.context)
            place = None if shelf is None else shelf.places.get(key.id)
            node = None if place is None else self._rows.nodes[place]
            if place is not None and node is not None and node.access != verdict:
                self._rows.learn(place, node, verdict)

    def _shelf(self, context: Context) -> _Shelf:
        shelf = self._shelves.get(context)
        if shelf is None:
            shelf = self._shelves[context] = _Shelf(len(self._shelves))
        return shelf

    def _put(self, shelf: _Shelf, row: Row) -> None:
        shelf.places[row.node.id] = self._rows.put(row, shelf.number)
        shelf.unmanaged += not row.node.managed

    def _replace(self, shelf: _Shelf, place: int, node: Node, row: Row | None = None) -> None:
        """`row` is that of the same node before what is known of it was put in."""
        old = self._rows.nodes[place]
        if old is None or old == node:
            return
        if row is not None and same_texts(row.node, node):
            self._rows.replace(place, row._replace(node=node))
        else:
            self._rows.replace(place, self._rows.row(place, node))
        shelf.unmanaged += old.managed - node.managed

    def _remove(self, shelf: _Shelf, id_: str) -> None:
        place = shelf.places.pop(id_)
        shelf.unmanaged -= not self._rows.managed[place]
        self._rows.remove(place)

    # Queries

    def of(self, context: Context) -> list[Node]:
        """All nodes of the context, by name."""
        number, numbers, nodes = self._shelf(context).number, self._rows.context, self._rows.nodes
        ordered = (nodes[place] for place in self._rows.by_name() if numbers[place] == number)
        return [node for node in ordered if node is not None]

    def query(self, wanted: Filter, arrangement: Arrangement = AS_THEY_ARE) -> Listing:
        """The nodes that match, in the order that is wanted; by itself by name (nameless last), then id."""
        shelves = self._shelves
        pinned = frozenset(
            shelf.places[pin] for pin in arrangement.pins for shelf in shelves.values() if pin in shelf.places
        )
        totals = {context: Counts(0, len(shelf.places), shelf.unmanaged) for context, shelf in shelves.items()}
        return self._querying.query(wanted, arrangement, pinned, totals)

    def vocabulary(self) -> Columns:
        """What the nodes have: keys of tags, values of tags and fields, and how many nodes have each."""
        return self._rows.columns
