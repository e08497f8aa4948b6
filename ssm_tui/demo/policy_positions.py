"""Where the statements of a policy document stand in its text, as IAM's simulation tells it. Pure."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Position(NamedTuple):
    """A place in a text, both counted from 1."""

    line: int
    column: int


class Span(NamedTuple):
    """From the statement's opening brace to behind its closing one."""

    start: Position
    end: Position


def statement_spans(text: str) -> tuple[Span, ...]:
    """One for each statement of the document (valid JSON), in their order; none where it is no object with some."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return ()
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # the colon
        if key == "Statement":
            return tuple(Span(_position(text, start), _position(text, end)) for start, end in _values(text, at))
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return ()


def _values(text: str, at: int) -> list[tuple[int, int]]:
    """A value by itself, or the elements of a list."""
    if text[at] != "[":
        return [(at, _DECODER.raw_decode(text, at)[1])]
    found: list[tuple[int, int]] = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        found.append((at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _position(text: str, at: int) -> Position:
    return Position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
