"""What a check found: yes, no with the rule that is missing, or unknown with the permission that would tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ssm_tui.domain.databases import Reachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssm_tui.domain.networks import Source
    from ssm_tui.domain.reachability.terrain import Terrain


@dataclass(frozen=True, slots=True)
class Finding:
    """`why` in words, a clause without a full stop. `change` is one command that would allow it, where there is such a
    thing, `permission` the IAM action that would tell."""

    reachable: Reachable
    why: str = ""
    change: str = ""
    permission: str = ""

    @property
    def passes(self) -> bool:
        """Nothing stands in the way."""
        return self.reachable is Reachable.YES

    @property
    def blocks(self) -> bool:
        """Something does."""
        return self.reachable is Reachable.NO

    @property
    def unknown(self) -> bool:
        """It could not be told."""
        return self.reachable is Reachable.UNKNOWN


def passes(why: str = "") -> Finding:
    """Nothing here stands in the way."""
    return Finding(Reachable.YES, why)


def blocked(why: str, change: str = "") -> Finding:
    """Something here does."""
    return Finding(Reachable.NO, why, change.strip())


def unclear(why: str) -> Finding:
    """It depends on what no permission tells."""
    return Finding(Reachable.UNKNOWN, why)


def untold(source: Source, what: str) -> Finding:
    """`what` could not be read; the source would tell."""
    return Finding(Reachable.UNKNOWN, f"{what} could not be read: {source.value} would tell", "", source.value)


def missing(terrain: Terrain, source: Source, what: str) -> Finding:
    """`what` was not among the answers: they could not be read, or AWS shows it to another account."""
    return unclear(f"{what} is not shown to this account") if terrain.read(source) else untold(source, what)


def worst(findings: Iterable[Finding]) -> Finding:
    """Of checks that must all pass: the first that blocks, else the first that does not know, before all one that lacks
    no permission; else a pass."""
    found = list(findings)
    for each in found:
        if each.blocks:
            return each
    unknown = [each for each in found if each.unknown]
    if unknown:
        return min(unknown, key=lambda each: bool(each.permission))
    return passes(" and ".join(dict.fromkeys(each.why for each in found if each.why)))


def partly(findings: Iterable[Finding], but: Iterable[str]) -> Finding:
    """Of the parts of a whole, one of which it will be: what is so of all of them, else unknown. `but` says of each
    part which it is."""
    found = list(zip(findings, but, strict=True))
    unlike = {each.reachable for each, _ in found}
    if len(unlike) == 1:
        return found[0][0]
    for each, which in found:
        if each.blocks:
            return replace(each, reachable=Reachable.UNKNOWN, why=f"{each.why}, if it is {which}")
    return next(each for each, _ in found if each.unknown)
