"""Which parts of a text a filter has found it by, for those who show it. Pure; asked only of what is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ssm_tui.domain.matching import Kind, Scope, Wild, expression, pieces, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssm_tui.domain.filters import Filter, Term

Spans = tuple[tuple[int, int], ...]
"""From where to before where, in order, without touching each other."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is from: a field, a tag, or both (a name is its tag); `words` where bare words look at it too."""

    field: str = ""
    tag: str = ""
    words: bool = False


def found(wanted: Filter, place: Place, text: str) -> Spans:
    """The parts of the text by which the filter's terms find it. What is negated finds nothing."""
    if not text:
        return ()
    spans = [
        span
        for term in wanted.terms
        if not term.negated
        for pattern, scope, before in _looks(term, place)
        for span in _spans(pattern, scope, before, text)
    ]
    return _joined(spans)


def _looks(term: Term, place: Place) -> Iterator[tuple[str, Scope, str]]:
    """The patterns that the term compares with texts of this place, and what stands before the text when it does."""
    scope = scope_of(term.kind, term.key)
    match term.kind:
        case Kind.WORD if place.words:
            before = f"{place.tag}=" if place.tag and not place.field else ""
        case Kind.TAG if place.tag and term.key.casefold() == place.tag.casefold():
            before = ""
        case Kind.FIELD if place.field and term.key == place.field:
            before = ""
        case _:
            return
    for pattern in term.alternatives:
        yield pattern, scope, before


def _spans(pattern: str, scope: Scope, before: str, text: str) -> Iterator[tuple[int, int]]:
    whole = before + (text.replace("\n", " ") if scope is Scope.LINES else text)
    folded, origins = _folded(whole)
    skipped = len(before)
    for start, end in _found(_compiled(pattern), scope, folded):
        # A character that folds to several is found whole.
        first = origins[start] if origins else start
        last = (origins[end - 1] if origins else end - 1) + 1
        if last > skipped:
            yield max(first - skipped, 0), last - skipped


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text folded, and for each character of that the place of the one that it is of; nothing where it is the
    same."""
    folded = text.casefold()
    if len(folded) == len(text):  # no character folds to none
        return folded, ()
    return folded, [at for at, char in enumerate(text) for _ in char.casefold()]


def _found(compiled: tuple[str, re.Pattern[str] | None], scope: Scope, folded: str) -> Iterator[tuple[int, int]]:
    literal, glob = compiled
    if glob is not None:
        match = glob.fullmatch(folded)
        if match is not None:
            yield from (span for span in match.regs[1:] if span[0] < span[1])
    elif scope is Scope.WHOLE:
        if folded == literal:
            yield 0, len(folded)
    elif literal:
        at = folded.find(literal)
        while at >= 0:
            yield at, at + len(literal)
            at = folded.find(literal, at + len(literal))


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> tuple[str, re.Pattern[str] | None]:
    """What to look for: a text, or a glob with a group for each of its literal parts."""
    parts = pieces(pattern.casefold())
    if not any(isinstance(part, Wild) for part in parts):
        return "".join(part for part in parts if isinstance(part, str)), None
    return "", re.compile(expression(parts, lambda text: f"({re.escape(text)})"), re.DOTALL)


def _joined(spans: list[tuple[int, int]]) -> Spans:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return tuple(joined)
