"""How many rows there are and are shown, in as few words as tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.listing import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable


def together(counts: Iterable[Counts]) -> Counts:
    """Of all contexts."""
    every = list(counts)
    return Counts(sum(c.shown for c in every), sum(c.total for c in every), sum(c.unmanaged for c in every))


def counted(counts: Counts, *, filtered: bool, unmanaged: bool, lacking: bool = False) -> str:
    """`214/1,204 + 37 unmanaged`: shown of all where a filter hides some, and how many are left out unless asked for;
    `unmanaged` says that they are, `lacking` that there may be others, which were not asked for: `214/214…`."""
    total = counts.total if unmanaged else counts.total - counts.unmanaged
    text = (f"{counts.shown:,}/{total:,}" if filtered else f"{total:,}") + ("…" if lacking else "")
    return text if unmanaged or not counts.unmanaged else f"{text} + {counts.unmanaged:,} unmanaged"


def marked(count: int, hidden: int) -> str:
    """`3 marked, 1 hidden`; nothing where nothing is marked."""
    if not count:
        return ""
    return f"{count:,} marked" + (f", {hidden:,} hidden" if hidden else "")
