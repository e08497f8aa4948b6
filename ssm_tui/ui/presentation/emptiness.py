"""Why a list is empty, and the key that helps: a line for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.errors import AccessDeniedError
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from collections.abc import Collection

    from ssm_tui.domain.listing import Counts
    from ssm_tui.ui.readings import Reading

SHOWN = 48  # cells of the filter that are repeated


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a list was made under: the filter as it was typed, how reading its part of each context stands; `failed`,
    not even the contexts could be found out."""

    part: str
    filter_text: str
    readings: Collection[Reading]
    failed: bool = False

    @property
    def filter_shown(self) -> str:
        """`«env=prod»`"""
        return f"«{cut(visible(self.filter_text.strip()), SHOWN)}»"


def why_no_nodes(under: Circumstances, counts: Counts, *, unmanaged: bool) -> str:
    """Of nodes; `unmanaged` says that unmanaged ones are listed too."""
    if any(each.lacking and not each.busy and not each.errors for each in under.readings):
        return f"No node is found by {under.filter_shown}.\nEsc clears the filter and reads all."
    hidden = 0 if unmanaged else counts.unmanaged
    total = counts.total - hidden
    if total and under.filter_text.strip():
        return _filtered(under, total) + (f"\n{hidden:,} unmanaged hidden: a shows them." if hidden else "")
    if hidden and not total:
        every = "The only node here is" if hidden == 1 else f"All {hidden:,} nodes here are"
        return f"{every} unmanaged: Systems Manager does not know of an agent.\na shows them."
    return why_nothing(under)


def why_no_databases(under: Circumstances, total: int) -> str:
    """Of databases."""
    return _filtered(under, total) if total and under.filter_text.strip() else why_nothing(under)


def _filtered(under: Circumstances, total: int) -> str:
    every = "The only one is" if total == 1 else f"All {total:,} are"
    return f"{every} filtered out by {under.filter_shown}.\nEsc clears the filter."


def why_nothing(under: Circumstances) -> str:
    """There are no rows at all: not read yet, not readable, or not there."""
    errors = [error for reading in under.readings if (error := reading.errors.get(under.part)) is not None]
    denied = [error for error in errors if isinstance(error, AccessDeniedError)]
    if denied and len(denied) == len(errors):
        return f"You may not list {under.part}{_permission(denied)}.\nr tries again once you may; below is more."
    if under.failed or errors:
        return f"The {under.part} could not be read; below is why.\nr tries again."
    if not under.readings or any(under.part in reading.parts for reading in under.readings):
        return "Reading …"
    notes = [note for reading in under.readings for note in reading.notes.get(under.part, ())]
    if notes:
        return "Nothing could be found of what may be read; below is what is missing.\nr reads again."
    return f"There are no {under.part} here.\nr reads again."


def _permission(errors: Collection[AccessDeniedError]) -> str:
    actions = ", ".join(dict.fromkeys(visible(error.action) for error in errors if error.action))
    return f": {actions} is denied" if actions else ""
