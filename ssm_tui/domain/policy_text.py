"""The text of a policy, and the statements in it that decided. Pure, and tolerant of texts that are no policy."""

from __future__ import annotations

import json
from fnmatch import translate
from re import IGNORECASE, match
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN, _CLOSED = "{[", "}]"


class _Statement(NamedTuple):
    first: int
    last: int
    content: dict[str, Any]


def quoted(document: str, action: str, *, allow: bool, lines: tuple[int, int] | None = None) -> str:
    """The statements of the document that allow or forbid the action, as JSON; all of it where none can be told.

    `lines` are the first and the last of what IAM's simulation names (StartPosition, EndPosition; from 1): it counts
    from the end of what stands before the statement. Many policies are one line, which names nothing: then the effect
    and the action choose.
    """
    found = list(_statements(document))
    if lines is not None:
        found = [each for each in found if lines[0] <= each.first and each.last <= lines[1]] or found
    effect = "Allow" if allow else "Deny"
    chosen = [each for each in found if each.content.get("Effect") == effect and _is_about(each.content, action)]
    if not (chosen or found):
        return document.strip()
    return "\n".join(json.dumps(each.content, ensure_ascii=False, indent=2) for each in chosen or found)


def _statements(document: str) -> Iterator[_Statement]:
    """Objects directly in the document or in a list directly in it: a policy has no others than its statements."""
    depths: list[tuple[str, int]] = []
    in_text = escaped = False
    line = 1
    first = 0
    for at, sign in enumerate(document):
        if sign == "\n":
            line += 1
        elif in_text:
            in_text, escaped = escaped or sign != '"', not escaped and sign == "\\"
        elif sign == '"':
            in_text = True
        elif sign in _OPEN:
            depths.append((sign, at))
            if _outermost(depths):
                first = line
        elif sign in _CLOSED and depths:
            whole = _outermost(depths)
            start = depths.pop()[1]
            if whole:
                content = _read(document[start : at + 1])
                if content is not None:
                    yield _Statement(first, line, content)


def _outermost(depths: list[tuple[str, int]]) -> bool:
    return "".join(sign for sign, _ in depths) in ("{{", "{[{")


def _read(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _is_about(statement: dict[str, Any], action: str) -> bool:
    """Whether its Action, or NotAction, takes the action in. Case does not count there."""
    named = statement.get("NotAction", statement.get("Action", ()))
    patterns = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    found = any(match(translate(str(pattern).replace("[", "[[]")), action, IGNORECASE) for pattern in patterns)
    return found != ("NotAction" in statement)
