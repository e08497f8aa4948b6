"""One respect of all nodes (a field, a tag, the keys of their tags) as a column that keeps each different value once.

What is asked of a column is asked of its values: 100,000 nodes have a dozen zones. Columns are made when first asked
for, then kept up with the rows that change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ssm_tui.domain.access import Access, Answer
from ssm_tui.domain.matching import Kind
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.ordering import TIMES, value_order

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from ssm_tui.domain.access import Verdict
    from ssm_tui.domain.nodes import Node

T = TypeVar("T")

_FEW = 64  # values that no node has any more are not worth a new start


class Column:
    """The values by place of the row. `read` tells what a node says, anything hashable, and `texts_of` what texts that
    is; both are pure."""

    def __init__(self, read: Callable[[Node], Hashable], texts_of: Callable[[Any], tuple[str, ...]]) -> None:
        self.read, self._texts_of = read, texts_of
        self.codes: list[int] = []  # by place: which of the values; -1 for a place without a row
        self.values: list[Any] = []
        self._index: dict[Hashable, int] = {}
        self._counts: list[int] = []
        self._changed: set[int] = set()
        self._folded: list[tuple[str, ...] | None] = []
        self._tally: Mapping[str, int] | None = None
        self.reads = 0  # nodes looked into so far: what the tests count

    def touch(self, place: int) -> None:
        """The row there has come, changed or gone."""
        self._changed.add(place)

    def renew(self, nodes: Sequence[Node | None]) -> None:
        """Keeps up with the rows."""
        codes = self.codes
        if len(codes) < len(nodes):
            codes.extend([-1] * (len(nodes) - len(codes)))
        if not self._changed:
            return
        if len(self.values) > 2 * len(nodes) + _FEW:
            self.restart(nodes)
        counts, index, read = self._counts, self._index, self.read
        for place in self._changed:
            if (old := codes[place]) >= 0:
                counts[old] -= 1
            node = nodes[place]
            if node is None:
                codes[place] = -1
                continue
            self.reads += 1
            value = read(node)
            code = index.get(value)
            if code is None:
                code = index[value] = len(self.values)
                self.values.append(value)
                counts.append(0)
                self._folded.append(None)
            codes[place] = code
            counts[code] += 1
        self._changed.clear()
        self._tally = None

    def restart(self, nodes: Sequence[Node | None]) -> None:
        """Forgets everything; the next renewal reads all rows."""
        self.codes[:] = [-1] * len(nodes)
        self.values, self._index, self._counts, self._folded = [], {}, [], []
        self._changed = {place for place, node in enumerate(nodes) if node is not None}

    def texts(self, code: int) -> tuple[str, ...]:
        """The texts of a value."""
        return self._texts_of(self.values[code])

    def folded(self, code: int) -> tuple[str, ...]:
        """The same, folded; made once."""
        known = self._folded[code]
        if known is None:
            known = self._folded[code] = tuple([text.casefold() for text in self.texts(code)])
        return known

    def by_code(self, said: Callable[[int], T]) -> list[T]:
        """What is said of each value that a row has."""
        return [said(code) for code, count in enumerate(self._counts) if count]

    def tally(self) -> Mapping[str, int]:
        """How many nodes have each text."""
        if self._tally is None:
            tally: dict[str, int] = {}
            for code, count in enumerate(self._counts):
                if count:
                    for text in set(self.texts(code)):
                        tally[text] = tally.get(text, 0) + count
            self._tally = tally
        return self._tally

    def ranks(self, order: Callable[[int], Any]) -> list[int | None]:
        """By code: the place of a value among all values in this order, the same for equals; None where `order` says
        None, or no row has the value."""
        orders = [order(code) if count else None for code, count in enumerate(self._counts)]
        ranks = {each: rank for rank, each in enumerate(sorted({each for each in orders if each is not None}))}
        return [None if each is None else ranks[each] for each in orders]


def field_column(name: str) -> Column:
    """The column of a field of NODE_FIELDS."""
    return _access_column() if name == "access" else Column(NODE_FIELDS[name], _texts_of_field)


def _access_column() -> Column:
    """By the verdicts alone: reasons differ from node to node."""

    def verdicts(node: Node) -> tuple[Verdict, Verdict, Verdict]:
        access = node.access
        return access.shell.verdict, access.forward.verdict, access.remote.verdict

    return Column(verdicts, lambda three: Access(*map(Answer, three)).terms())


def _texts_of_field(values: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(text for text in values if text)


def key_column() -> Column:
    """The column of the keys of the nodes' tags."""
    return Column(lambda node: tuple(node.tags), lambda keys: keys)


def tag_column(keys: Sequence[str]) -> Column:
    """The column of a tag; of all its keys where it is written in several ways."""
    if len(keys) == 1:
        key = keys[0]
        return Column(lambda node: node.tags.get(key), lambda value: () if value is None else (value,))
    wanted = frozenset(keys)
    return Column(
        lambda node: tuple([value for key, value in node.tags.items() if key in wanted]), lambda values: values
    )


def time_column(name: str) -> Column:
    """The column of a time, to sort by."""
    return Column(TIMES[name], lambda _time: ())


class Columns:
    """The columns that have been asked for."""

    def __init__(self, nodes: Sequence[Node | None]) -> None:
        self._nodes = nodes
        self._keys = key_column()
        self._access = field_column("access")
        self._columns: dict[tuple[Kind | None, str], Column] = {
            (Kind.TAG_KEY, ""): self._keys,
            (Kind.FIELD, "access"): self._access,
        }
        self._spellings: dict[str, tuple[str, ...]] = {}

    def touch(self, place: int) -> None:
        """The row there has come, changed or gone."""
        for column in self._columns.values():
            column.touch(place)

    def touch_access(self, place: int) -> None:
        """Only the access to it has changed."""
        self._access.touch(place)

    def of(self, kind: Kind, key: str) -> Column:
        """The column that terms of this kind and key look at."""
        if kind is Kind.TAG_KEY:
            return self._renewed(self._keys)
        if kind is Kind.FIELD:
            return self._known((kind, key), lambda: field_column(key))
        folded = key.casefold()
        keys = self._renewed(self._keys).tally()
        spellings = tuple(sorted(each for each in keys if each.casefold() == folded)) or (key,)
        if self._spellings.get(folded) != spellings:
            self._spellings[folded] = spellings
            self._columns.pop((kind, folded), None)
        return self._known((kind, folded), lambda: tag_column(spellings))

    def by(self, name: str) -> tuple[Column, Callable[[int], Any]]:
        """The column of a field, a time or else a tag, and the order of its values by code."""
        if name in TIMES:
            times = self._known((None, name), lambda: time_column(name))
            return times, lambda code: times.values[code]
        column = self.of(Kind.FIELD if name in NODE_FIELDS else Kind.TAG, name)
        return column, lambda code: value_order(name, column.texts(code))

    def _known(self, name: tuple[Kind | None, str], make: Callable[[], Column]) -> Column:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = make()
            column.restart(self._nodes)
        return self._renewed(column)

    def _renewed(self, column: Column) -> Column:
        column.renew(self._nodes)
        return column
