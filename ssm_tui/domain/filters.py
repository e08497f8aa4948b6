"""The filter language: words, tags and fields that must all match. Text in, predicate out.

    env=prod ping:online access:shell web|api -legacy "tag:Cost Center" ip:10.1.* @mine

A word is a case-insensitive substring of name, id, address or a tag. `key=value` is a tag's whole value, `field:value`
a field (the whole value for ping, state, access and platform; part of it for the rest), `tag:KEY` a tag that is there.
`*` and `?` are globs over the whole text, a leading `-` negates, `|` is either, quotes keep spaces and signs together,
`@NAME` stands for the terms of a saved filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from ssm_tui.domain.matching import Kind, Texts, finder
from ssm_tui.domain.tokens import tokens
from ssm_tui.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ssm_tui.domain.matching import Filterable
    from ssm_tui.domain.tokens import Token

SAVED = "@"
TAG = "tag"
NONE_SAVED: Mapping[str, str] = MappingProxyType({})
SHOWN_AS: Mapping[tuple[str, str], str] = MappingProxyType(
    {("ping", "lost"): "ConnectionLost"}
)  # by what the list says


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

    def without(self, field: str) -> Filter:
        """The terms that do not look at this field: what matches them all may match these."""
        terms = tuple(term for term in self.terms if term.kind is not Kind.FIELD or term.key != field)
        return replace(self, terms=terms)


def parse(text: str, fields: Collection[str], saved: Mapping[str, str] = NONE_SAVED) -> Filter:
    """The filter that `text` says, with `fields` as the names that may stand before a colon and `saved` as the filters
    that `@NAME` stands for.

    Raises FilterError, which knows the place, for an open quote, an unknown name or a term without a value.
    """
    terms: list[Term] = []
    for token in tokens(text):
        if token.open:
            at = text.rindex(token.open)
            raise FilterError(
                f"the quote at column {at + 1} is not closed", f"close it with {token.open}", column=at, end=len(text)
            )
        if stands_for_saved(token):
            terms.extend(_saved_terms(token, fields, saved))
        elif token.text:
            terms.append(_term(token, fields))
    return Filter(tuple(terms), text)


def check_saved(text: str, fields: Collection[str]) -> None:
    """Raises FilterError for a text that cannot be saved as a filter: it does not parse, or stands for another."""
    for token in tokens(text):
        if stands_for_saved(token):
            hint = f"write its words; quote a text that begins with {SAVED}"
            raise FilterError("a saved filter cannot stand for another", hint, column=token.start, end=token.end)
    if not parse(text, fields):
        raise FilterError("there is nothing to save", "write a filter, such as env=prod")


def saved_name(text: str, saved: Mapping[str, str]) -> str:
    """The name of the saved filter that the text is, by `@NAME` or by its own words; empty where it is none."""
    pieces = list(tokens(text))
    if len(pieces) == 1 and stands_for_saved(pieces[0]):
        return pieces[0].text[1:] if pieces[0].text[1:] in saved else ""
    words = text.split()
    return next((name for name, each in saved.items() if words and each.split() == words), "")


def names_saved(text: str) -> bool:
    """Whether a saved filter is part of it."""
    return any(map(stands_for_saved, tokens(text)))


def stands_for_saved(token: Token) -> bool:
    """Whether the piece is `@NAME`; in quotes it is a word."""
    return token.find(SAVED) == 0


def _saved_terms(token: Token, fields: Collection[str], saved: Mapping[str, str]) -> tuple[Term, ...]:
    name = token.text[1:]
    if name not in saved:
        known = ", ".join(saved)
        raise FilterError(
            f"no filter is saved as {name!r}" if name else f"{SAVED} stands alone",
            f"{f'saved are {known}' if known else 'none is saved yet'}; put a text that begins with {SAVED} in quotes",
            column=token.start,
            end=token.end,
        )
    try:
        return parse(saved[name], fields).terms
    except FilterError as error:
        message = f"the saved filter {name} cannot be used here: {error.message}"
        raise FilterError(message, error.hint, column=token.start, end=token.end) from None


def _term(token: Token, fields: Collection[str]) -> Term:
    negated = token.find("-") == 0
    if negated:
        whole, token = token, token.behind(0)
        if not token.text:
            hint = "write -WORD for what must not match"
            raise FilterError("- stands alone", hint, column=whole.start, end=whole.end)
        if stands_for_saved(token):
            hint = "write its words, each with its own -"
            raise FilterError("a saved filter cannot be negated", hint, column=whole.start, end=whole.end)
    equals, colon = token.find("="), _colon(token, fields)
    if equals == 0:
        hint = "write KEY=VALUE, such as env=prod"
        raise FilterError("a tag's name is missing before =", hint, column=token.start, end=token.end)
    if colon > 0 and (equals < 0 or colon < equals):
        return _field_term(token, colon, fields, negated=negated)
    if equals > 0:
        return Term(Kind.TAG, token.text[:equals], _patterns(token.behind(equals)), negated)
    return Term(Kind.WORD, "", _patterns(token, empty=False), negated)


def _colon(token: Token, fields: Collection[str]) -> int:
    """Where a field's name ends, or -1. A colon in quotes counts after a known name, so `"tag:Cost Center"` works; one
    in a tag's own name does not count, so `aws:autoscaling:groupName=web` does."""
    at = token.text.find(":")
    if at > 0 and is_field(token.text[:at], fields):
        return at
    return -1 if token.find("=") > token.find(":") else token.find(":")


def is_field(name: str, fields: Collection[str]) -> bool:
    """Whether a colon after this name makes it a field."""
    return name.casefold() in fields or name.casefold() == TAG


def _field_term(token: Token, colon: int, fields: Collection[str], *, negated: bool) -> Term:
    name, value = token.text[:colon].casefold(), token.behind(colon)
    if not is_field(name, fields):
        tag = f"{token.text[:colon]}={token.text[colon + 1 :] or 'VALUE'}"
        known = ", ".join([*fields, TAG])
        raise FilterError(
            f"{token.text[:colon]!r} is not a field",
            f"write a tag as {tag}; fields are {known}; put a text with a colon in quotes",
            column=token.start,
            end=token.places[colon],
        )
    if not value.text:
        raise FilterError(f"{name}: has no value", f"write {name}:VALUE", column=value.start, end=value.end)
    if name != TAG:
        patterns = (SHOWN_AS.get((name, each.casefold()), each) for each in _patterns(value, empty=False))
        return Term(Kind.FIELD, name, tuple(patterns), negated)
    equals = value.find("=") if value.find("=") >= 0 else value.text.find("=")
    if equals > 0:
        return Term(Kind.TAG, value.text[:equals], _patterns(value.behind(equals)), negated)
    return Term(Kind.TAG_KEY, "", _patterns(value, empty=False), negated)


def _patterns(token: Token, *, empty: bool = True) -> tuple[str, ...]:
    """The alternatives as patterns. Only of a tag may one be `empty`: it is what nodes without the tag have."""
    parts = token.alternatives()
    for part in parts:
        if not part.text and not empty:
            hint = "write A|B for either of two"
            raise FilterError("something is missing beside |", hint, column=part.start, end=part.end)
    return tuple(part.pattern() for part in parts)
