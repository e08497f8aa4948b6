"""Nodes as rows, each at a place of its own, with what a query needs of them made once: their order and their words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ssm_tui.domain.columns import Columns
from ssm_tui.domain.matching import folded_words
from ssm_tui.domain.ordering import node_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.nodes import Node


class Row(NamedTuple):
    """A node with its texts; made where there is time, which the UI's thread has not."""

    node: Node
    order: str
    words: str


def row_of(node: Node) -> Row:
    """The node as a row."""
    return Row(node, node_order(node), folded_words(node))


def rows_of(nodes: Iterable[Node]) -> tuple[Row, ...]:
    """The nodes as rows."""
    return tuple([row_of(node) for node in nodes])


def same_texts(one: Node, other: Node) -> bool:
    """Whether the same words are looked up in both, which are the same node, and both stand at the same place."""
    return one.name == other.name and one.ip == other.ip and one.tags == other.tags


class Rows:
    """Rows by place. A place that becomes free is taken again. What stands side by side at a place is in lists of its
    own: a query goes through one or two of them and never through the nodes."""

    def __init__(self) -> None:
        self.nodes: list[Node | None] = []
        self.words: list[str] = []
        self.managed = bytearray()
        self.context: list[int] = []  # a number for each context
        self.columns = Columns(self.nodes)
        self.unmanaged = 0
        self.changes = 0  # grows with every change
        self._orders: list[str] = []
        self._free: list[int] = []
        self._sorted: list[int] = []
        self._moved: set[int] = set()  # places whose row has come, gone or been renamed since they were sorted

    def put(self, row: Row, context: int) -> int:
        """A new row; its place."""
        if self._free:
            place = self._free.pop()
            self.nodes[place], self._orders[place], self.words[place] = row
            self.managed[place], self.context[place] = row.node.managed, context
        else:
            place = len(self.nodes)
            self.nodes.append(row.node)
            self._orders.append(row.order)
            self.words.append(row.words)
            self.managed.append(row.node.managed)
            self.context.append(context)
        self.unmanaged += not row.node.managed
        self._moved.add(place)
        self._changed(place)
        return place

    def replace(self, place: int, row: Row) -> None:
        """The same node, of which more or something else is known."""
        if self._orders[place] != row.order:
            self._orders[place] = row.order
            self._moved.add(place)
        self.unmanaged += self.managed[place] - row.node.managed
        self.nodes[place], self.words[place], self.managed[place] = row.node, row.words, row.node.managed
        self._changed(place)

    def learn(self, place: int, node: Node, access: Access) -> None:
        """The access to it, which has nothing to do with its order or its words."""
        self.nodes[place] = replace(node, access=access)
        self.changes += 1
        self.columns.touch_access(place)

    def remove(self, place: int) -> None:
        """It is gone."""
        self.nodes[place], self._orders[place], self.words[place] = None, "", ""
        self.unmanaged -= not self.managed[place]
        self._free.append(place)
        self._moved.add(place)
        self._changed(place)

    def row(self, place: int, node: Node) -> Row:
        """The row with this node instead of its own; texts are made anew only where they would be others."""
        old = self.nodes[place]
        if old is None or not same_texts(node, old):
            return row_of(node)
        return Row(node, self._orders[place], self.words[place])

    def by_name(self) -> list[int]:
        """The places of all rows in the order of their names. What is sorted already is only merged with what came."""
        if self._moved:
            moved, nodes = self._moved, self.nodes
            places = [place for place in self._sorted if place not in moved]
            places.extend(sorted((place for place in moved if nodes[place] is not None), key=self._orders.__getitem__))
            places.sort(key=self._orders.__getitem__)
            self._sorted, self._moved = places, set()
        return self._sorted

    def _changed(self, place: int) -> None:
        self.changes += 1
        self.columns.touch(place)
