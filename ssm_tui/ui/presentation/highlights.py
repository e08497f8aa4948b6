"""The parts of cells by which a filter has found their rows, as they are shown: made harmless, cut to a width."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from ssm_tui.domain.databases import DATABASE_FIELDS
from ssm_tui.domain.highlighting import Place, Spans, found
from ssm_tui.domain.nodes import NODE_FIELDS, Node
from ssm_tui.ui.presentation.text import ELLIPSIS, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.domain.filters import Filter
    from ssm_tui.ui.presentation.cells import Cell, Tone
    from ssm_tui.ui.presentation.databases import DatabaseRow

Found = tuple[str, Spans]
"""A text as it is shown in full, and where in it something was found."""

NOTHING_FOUND: Found = ("", ())


def shown_found(wanted: Filter, place: Place, text: str | None) -> Found:
    """What the filter finds in the text, as it is shown."""
    spans = found(wanted, place, text) if text else ()
    return (visible(text), in_visible(text, spans)) if text and spans else NOTHING_FOUND


def found_in_node(wanted: Filter, node: Node, column: str) -> Found:
    """What the filter finds in the column of this name."""
    match column:
        case "name":
            return shown_found(wanted, Place("name", "Name" if "Name" in node.tags else "", words=True), node.name)
        case "id" | "ip":
            return shown_found(wanted, Place(column, words=True), node.id if column == "id" else node.ip)
        case "os":
            return shown_found(wanted, Place("os"), node.os or node.platform)
        case "az":
            # The column shows the zone without its region.
            text, spans = shown_found(wanted, Place("az"), node.az)
            cut = text.rfind("-") + 1
            return text[cut:], tuple((max(start - cut, 0), end - cut) for start, end in spans if end > cut)
        case field if field in NODE_FIELDS:
            values = node.values(field)
            return shown_found(wanted, Place(field), values[0]) if len(values) == 1 else NOTHING_FOUND
        case tag:
            return shown_found(wanted, Place(tag=tag, words=True), node.tags.get(tag))


def found_in_database(wanted: Filter, row: DatabaseRow, column: str) -> Found:
    """The same for a database's column with this heading."""
    database = row.database
    match column:
        case "DATABASE":
            return shown_found(wanted, Place("id", words=True), database.id)
        case "ENDPOINT":
            return shown_found(wanted, Place("endpoint", words=True), database.endpoint)
        case _ if (field := column.casefold()) in DATABASE_FIELDS:
            values = database.values(field)
            return shown_found(wanted, Place(field), values[0]) if len(values) == 1 else NOTHING_FOUND
    return NOTHING_FOUND


def in_visible(text: str, spans: Spans) -> Spans:
    """The spans of a text in what is shown of it. A character that is composed of several is marked whole."""
    if text.isascii() and text.isprintable():
        return spans
    whole = visible(text)
    moved = ((_before(text, whole, start), _behind(text, whole, end)) for start, end in spans)
    return tuple((start, end) for start, end in moved if start < end)


def _place(text: str, whole: str, at: int) -> int | None:
    """Where the text's place is in what is shown of it; None within a character that is composed of several."""
    if 0 < at < len(text) and unicodedata.combining(text[at]):
        return None
    head = visible(text[:at])
    return len(head) if head + visible(text[at:]) == whole else None


def _before(text: str, whole: str, at: int) -> int:
    while (place := _place(text, whole, at)) is None:
        at -= 1
    return place


def _behind(text: str, whole: str, at: int) -> int:
    while (place := _place(text, whole, at)) is None:
        at += 1
    return place


def marked(cell: Cell, shown: Cell, found: Found) -> Iterator[tuple[str, Tone, bool]]:
    """The pieces of a cell as it is `shown`, cut to its width, each with whether it was found."""
    text, spans = found
    for at, (part, tone) in enumerate(shown):
        if not spans or at >= len(cell) or cell[at][0] != text:
            yield part, tone, False
            continue
        place = 0
        for start, end in after_cut(text, part, spans):
            if start > place:
                yield part[place:start], tone, False
            yield part[start:end], tone, True
            place = end
        if place < len(part):
            yield part[place:], tone, False
        spans = ()


def after_cut(text: str, part: str, spans: Spans) -> Spans:
    """The spans of a text in what was left of it by `text.cut`. Of what was left out the ellipsis tells."""
    if part == text:
        return spans
    head = next((at for at, char in enumerate(part) if char == ELLIPSIS and _parts(text, part, at)), None)
    if head is None:
        return ()
    left_out = len(text) - (len(part) - head - 1)  # where the tail begins in the text
    shift = left_out - head - 1
    found: list[tuple[int, int]] = []
    for start, end in spans:
        first = start if start < head else head if start < left_out else start - shift
        last = end if end <= head else head + 1 if end <= left_out else end - shift
        if found and first <= found[-1][1]:
            first = found.pop()[0]
        found.append((first, last))
    return tuple(found)


def _parts(text: str, part: str, at: int) -> bool:
    """Whether the ellipsis there stands for what is missing of the text."""
    return text.startswith(part[:at]) and text.endswith(part[at + 1 :]) and len(part) <= len(text) + 1
