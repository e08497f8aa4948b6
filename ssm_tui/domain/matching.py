"""What a term of a filter finds in the texts of its subject: words, tags, fields, globs. How it was typed is parsed in
`filters`."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

WHOLE_VALUE = frozenset({"ping", "state", "access", "platform", "reachable", "role"})


class Filterable(Protocol):
    """What a filter can be asked of."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Tag keys and values."""

    def words(self) -> Iterable[str]:
        """The texts that a bare word is looked up in."""

    def values(self, field_name: str) -> tuple[str, ...]:
        """The texts of a field."""


class Kind(Enum):
    """What a term looks at."""

    WORD = "word"
    TAG = "tag"
    TAG_KEY = "tag key"
    FIELD = "field"


class Texts:
    """The texts of one subject, folded when first asked for and then kept: 10,000 rows a keystroke must be cheap."""

    __slots__ = ("_fields", "_subject", "_tags", "_words")

    def __init__(self, subject: Filterable) -> None:
        self._subject = subject
        self._words: str | None = None
        self._tags: dict[str, tuple[str, ...]] | None = None
        self._fields: dict[str, tuple[str, ...]] = {}

    @property
    def words(self) -> str:
        """What a bare word is looked up in, a line each."""
        if self._words is None:
            self._words = "\n".join(word.replace("\n", " ") for word in self._subject.words()).casefold()
        return self._words

    @property
    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """The values by key; AWS tells keys apart by case, people do not."""
        if self._tags is None:
            self._tags = {}
            for key, value in self._subject.tags.items():
                folded = key.casefold()
                self._tags[folded] = (*self._tags.get(folded, ()), value.casefold())
        return self._tags

    def values(self, field_name: str) -> tuple[str, ...]:
        """The texts of a field."""
        if field_name not in self._fields:
            self._fields[field_name] = tuple(text.casefold() for text in self._subject.values(field_name))
        return self._fields[field_name]


NO_TAG = ("",)  # a tag that is not there reads as empty, so `owner=` finds the nodes without an owner


def finder(kind: Kind, key: str, alternatives: tuple[str, ...]) -> Callable[[Texts], bool]:
    """Whether a subject with these texts has one of the alternatives where the term looks for it."""
    tests = tuple(_test(text, _scope(kind, key)) for text in alternatives)
    if kind is Kind.WORD:
        return _any(tests, lambda texts: (texts.words,))
    if kind is Kind.TAG_KEY:
        return _any(tests, lambda texts: texts.tags)
    folded = key.casefold()
    if kind is Kind.TAG:
        return _any(tests, lambda texts: texts.tags.get(folded, NO_TAG))
    return _any(tests, lambda texts: texts.values(folded))


class Scope(Enum):
    """What of a text a pattern without a glob must be; with one, it must be all of it, or all of a line."""

    WHOLE = "whole"
    PART = "part"
    LINES = "lines"


def _scope(kind: Kind, key: str) -> Scope:
    if kind is Kind.WORD:
        return Scope.LINES
    whole = kind in (Kind.TAG, Kind.TAG_KEY) or key in WHOLE_VALUE
    return Scope.WHOLE if whole else Scope.PART


def _any(tests: tuple[Callable[[str], bool], ...], select: Callable[[Texts], Iterable[str]]) -> Callable[[Texts], bool]:
    if len(tests) == 1:
        test = tests[0]
        return lambda texts: any(map(test, select(texts)))
    return lambda texts: any(test(text) for text in select(texts) for test in tests)


def _test(pattern: str, scope: Scope) -> Callable[[str], bool]:
    """A test of one folded text."""
    wanted = pattern.casefold()
    if not any(sign in wanted for sign in "*?["):
        return wanted.__eq__ if scope is Scope.WHOLE else lambda text: wanted in text
    pieces = "".join(_glob_piece(m) for m in re.finditer(r"\[([*?\[])\]|.", wanted, re.DOTALL))
    if scope is Scope.LINES:
        glob = re.compile(f"^{pieces}$", re.MULTILINE)
        return lambda text: glob.search(text) is not None
    whole = re.compile(pieces, re.DOTALL)
    return lambda text: whole.fullmatch(text) is not None


def _glob_piece(piece: re.Match[str]) -> str:
    if piece[1]:
        return re.escape(piece[1])
    return {"*": ".*", "?": "."}.get(piece[0], re.escape(piece[0]))
