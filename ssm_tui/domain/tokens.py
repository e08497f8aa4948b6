"""A filter's text in space-separated pieces, with what stood in quotes and where each character was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

QUOTES = "\"'"
BAR = "|"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece without its quotes. `quoted` marks the characters that stood in them and so mean only themselves;
    `places` are the columns of the characters and, last, of the piece's end; `start` is that of its first sign."""

    text: str
    quoted: tuple[bool, ...]
    places: tuple[int, ...]
    start: int
    open: str = ""
    """The quote that is not closed, which only the last piece can have."""

    @property
    def end(self) -> int:
        """The column behind it."""
        return self.places[-1]

    def find(self, sign: str) -> int:
        """The first `sign` outside quotes, or -1."""
        return next((i for i, c in enumerate(self.text) if c == sign and not self.quoted[i]), -1)

    def until(self, at: int) -> Token:
        """What stands before the sign there."""
        return Token(self.text[:at], self.quoted[:at], self.places[: at + 1], self.start)

    def behind(self, at: int) -> Token:
        """What stands behind the sign there."""
        return Token(self.text[at + 1 :], self.quoted[at + 1 :], self.places[at + 1 :], self.places[at] + 1, self.open)

    def alternatives(self) -> list[Token]:
        """The parts between bars."""
        parts, rest = [], self
        while (at := rest.find(BAR)) >= 0:
            parts.append(rest.until(at))
            rest = rest.behind(at)
        return [*parts, rest]

    def pattern(self) -> str:
        """The text with globs that stood in quotes made literal (as `[*]`, which `matching.pieces` reads)."""
        literal = ((q and c in "*?") or c == "[" for c, q in zip(self.text, self.quoted, strict=True))
        return "".join(f"[{c}]" if each else c for c, each in zip(self.text, literal, strict=True))


def tokens(text: str) -> Iterator[Token]:
    """The pieces, from left to right; what is in quotes that are not closed goes on to the end."""
    chars: list[str] = []
    quoted: list[bool] = []
    places: list[int] = []
    start, quote = -1, ""
    for at, char in enumerate(text):
        if quote:
            if char == quote:
                quote = ""
                continue
        elif char.isspace():
            if start >= 0:
                yield Token("".join(chars), tuple(quoted), (*places, at), start)
            chars, quoted, places, start = [], [], [], -1
            continue
        elif char in QUOTES:
            quote = char
            start = at if start < 0 else start
            continue
        start = at if start < 0 else start
        chars.append(char)
        quoted.append(bool(quote))
        places.append(at)
    if start >= 0:
        yield Token("".join(chars), tuple(quoted), (*places, len(text)), start, quote)


def in_quotes(text: str) -> str:
    """The text as a piece that means nothing but itself."""
    if '"' not in text:
        return f'"{text}"'
    return f"'{text}'" if "'" not in text else "'\"'".join(f'"{part}"' if part else "" for part in text.split('"'))
