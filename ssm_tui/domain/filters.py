"""The filter language: words, tags and fields that must all match. Text in, predicate out.

    env=prod ping:online access:shell web|api -legacy "tag:Cost Center" ip:10.1.*

A word is a case-insensitive substring of name, id, address or a tag. `key=value` is a tag's whole value, `field:value`
a field (the whole value for ping, state, access and platform; part of it for the rest), `tag:KEY` a tag that is there.
`*` and `?` are globs over the whole text, a leading `-` negates, `|` is either, quotes keep spaces and signs together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ssm_tui.domain.matching import Kind, Texts, finder
from ssm_tui.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ssm_tui.domain.matching import Filterable


@dataclass(frozen=True)
class Term:
    """One term: it matches when any of its alternatives does, or none where it is negated."""

    kind: Kind
    key: str
    alternatives: tuple[str, ...]
    negated: bool = False

    @cached_property
    def finds(self) -> Callable[[Texts], bool]:
        """Whether a subject with these texts has what this term asks for, negation aside."""
        return finder(self.kind, self.key, self.alternatives)


@dataclass(frozen=True)
class Filter:
    """Terms that must all match; without terms everything does."""

    terms: tuple[Term, ...] = ()
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, subject: Filterable) -> bool:
        """Whether every term matches."""
        return self.admits(Texts(subject))

    def admits(self, texts: Texts) -> bool:
        """The same, for texts that are kept beside their subject."""
        for term in self.terms:  # noqa: SIM110 - all() makes a generator for each of 10,000 rows
            if term.finds(texts) is term.negated:
                return False
        return True


def parse(text: str, fields: Collection[str]) -> Filter:
    """The filter that `text` says, with `fields` as the names that may stand before a colon.

    Raises FilterError, which knows the column, for an open quote, an unknown field or a term without a value.
    """
    return Filter(tuple(_term(token, fields) for token in _tokens(text)), text)


@dataclass(frozen=True, slots=True)
class _Token:
    """A space-separated piece; `quoted` marks the characters that stood in quotes and so mean only themselves."""

    text: str
    quoted: tuple[bool, ...]
    column: int

    def find(self, sign: str) -> int:
        """The first `sign` outside quotes, or -1."""
        return next((i for i, c in enumerate(self.text) if c == sign and not self.quoted[i]), -1)

    def part(self, start: int, end: int | None = None) -> _Token:
        return _Token(self.text[start:end], self.quoted[start:end], self.column + start)

    def split(self, sign: str) -> list[_Token]:
        parts, rest = [], self
        while (at := rest.find(sign)) >= 0:
            parts.append(rest.part(0, at))
            rest = rest.part(at + 1)
        return [*parts, rest]

    def pattern(self) -> str:
        """The text with globs that stood in quotes made literal (as `[*]`, which `matching.pieces` reads)."""
        literal = ((q and c in "*?") or c == "[" for c, q in zip(self.text, self.quoted, strict=True))
        return "".join(f"[{c}]" if each else c for c, each in zip(self.text, literal, strict=True))


def _tokens(text: str) -> Iterable[_Token]:
    chars: list[str] = []
    quoted: list[bool] = []
    start, quote, quote_at = 0, "", 0
    for at, char in enumerate([*text, " "]):
        if quote:
            if char == quote and at < len(text):
                quote = ""
            else:
                chars.append(char)
                quoted.append(True)
        elif char in "\"'":
            if not chars:
                start = at
            quote, quote_at = char, at
        elif char.isspace():
            if chars:
                yield _Token("".join(chars), tuple(quoted), start)
            chars, quoted = [], []
        else:
            if not chars:
                start = at
            chars.append(char)
            quoted.append(False)
    if quote:
        raise FilterError(
            f"the quote at column {quote_at + 1} is not closed", f"close it with {quote}", column=quote_at
        )


def _term(token: _Token, fields: Collection[str]) -> Term:
    negated = token.find("-") == 0
    if negated:
        token = token.part(1)
        if not token.text:
            raise FilterError("- stands alone", "write -WORD for what must not match", column=token.column - 1)
    equals, colon = token.find("="), _colon(token, fields)
    if equals == 0:
        raise FilterError("a tag's name is missing before =", "write KEY=VALUE, such as env=prod", column=token.column)
    if colon > 0 and (equals < 0 or colon < equals):
        return _field_term(token, colon, fields, negated=negated)
    if equals > 0:
        return Term(Kind.TAG, token.text[:equals], _alternatives(token.part(equals + 1)), negated)
    return Term(Kind.WORD, "", _alternatives(token), negated)


def _colon(token: _Token, fields: Collection[str]) -> int:
    """Where a field's name ends, or -1. A colon in quotes counts after a known name, so `"tag:Cost Center"` works."""
    at = token.text.find(":")
    known = at > 0 and (token.text[:at].casefold() in fields or token.text[:at].casefold() == "tag")
    return at if known else token.find(":")


def _field_term(token: _Token, colon: int, fields: Collection[str], *, negated: bool) -> Term:
    name, value = token.text[:colon].casefold(), token.part(colon + 1)
    if name != "tag" and name not in fields:
        known = ", ".join([*fields, "tag"])
        raise FilterError(
            f"{token.text[:colon]!r} is not a field",
            f"fields are {known}; quote a text with a colon in it",
            column=token.column,
        )
    if not value.text:
        raise FilterError(f"{name}: has no value", f"write {name}:VALUE", column=value.column)
    if name != "tag":
        return Term(Kind.FIELD, name, _alternatives(value), negated)
    if (equals := value.text.find("=")) > 0:
        return Term(Kind.TAG, value.text[:equals], _alternatives(value.part(equals + 1)), negated)
    return Term(Kind.TAG_KEY, "", _alternatives(value), negated)


def _alternatives(token: _Token) -> tuple[str, ...]:
    return tuple(part.pattern() for part in token.split("|"))
