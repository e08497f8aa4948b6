"""One respect of all nodes (a field, a tag, the keys of their tags) as a column that keeps each different value once.

What is asked of a column is asked of its values: 100,000 nodes have a dozen zones. Columns are made when first asked
for, then kept up with the rows that change.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.access import terms_of
from ssm_tui.domain.matching import Kind
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.ordering import TIMES, natural, natural_or_none, value_order

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from ssm_tui.domain.access import Verdict
    from ssm_tui.domain.nodes import Node

_FEW = 64  # values that no node has any more are not worth a new start


class Column:
    """The values by place of the row. `read` tells what a node says, anything hashable, `texts_of` what texts that is,
    `order_of` what it is compared by, None for nothing; all are pure."""

    def __init__(
        self,
        read: Callable[[Node], Hashable],
        texts_of: Callable[[Any], tuple[str, ...]],
        order_of: Callable[[Any], Any],
    ) -> None:
        self.read, self._texts_of, self._order_of = read, texts_of, order_of
        self.codes: list[int] = []  # by place: which of the values; -1 for a place without a row
        self.values: list[Any] = []
        self._index: dict[Hashable, int] = {}
        self._counts: list[int] = []
        self._changed: set[int] = set()
        self._folded: list[tuple[str, ...] | None] = []
        self._lines: list[str] = []
        self._orders: list[Any] = []
        self._tally: Mapping[str, int] | None = None
        self.reads = 0  # nodes looked into so far: what the tests count

    def touch(self, place: int) -> None:
        """The row there has come, changed or gone."""
        self._changed.add(place)

    def renew(self, nodes: Sequence[Node | None]) -> None:
        """Keeps up with the rows."""
        if not self._changed:
            return
        if len(self.values) > 2 * len(nodes) + _FEW:
            self.start(nodes)
            return
        self.codes.extend([-1] * (len(nodes) - len(self.codes)))
        codes, counts, index, read = self.codes, self._counts, self._index, self.read
        for place in self._changed:
            if (old := codes[place]) >= 0:
                counts[old] -= 1
            node = nodes[place]
            if node is None:
                codes[place] = -1
                continue
            self.reads += 1
            code = codes[place] = index.setdefault(read(node), len(index))
            if code == len(counts):
                counts.append(0)
            counts[code] += 1
        self._changed.clear()
        self._keep_values()

    def start(self, nodes: Sequence[Node | None]) -> None:
        """Reads all rows anew."""
        index: dict[Hashable, int] = {}
        read = self.read
        self.codes = [-1 if node is None else index.setdefault(read(node), len(index)) for node in nodes]
        self.reads += len(nodes)
        counts = Counter(self.codes)
        self._index, self._counts = index, [counts[code] for code in range(len(index))]
        self.values, self._folded, self._lines, self._orders = [], [], [], []
        self._changed.clear()
        self._keep_values()

    def _keep_values(self) -> None:
        """What is made of values is made when first asked for."""
        if len(self.values) < len(self._index):
            new = list(islice(self._index, len(self.values), None))
            self.values += new
            self._folded += [None] * len(new)
        self._tally = None

    def texts(self, code: int) -> tuple[str, ...]:
        """The texts of a value."""
        return self._texts_of(self.values[code])

    def folded(self, code: int) -> tuple[str, ...]:
        """The same, folded; made once."""
        known = self._folded[code]
        if known is None:
            known = self._folded[code] = tuple(map(str.casefold, self.texts(code)))
        return known

    def folded_lines(self) -> list[str]:
        """By code: the folded texts of a value in one, to look up parts of them; made once."""
        texts_of = self._texts_of
        new = self.values[len(self._lines) :]
        self._lines += ["\n".join(texts_of(value)).casefold() for value in new]
        return self._lines

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

    def ranks(self) -> list[int | None]:
        """By code: the place of a value among all values in their order, the same for equals; None where there is
        nothing to compare, or no row has the value any more."""
        self._orders += map(self._order_of, self.values[len(self._orders) :])
        orders = [order if count else None for order, count in zip(self._orders, self._counts, strict=True)]
        ranks = {order: rank for rank, order in enumerate(sorted({each for each in orders if each is not None}))}
        return [None if order is None else ranks[order] for order in orders]


def field_column(name: str) -> Column:
    """The column of a field of NODE_FIELDS."""
    read, texts = (_verdicts, terms_of) if name == "access" else (NODE_FIELDS[name], _texts_of_field)
    return Column(read, texts, lambda value: value_order(name, texts(value)))


def _texts_of_field(values: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(filter(None, values))


def _verdicts(node: Node) -> tuple[Verdict, ...]:
    """Without the reasons, which differ from node to node."""
    return node.access.verdicts


def key_column() -> Column:
    """The column of the keys of the nodes' tags."""
    return Column(lambda node: tuple(node.tags), lambda keys: keys, natural)


def tag_column(keys: Sequence[str]) -> Column:
    """The column of a tag; of all its keys where it is written in several ways."""
    if len(keys) == 1:
        key = keys[0]
        return Column(lambda node: node.tags.get(key), lambda value: () if value is None else (value,), natural_or_none)
    wanted = frozenset(keys)
    return Column(
        lambda node: tuple([value for key, value in node.tags.items() if key in wanted]),
        lambda values: values,
        lambda values: natural_or_none(" ".join(values)),
    )


def time_column(name: str) -> Column:
    """The column of a time, to sort by."""
    return Column(TIMES[name], lambda _time: (), lambda time: time)


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

    def by(self, name: str) -> Column:
        """The column of a field, a time or else a tag."""
        if name in TIMES:
            return self._known((None, name), lambda: time_column(name))
        return self.of(Kind.FIELD if name in NODE_FIELDS else Kind.TAG, name)

    def renew(self) -> None:
        """Keeps up with a portion of rows, so that a query need not with all of them."""
        for column in self._columns.values():
            column.renew(self._nodes)

    # As the vocabulary of filters

    def tag_keys(self) -> Mapping[str, int]:
        """The keys of tags."""
        return self.of(Kind.TAG_KEY, "").tally()

    def tag_values(self, key: str) -> Mapping[str, int]:
        """The values of a tag, whatever case its key is in."""
        return self.of(Kind.TAG, key).tally()

    def field_values(self, name: str) -> Mapping[str, int]:
        """The values of a field."""
        return self.of(Kind.FIELD, name).tally()

    def _known(self, name: tuple[Kind | None, str], make: Callable[[], Column]) -> Column:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = make()
            column.start(self._nodes)
        return self._renewed(column)

    def _renewed(self, column: Column) -> Column:
        column.renew(self._nodes)
        return column
