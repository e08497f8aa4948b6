"""Which local port each tunnel had, so that it has the same one in the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from ssm_tui.store.files import KeptFile
from ssm_tui.store.keys import key

if TYPE_CHECKING:
    from pathlib import Path

    from ssm_tui.domain.tunnels import TunnelRequest

MOST: Final = 500
"""Those that were given a port longest ago are forgotten first."""
_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Ports:
    """`ports.json` in the folder; implements `PortMemory` (ssm_tui.sessions.local.ports)."""

    def __init__(self, folder: Path) -> None:
        self._file: KeptFile[dict[str, int]] = KeptFile(folder / "ports.json", dict[str, _Port], {})

    def recall(self, request: TunnelRequest) -> int | None:
        """The port that the tunnel had."""
        return self._file.read().get(key(request))

    def keep(self, request: TunnelRequest, port: int) -> None:
        """The port that the tunnel has from now on."""
        name = key(request)

        def changed(kept: dict[str, int]) -> dict[str, int]:
            if kept.get(name) == port:
                return kept
            others = [(each, its) for each, its in kept.items() if each != name]
            return dict([*others, (name, port)][-MOST:])

        self._file.change(changed)

    def others(self, request: TunnelRequest) -> frozenset[int]:
        """The ports of all other tunnels."""
        name = key(request)
        return frozenset(port for each, port in self._file.read().items() if each != name)
