"""What a term of a filter finds in the texts of its subject: words, tags, fields, globs. How it was typed is parsed in
`filters`."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

WHOLE_VALUE = frozenset({"ping", "state", "access", "platform", "reachable", "role", "iam", "tls", "secret"})


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


def folded_words(subject: Filterable) -> str:
    """What a bare word is looked up in, a line each."""
    return "\n".join([word.replace("\n", " ") for word in subject.words()]).casefold()


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
            self._words = folded_words(self._subject)
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
    tests = tuple(text_test(text, scope_of(kind, key)) for text in alternatives)
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


def scope_of(kind: Kind, key: str) -> Scope:
    """How a term's alternatives are compared."""
    if kind is Kind.WORD:
        return Scope.LINES
    whole = kind in (Kind.TAG, Kind.TAG_KEY) or key in WHOLE_VALUE
    return Scope.WHOLE if whole else Scope.PART


def _any(tests: tuple[Callable[[str], bool], ...], select: Callable[[Texts], Iterable[str]]) -> Callable[[Texts], bool]:
    if len(tests) == 1:
        test = tests[0]
        return lambda texts: any(map(test, select(texts)))
    return lambda texts: any(test(text) for text in select(texts) for test in tests)


class Wild(Enum):
    """What stands for other characters in a pattern."""

    ANY = "*"
    ONE = "?"


def pieces(pattern: str) -> tuple[str | Wild, ...]:
    """A pattern's literal texts and wildcards. In brackets a sign means itself: `[*]` is what was typed in quotes."""
    found: list[str | Wild] = []
    for match in re.finditer(r"\[([*?\[])\]|([*?])|(.)", pattern, re.DOTALL):
        if match[2]:
            found.append(Wild(match[2]))
        elif found and isinstance(found[-1], str):
            found[-1] += match[1] or match[3]
        else:
            found.append(match[1] or match[3])
    return tuple(found)


def matches_text(pattern: str, scope: Scope, text: str) -> bool:
    """Whether one text, in whatever case, is what the pattern asks for."""
    return text_test(pattern, scope)(text.casefold())


def text_test(pattern: str, scope: Scope) -> Callable[[str], bool]:
    """A test of one folded text."""
    parts = pieces(pattern.casefold())
    if not any(isinstance(part, Wild) for part in parts):
        wanted = "".join(part for part in parts if isinstance(part, str))
        return wanted.__eq__ if scope is Scope.WHOLE else lambda text: wanted in text
    glob = expression(parts, re.escape)
    if scope is Scope.LINES:
        line = re.compile(f"^{glob}$", re.MULTILINE)
        return lambda text: line.search(text) is not None
    whole = re.compile(glob, re.DOTALL)
    return lambda text: whole.fullmatch(text) is not None


def expression(parts: Iterable[str | Wild], literal: Callable[[str], str]) -> str:
    """A pattern with wildcards as a regular expression, for all of a text; `literal` makes that of a literal text.

    What stands between two `*` is looked for once, from the left, and never given back: a later place would leave less
    for the rest. Else a tag's text and a few stars took seconds, and each one more as many times as long.
    """
    stretches = [""]
    for part in parts:
        if part is Wild.ANY:
            stretches.append("")
        else:
            stretches[-1] += "." if part is Wild.ONE else literal(str(part))
    first, *between = stretches
    if not between:
        return first
    last = between.pop()
    return first + "".join(f"(?>.*?{each})" for each in between if each) + f".*{last}"
