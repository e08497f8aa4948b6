"""What the user has chosen about the list while the program ran, kept from run to run. Plain values."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - whoever keeps it looks the fields' types up at run time
from dataclasses import dataclass, field

from ssm_tui.domain.listing import Arrangement


@dataclass(frozen=True, slots=True)
class Choices:
    """`columns` are those behind the name, in their order, None while the settings' are shown; `filters` those saved
    from the screen, by name."""

    arrangement: Arrangement = field(default_factory=Arrangement)
    columns: tuple[str, ...] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
