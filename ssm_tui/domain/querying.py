"""From a filter and an arrangement to the rows that are listed, and as little work as a keystroke needs for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ssm_tui.domain.listing import Group, Listing, Sort
from ssm_tui.domain.matching import NO_TAG, Kind, Scope, Wild, pieces, scope_of, text_test
from ssm_tui.domain.nodes import Ping
from ssm_tui.domain.ordering import natural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ssm_tui.domain.columns import Column
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.filters import Filter, Term
    from ssm_tui.domain.listing import Arrangement, Counts
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.rows import Rows

EARLIER = 6  # results kept, so that a filter that is typed on, or taken back, starts from one of them


class Asked(NamedTuple):
    """A term, without where it stood in the text."""

    kind: Kind
    key: str
    alternatives: tuple[str, ...]
    negated: bool


def asked(term: Term) -> Asked:
    """What the term asks for."""
    return Asked(term.kind, term.key, term.alternatives, term.negated)


def implies(one: Asked, other: Asked) -> bool:
    """Whether everything that matches the one is sure to match the other: `web-1` finds nothing that `web` does not."""
    if (one.kind, one.key, one.negated) != (other.kind, other.key, other.negated):
        return False
    if one.negated:
        one, other = other, one
    if set(one.alternatives) <= set(other.alternatives):
        return True
    if scope_of(one.kind, one.key) is Scope.WHOLE:
        return False
    parts = [part for part in _literals(other) if part is not None]
    return all(whole is not None and any(part in whole for part in parts) for whole in _literals(one))


def _literals(term: Asked) -> list[str | None]:
    """The alternatives folded; None for one with wildcards."""
    found: list[str | None] = []
    for alternative in term.alternatives:
        parts = pieces(alternative.casefold())
        found.append(None if any(isinstance(part, Wild) for part in parts) else "".join(map(str, parts)))
    return found


def any_of(tests: Iterable[Callable[[str], bool]]) -> Callable[[str], bool]:
    """One test that is passed where any of these is."""
    first, *others = tests
    return (lambda text: first(text) or any(test(text) for test in others)) if others else first


class _Base(NamedTuple):
    """All places in the wanted order before any filter, those of pinned nodes first, then those of each group."""

    name: tuple[object, ...]
    places: Sequence[int]
    pinned: frozenset[int]
    headings: tuple[str, ...] = ()  # of the groups, in their order
    group: Sequence[int] = ()  # by place: which of them


class _Result(NamedTuple):
    terms: frozenset[Asked]
    places: Sequence[int]


class Querying:
    """Queries of some rows. What it keeps holds until the rows change."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._base: _Base | None = None
        self._results: list[_Result] = []
        self._listed: tuple[Sequence[int], frozenset[str], Listing] | None = None
        self._changes = -1
        self.looked = 0  # rows that terms have been tried on so far: what the tests count

    def query(
        self, wanted: Filter, arrangement: Arrangement, pinned: frozenset[int], totals: Mapping[Context, Counts]
    ) -> Listing:
        """The rows that match, arranged. `pinned` are the places of the arrangement's pins, `totals` the counts with
        none shown, in the order of the contexts' numbers."""
        if self._changes != self._rows.changes:
            self._base, self._results, self._listed = None, [], None
            self._changes = self._rows.changes
        terms = tuple(dict.fromkeys(asked(term) for term in wanted.terms))
        unmanaged = arrangement.unmanaged or any(map(_names_unmanaged, terms))
        base = self._arranged(arrangement, pinned, unmanaged=unmanaged)
        places = self._matching(terms, base)
        if self._listed is not None and self._listed[0] is places and self._listed[1] == arrangement.folded:
            return self._listed[2]
        listing = Listing(self._lines(places, base, arrangement), self._counts(places, totals))
        self._listed = places, arrangement.folded, listing
        return listing

    # Order

    def _arranged(self, arrangement: Arrangement, pinned: frozenset[int], *, unmanaged: bool) -> _Base:
        name = (arrangement.sort, arrangement.group, pinned, unmanaged)
        if self._base is None or self._base.name != name:
            self._results = []
            self._base = self._new_base(name, arrangement, pinned, unmanaged=unmanaged)
        return self._base

    def _new_base(
        self, name: tuple[object, ...], arrangement: Arrangement, pinned: frozenset[int], *, unmanaged: bool
    ) -> _Base:
        rows = self._rows
        places = rows.by_name()
        if not unmanaged and rows.unmanaged:
            managed = rows.managed
            places = [place for place in places if managed[place]]
        places = self._sorted(places, arrangement.sort)
        top = [place for place in places if place in pinned] if pinned else []
        headings: tuple[str, ...] = ()
        group: list[int] = []
        if arrangement.group is not None:
            headings, group = self._groups(arrangement.group)
            places = sorted(places, key=group.__getitem__)
        if top:
            places = top + [place for place in places if place not in pinned]
        return _Base(name, places, pinned, headings, group)

    def _sorted(self, places: list[int], sort: Sort) -> list[int]:
        """Those without a value last either way, and those of the same value by name."""
        if sort == Sort("name"):
            return places
        column = self._rows.columns.by(sort.by)
        ranks = column.ranks()
        last = len(ranks)
        worth = [last if rank is None else -rank if sort.descending else rank for rank in ranks]
        worth.append(last)  # of the code of a place without a row, -1
        return sorted(places, key=[worth[code] for code in column.codes].__getitem__)

    def _groups(self, tag: str) -> tuple[tuple[str, ...], list[int]]:
        """The values of the tag in their order, that of the nodes without it last, and by place which of them."""
        column = self._rows.columns.of(Kind.TAG, tag)
        values = [next(iter(column.texts(code)), "") for code in range(len(column.values))]
        headings = tuple(sorted(set(values), key=lambda value: (not value, natural(value), value)))
        at = {value: number for number, value in enumerate(headings)}
        numbers = [at[value] for value in values]
        numbers.append(0)  # of the code of a place without a row, -1
        return headings, [numbers[code] for code in column.codes]

    # Filter

    def _matching(self, terms: tuple[Asked, ...], base: _Base) -> Sequence[int]:
        """The places whose rows match, in the order of the base; out of the smallest earlier result that has them."""
        wanted = frozenset(terms)
        start = _Result(frozenset(), base.places)
        for result in self._results:
            if result.terms == wanted:
                return result.places
            fewer = (len(result.places), -len(result.terms)) < (len(start.places), -len(start.terms))
            if fewer and all(any(implies(term, old) for term in terms) for old in result.terms):
                start = result
        places = start.places
        for term in terms:
            if term not in start.terms:
                self.looked += len(places)
                places = self._in_words(term, places) if term.kind is Kind.WORD else self._in_column(term, places)
        self._results = [*self._results[1 - EARLIER :], _Result(wanted, places)]
        return places

    def _in_words(self, term: Asked, places: Sequence[int]) -> Sequence[int]:
        words, literals = self._rows.words, _literals(term)
        test = any_of(text_test(each, Scope.LINES) for each in term.alternatives)
        if len(places) * 4 < len(words):
            return [place for place in places if test(words[place]) is not term.negated]
        # In the order in which they came and not in that of their names: memory is read in one go, 2.5 times as fast.
        if len(literals) == 1 and (text := literals[0]) is not None:
            found = [text in each for each in words]
        else:
            found = list(map(test, words))
        return [place for place in places if found[place] is not term.negated]

    def _in_column(self, term: Asked, places: Sequence[int]) -> Sequence[int]:
        column = self._rows.columns.of(term.kind, term.key)
        codes = column.codes
        present = set(map(codes.__getitem__, places))
        good = _good(term, column, present)
        if term.negated:
            good = present - good
        return places if len(good) == len(present) else [place for place in places if codes[place] in good]

    # What is listed

    def _lines(self, places: Sequence[int], base: _Base, arrangement: Arrangement) -> list[Node | Group]:
        nodes: list[Any] = self._rows.nodes
        if arrangement.group is None:
            return list(map(nodes.__getitem__, places))
        at = next((at for at, place in enumerate(places) if place not in base.pinned), len(places))
        lines: list[Node | Group] = list(map(nodes.__getitem__, places[:at]))
        sizes = Counter(map(base.group.__getitem__, places[at:]))
        for number in sorted(sizes):
            value, size = base.headings[number], sizes[number]
            group = Group(arrangement.group, value, size, folded=value in arrangement.folded)
            lines.append(group)
            if not group.folded:
                lines.extend(map(nodes.__getitem__, places[at : at + size]))
            at += size
        return lines

    def _counts(self, places: Sequence[int], totals: Mapping[Context, Counts]) -> dict[Context, Counts]:
        if len(totals) == 1:
            return {context: replace(counts, shown=len(places)) for context, counts in totals.items()}
        shown = Counter(map(self._rows.context.__getitem__, places))
        numbered = enumerate(totals.items())
        return {each: replace(counts, shown=shown[at]) for at, (each, counts) in numbered if counts.total}


def _good(term: Asked, column: Column, codes: set[int]) -> set[int]:
    """Those of the values that the term finds, negation aside."""
    scope, literals = scope_of(term.kind, term.key), _literals(term)
    if scope is Scope.PART and len(literals) == 1 and (text := literals[0]) is not None and "\n" not in text:
        lines = column.folded_lines()
        # Nothing is a part of nothing, not even the empty text.
        return {code for code in codes if text in lines[code] and column.texts(code)}
    test = any_of(text_test(each, scope) for each in term.alternatives)
    absent = NO_TAG if term.kind is Kind.TAG else ()
    return {code for code in codes if any(map(test, column.folded(code) or absent))}


def _names_unmanaged(term: Asked) -> bool:
    """Whoever asks for unmanaged nodes by name sees them, hidden or not."""
    unmanaged = Ping.UNMANAGED.casefold()
    said = (alternative.casefold() for alternative in term.alternatives)
    return (term.kind, term.key, term.negated) == (Kind.FIELD, "ping", False) and unmanaged in said
