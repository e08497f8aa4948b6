"""What a picker lists: profiles and regions as rows of cells, with what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.accounts import ALL
from ssm_tui.ui.presentation.cells import Cell, Column, Tone, plain
from ssm_tui.ui.presentation.contexts import state_cell, state_of, summary_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.domain.accounts import Choice, Profile, Region
    from ssm_tui.domain.contexts import Context
    from ssm_tui.ui.readings import Reading

    Readings = Mapping[Context, Reading]


@dataclass(frozen=True, slots=True)
class Pick:
    """A line of a picker. `key` is what is picked by it, `words` what a filter is looked up in; a `fixed` one stands
    above the others, behind them while a filter finds it, and takes no mark where it is `alone`."""

    key: Hashable
    name: str
    cells: tuple[Cell, ...]
    words: str = ""
    fixed: bool = False
    alone: bool = False


class WayBack:
    """The key of the line that takes the choice back."""


WAY_BACK = WayBack()


def profile_columns() -> tuple[Column[Pick], ...]:
    """Of a picker of profiles."""
    return _columns(
        ("PROFILE", 0, 14, 40),
        ("STATE", 1, 8, 32),
        ("SIGNS IN", 3, 10, 44),
        ("ACCOUNT", 2, 12, 32),
        ("REGION", 4, 9, 16),
    )


def region_columns() -> tuple[Column[Pick], ...]:
    """Of a picker of regions."""
    return _columns(("REGION", 0, 14, 24), ("PLACE", 2, 10, 40), ("STATE", 1, 8, 40))


def _columns(*shapes: tuple[str, int, int, int]) -> tuple[Column[Pick], ...]:
    def cell(at: int) -> Callable[[Pick], Cell]:
        return lambda pick: pick.cells[at] if at < len(pick.cells) else ()

    return tuple(
        Column(title, cell(at), rank, least=least, most=most) for at, (title, rank, least, most) in enumerate(shapes)
    )


def profile_picks(
    profiles: Sequence[Profile], started: Choice, readings: Readings, aliases: Mapping[str, str], now: datetime
) -> list[Pick]:
    """The profiles behind the way back."""
    names = ", ".join(name or "default" for name in started.profiles or ())
    back = Pick(
        WAY_BACK,
        "as started",
        (plain("as started", Tone.ACCENT), (), plain(names, Tone.DIM)),
        "as started",
        fixed=True,
        alone=True,
    )
    return [back, *(_profile_pick(each, readings, aliases, now) for each in profiles)]


def _profile_pick(profile: Profile, readings: Readings, aliases: Mapping[str, str], now: datetime) -> Pick:
    own = {context: reading for context, reading in readings.items() if context.profile == profile.name}
    # Who AWS says it is comes before what the files say.
    account = next((reading.account for reading in own.values() if reading.account), None) or profile.account or ""
    alias = aliases.get(account, "")
    signs_in = (
        f"{profile.signs_in}, as {profile.role}"
        if profile.role and profile.role not in profile.signs_in
        else profile.signs_in
    )
    cells = (
        plain(profile.label, Tone.STRONG if own else Tone.PLAIN),
        _state(own.values(), now),
        plain(signs_in, Tone.DIM),
        plain(f"{alias} {account}".strip()),
        plain(profile.region, Tone.DIM),
    )
    words = " ".join(filter(None, (profile.label, account, alias, signs_in, profile.region)))
    return Pick(profile.name, profile.label, cells, words)


def region_picks(
    regions: Sequence[Region],
    started: Choice,
    readings: Readings,
    enabled: Mapping[str | None, Collection[str]],
    now: datetime,
) -> list[Pick]:
    """The regions behind the way back and all of them. `enabled` tells for profiles which are, where that is known."""
    names = ", ".join(started.regions or ()) or "each profile's own"
    back = (plain("as started", Tone.ACCENT), plain(names, Tone.DIM))
    every = (plain(ALL, Tone.ACCENT), plain("every region the account has enabled", Tone.DIM))
    return [
        Pick(WAY_BACK, "as started", back, "as started", fixed=True, alone=True),
        Pick(ALL, "all of them", every, ALL, fixed=True),
        *(_region_pick(each, readings, enabled, now) for each in regions),
    ]


def _region_pick(
    region: Region, readings: Readings, enabled: Mapping[str | None, Collection[str]], now: datetime
) -> Pick:
    own = {context: reading for context, reading in readings.items() if context.region == region.name}
    without = [profile or "default" for profile, names in enabled.items() if region.name not in names]
    state = _state(own.values(), now)
    if without and not own:
        which = "" if len(without) == len(enabled) else f" in {', '.join(without)}"
        state = plain(f"not enabled{which}", Tone.DIM)
    name = plain(region.name, Tone.STRONG if own else Tone.PLAIN)
    return Pick(region.name, region.name, (name, plain(region.place, Tone.DIM), state), f"{region.name} {region.place}")


def _state(readings: Collection[Reading], now: datetime) -> Cell:
    if len(readings) == 1:
        return state_cell(next(iter(readings)), now)
    return summary_cell(map(state_of, readings))
