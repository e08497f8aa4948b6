"""What may stand where the filter is being typed: names of fields and tags, their values, saved filters. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Protocol

from ssm_tui.domain.filters import SAVED, TAG, is_field, stands_for_saved
from ssm_tui.domain.tokens import BAR, QUOTES, in_quotes, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ssm_tui.domain.matching import Filterable
    from ssm_tui.domain.tokens import Token

SHOWN = 8


class Vocabulary(Protocol):
    """What the list has, and how many of its nodes have it. The same mapping is given until something has changed."""

    def tag_keys(self) -> Mapping[str, int]:
        """The keys of tags."""

    def tag_values(self, key: str) -> Mapping[str, int]:
        """The values of a tag, whatever case its key is in."""

    def field_values(self, name: str) -> Mapping[str, int]:
        """The values of a field."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may stand there. `text` takes the place of what is typed, `label` is for people; `count` is of the
    nodes that have it, None where that says nothing. After a `name` its value is still to come."""

    text: str
    label: str
    count: int | None = None
    name: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """The choices for what is typed from `start` to before `end`: those that begin with it first, each sort by how many
    nodes have it, then by name. `more` is how many others there are."""

    start: int
    end: int
    choices: tuple[Choice, ...]
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.choices)

    def applied(self, text: str, choice: Choice) -> tuple[str, int]:
        """The text with the choice in its place, and where the cursor stands behind it."""
        return text[: self.start] + choice.text + text[self.end :], self.start + len(choice.text)


@dataclass(frozen=True, slots=True)
class _Known:
    """Texts in their order, the same folded, and how many nodes have each where that is counted."""

    texts: list[str]
    folded: list[str]
    counts: Mapping[str, int]


NO_CHOICE = Completion(0, 0, ())


class Counted:
    """The vocabulary of a few things, counted when it is asked for."""

    def __init__(self, subjects: Iterable[Filterable]) -> None:
        self._subjects = subjects

    def tag_keys(self) -> Mapping[str, int]:
        """The keys of tags."""
        return Counter(key for each in self._subjects for key in each.tags)

    def tag_values(self, key: str) -> Mapping[str, int]:
        """The values of a tag."""
        folded = key.casefold()
        return Counter(v for each in self._subjects for k, v in each.tags.items() if k.casefold() == folded)

    def field_values(self, name: str) -> Mapping[str, int]:
        """The values of a field."""
        return Counter(text for each in self._subjects for text in each.values(name))


class Completer:
    """Completes filters in the words of one list. What it has sorted it keeps while the vocabulary stays the same."""

    def __init__(self, vocabulary: Callable[[], Vocabulary], fields: Collection[str]) -> None:
        self._look_up, self._fields = vocabulary, tuple(fields)
        self._sorted: dict[tuple[str, str], _Known] = {}
        self.compared = 0  # texts looked at so far: what the tests count

    def complete(self, text: str, cursor: int, saved: Collection[str] = ()) -> Completion:
        """The choices for the term that the cursor stands in or behind."""
        token = next((each for each in tokens(text[:cursor]) if each.end == cursor), None)
        behind = next((each for each in tokens(text[cursor:]) if each.start == 0), None)
        if token is None or behind is not None:  # between terms, or within one
            return Completion(cursor, cursor, ())
        if token.find("-") == 0:
            token = token.behind(0)
        if stands_for_saved(token):
            names = sorted(saved)
            return self._of(token, _Known(names, list(map(str.casefold, names)), {}), SAVED)
        equals, colon = token.find("="), token.text.find(":")
        if colon > 0 and is_field(token.text[:colon], self._fields) and (equals < 0 or colon < equals):
            return self._field(token.text[:colon].casefold(), token.behind(colon))
        if equals > 0:
            return self._values(token.text[:equals], token.behind(equals))
        return self._names(token)

    def _field(self, name: str, value: Token) -> Completion:
        if name != TAG:
            known = self._ordered("field", name, self._look_up().field_values(name))
            return self._of(value.alternatives()[-1], known)
        equals = value.find("=") if value.find("=") >= 0 else value.text.find("=")
        if equals > 0:
            return self._values(value.text[:equals], value.behind(equals))
        return self._of(value.alternatives()[-1], self._ordered("keys", "", self._look_up().tag_keys()))

    def _values(self, key: str, value: Token) -> Completion:
        known = self._ordered("tag", key, self._look_up().tag_values(key))
        return self._of(value.alternatives()[-1], known)

    def _names(self, token: Token) -> Completion:
        """Fields and tags, once something is typed that they begin with. A bar is for words."""
        typed = token.text.casefold()
        if not typed or token.find(BAR) >= 0:
            return Completion(token.start, token.end, ())
        keys = self._ordered("keys", "", self._look_up().tag_keys())
        names = (name for name in (*self._fields, TAG) if name.startswith(typed))
        found = [Choice(f"{name}:", f"{name}:", name=True) for name in names]
        for folded, key in zip(keys.folded, keys.texts, strict=True):
            self.compared += 1
            if folded.startswith(typed):
                found.append(Choice(f"{self._key(key)}=", f"{key}=", keys.counts[key], name=True))
        return Completion(token.start, token.end, tuple(found[:SHOWN]), max(0, len(found) - SHOWN))

    def _key(self, key: str) -> str:
        """The key as it is typed before its value."""
        head, colon, _ = key.partition(":")
        if colon and is_field(head, self._fields):
            return f"{TAG}:{in_quotes(key)}"
        return in_quotes(key) if _needs_quotes(key) or "=" in key else key

    def _of(self, part: Token, known: _Known, before: str = "") -> Completion:
        """Those of the known texts in which what is typed is found, but that which it is already."""
        typed = part.text.removeprefix(before).casefold()
        folded = known.folded
        self.compared += len(folded)
        hits = [at for at, each in enumerate(folded) if typed in each and each != typed]
        shown = list(islice((at for at in hits if folded[at].startswith(typed)), SHOWN))
        if len(shown) < SHOWN:
            shown += islice((at for at in hits if not folded[at].startswith(typed)), SHOWN - len(shown))
        texts = (known.texts[at] for at in shown)
        choices = tuple(Choice(before + _typed(text), before + text, known.counts.get(text)) for text in texts)
        return Completion(part.start, part.end, choices, len(hits) - len(choices))

    def _ordered(self, what: str, key: str, counts: Mapping[str, int]) -> _Known:
        """The most frequent first, then by name. Lists of texts, which are quick to go through: 100,000 take 10 ms."""
        kept = self._sorted.get((what, key))
        if kept is None or kept.counts is not counts:
            texts = sorted(counts)
            texts.sort(key=counts.__getitem__, reverse=True)
            kept = self._sorted[what, key] = _Known(texts, list(map(str.casefold, texts)), counts)
        return kept


def _typed(text: str) -> str:
    """A value as it is typed; what cannot be typed is any character."""
    if text.isprintable():
        return in_quotes(text) if _needs_quotes(text) else text
    runs = (("".join(run), printable) for printable, run in groupby(text, str.isprintable))
    return "".join(in_quotes(run) if printable else "?" * len(run) for run, printable in runs)


def _needs_quotes(text: str) -> bool:
    return not text or text[0] in f"-{SAVED}" or any(c.isspace() or c in f"{QUOTES}{BAR}*?" for c in text)
