"""Which relays have led to each database, so that among equals the one that worked last is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.store.files import KeptFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ssm_tui.domain.tunnels import TunnelRequest

MOST: Final = 300
"""Databases that are remembered; those that were reached longest ago are forgotten first."""
RELAYS: Final = 5
"""Relays that are remembered of each."""


class UsedRelays:
    """`relays.json` in the folder: ids of nodes by the database's endpoint, the latest first. Implements `RelayMemory`
    (ssm_tui.sessions.tunnels.means)."""

    def __init__(self, folder: Path) -> None:
        self._file: KeptFile[dict[str, tuple[str, ...]]] = KeptFile(
            folder / "relays.json", dict[str, tuple[str, ...]], {}
        )

    def read(self) -> Mapping[str, tuple[str, ...]]:
        """Those of every database."""
        return self._file.read()

    def reached(self, request: TunnelRequest, target: str) -> None:
        """The far end was reached through this node."""
        endpoint = request.host
        if request.database is None or not endpoint:
            return

        def changed(kept: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
            before = kept.get(endpoint, ())
            if before[:1] == (target,):
                return kept
            used = (target, *(each for each in before if each != target))[:RELAYS]
            others = [(each, its) for each, its in kept.items() if each != endpoint]
            return dict([*others, (endpoint, used)][-MOST:])

        self._file.change(changed)
