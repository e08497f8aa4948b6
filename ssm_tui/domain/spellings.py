"""Every spelling of a text that is the same but for case: what to ask of those who compare exactly.

`str.casefold` makes several characters one (`k`, `K` and the Kelvin sign) and one character several (`ß` is `ss`).
"""

from __future__ import annotations

from functools import cache
from itertools import chain, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ssm_tui.domain.matching import Wild

# Where Unicode has letters with case; a test looks for others.
_CASED = (
    *(range(0x3000), range(0xA000, 0xAC00), range(0xF900, 0x10000)),
    *(range(0x10400, 0x11900), range(0x16E00, 0x16F00), range(0x1E900, 0x1E960)),
)


@cache
def _unfolded() -> Mapping[str, tuple[str, ...]]:
    """By a folded text, of one character or a few: the characters that fold to it. 4 ms, once."""
    found: dict[str, list[str]] = {}
    for char in map(chr, chain.from_iterable(_CASED)):
        folded = char.casefold()
        if folded != char:
            found.setdefault(folded, []).append(char)
    return {folded: tuple(chars) for folded, chars in found.items()}


@cache
def _several() -> tuple[str, ...]:
    """The folded texts of more than one character that a single one may stand for."""
    return tuple(folded for folded in _unfolded() if len(folded) > 1)


def as_it_is(parts: Sequence[str | Wild]) -> str:
    """The pattern in AWS's signs, for texts that have no other case."""
    return _tidied("".join(_harmless(part) if isinstance(part, str) else part.value for part in parts))


def spellings(parts: Sequence[str | Wild], most: int) -> tuple[str, ...]:
    """At most `most` patterns that together match every text that this folded pattern matches, and few others. They
    have `*` and `?` in AWS's sense, and no sign that would have to be escaped."""
    choices: list[tuple[str, ...]] = []
    count = 1
    for runs in (_runs(part, parts, at) if isinstance(part, str) else (None,) for at, part in enumerate(parts)):
        for run in runs:
            # A wildcard may stand for a part of a character that folds to several: `?` is not enough.
            variants = ("*",) if run is None else _variants(run)
            if count * len(variants) > most:
                variants = ("?",) if run is not None and len(run) == 1 and run.isascii() else ("*",)
            count *= len(variants)
            choices.append(variants)
    return tuple(dict.fromkeys(_tidied("".join(each)) for each in product(*choices)))


def _runs(text: str, parts: Sequence[str | Wild], at: int) -> Iterator[str | None]:
    """The text in pieces that are spelled independently of each other; None for what no spelling is sure to catch:
    beside a wildcard, a part of a character that folds to several."""
    joined = [False] * (len(text) + 1)  # whether what stands before and after this place may be one character
    for several in _several():
        found = text.find(several)
        while found >= 0:
            joined[found + 1 : found + len(several)] = [True] * (len(several) - 1)
            found = text.find(several, found + 1)
    start, end = 0, len(text)
    if at > 0:
        start = max((n for s in _several() for n in range(1, len(s)) if text.startswith(s[-n:])), default=0)
        while joined[start]:
            start += 1
    if at < len(parts) - 1:
        end -= max((n for s in _several() for n in range(1, len(s)) if text.endswith(s[:n])), default=0)
        while joined[end]:
            end -= 1
    if start:
        yield None
    begin = start
    for place in range(start + 1, end + 1):
        if place == end or not joined[place]:
            yield text[begin:place]
            begin = place
    if end < len(text):
        yield None


def _variants(run: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_harmless, _preimages(run))))


def _preimages(folded: str) -> Iterator[str]:
    if not folded:
        yield ""
        return
    for size in {1, *(len(each) for each in _several() if folded.startswith(each))}:
        own = (folded,) if size == len(folded) == 1 else (folded[0],) if size == 1 else ()
        for char in (*own, *_unfolded().get(folded[:size], ())):
            for rest in _preimages(folded[size:]):
                yield char + rest


def _harmless(text: str) -> str:
    """Without signs that mean something to AWS, and without what might not arrive as it was sent."""
    return "".join("?" if c in "*?\\[]" else c if c.isprintable() and not c.isspace() else "*" for c in text)


def _tidied(pattern: str) -> str:
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    return pattern
