"""Foreign text made fit for a cell of the terminal: harmless, and cut by the width it is displayed with."""

from __future__ import annotations

import unicodedata
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator

ELLIPSIS = "…"


class Cut(Enum):
    """Which part of a text gives way when it does not fit."""

    END = "end"
    MIDDLE = "middle"


@lru_cache(maxsize=65536)
def visible(text: str) -> str:
    """The text on one line with nothing in it that a terminal acts on, or that measures differently there than here.

    Control characters get their picture (`␛`), other invisible ones (directions, joiners, line separators) their code.
    Joiners, variation selectors and skin tones of emoji are left out: terminals disagree about the width they make.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, unicodedata.normalize("NFC", text)))


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if char in "\u200d\ufe0e\ufe0f" or 0x1F3FB <= code <= 0x1F3FF:
        return ""
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"):
        return f"‹{code:02x}›"
    return char


def cut(text: str, width: int, where: Cut = Cut.END) -> str:
    """The text in at most `width` cells, with an ellipsis where something was left out."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    if where is Cut.END or width < 5:
        return _head(text, width - 1) + ELLIPSIS
    # Ids differ at their ends, and their beginning says what kind they are: the end gets the larger half.
    tail = _tail(text, (width - 1 + 1) // 2)
    return _head(text, width - 1 - cell_len(tail)) + ELLIPSIS + tail


def fit(text: str, width: int, where: Cut = Cut.END, *, right: bool = False) -> str:
    """The text in exactly `width` cells."""
    shown = cut(text, width, where)
    blank = " " * (width - cell_len(shown))
    return blank + shown if right else shown + blank


def wrapped(text: str, width: int, most: int) -> Iterator[str]:
    """The text on at most so many lines; what does not fit them is cut off the last."""
    for _ in range(most - 1):
        head, text = _split(text, width)
        yield head
        if not text:
            return
    yield cut(text, width)


def _split(text: str, width: int) -> tuple[str, str]:
    """The text up to the last space that fits, and the rest. A word is broken where it would leave half the line empty
    and has no room on the next one either."""
    if cell_len(text) <= width:
        return text, ""
    head = _head(text, width)
    at = len(head) if text[len(head)] == " " else head.rfind(" ")
    word = text[at + 1 :].partition(" ")[0]
    at = at if at > width // 2 or (at > 0 and cell_len(word) <= width) else len(head)
    return text[:at], text[at:].strip()


def _head(text: str, width: int) -> str:
    """The longest beginning of at most `width` cells."""
    used = 0
    for at, char in enumerate(text):
        used += cell_len(char)
        if used > width:
            return text[:at]
    return text


def _tail(text: str, width: int) -> str:
    """The longest end of at most `width` cells, not beginning with a mark that belongs to the character before."""
    used, start = 0, len(text)
    while start and (used := used + cell_len(text[start - 1])) <= width:
        start -= 1
    while start < len(text) and unicodedata.combining(text[start]):
        start += 1
    return text[start:]
