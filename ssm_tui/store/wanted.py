"""Which tunnels are open now, so that those that a power cut or a kill ended are offered at the next start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.tunnels import TunnelRequest  # noqa: TC001 - msgspec looks the fields' types up at run time
from ssm_tui.store import processes
from ssm_tui.store.files import KeptFile
from ssm_tui.store.keys import key

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Open:
    """A tunnel of a process, by its local port: of one machine's tunnels no two have the same."""

    pid: int
    process: str
    port: int
    request: TunnelRequest

    @property
    def lives(self) -> bool:
        return processes.identity(self.pid) == self.process


class WantedTunnels:
    """`wanted.json` in the folder; implements `TunnelMemory` (ssm_tui.sessions.tunnels.local_end).

    Every method blocks briefly; none raises.
    """

    def __init__(self, folder: Path) -> None:
        self._file: KeptFile[tuple[_Open, ...]] = KeptFile(folder / "wanted.json", tuple[_Open, ...], ())
        self._pid = os.getpid()
        self._process = processes.identity(self._pid) or ""

    def opened(self, request: TunnelRequest, port: int) -> None:
        """This process has the tunnel open now, on that local port; nobody needs to be offered it."""
        mine, name = _Open(self._pid, self._process, port, request), key(request)

        def stays(each: _Open) -> bool:
            left_over = key(each.request) == name and not each.lives
            return not left_over and not self._mine(each, port)

        self._file.change(lambda kept: (*filter(stays, kept), mine))

    def closed(self, port: int) -> None:
        """This process has no tunnel on the port any more: its user ended it, or it failed for good."""
        self._file.change(lambda kept: tuple(each for each in kept if not self._mine(each, port)))

    def left_over(self) -> tuple[TunnelRequest, ...]:
        """The tunnels of processes that ended without closing them, each once, oldest first."""
        return tuple({key(each.request): each.request for each in self._file.read() if not each.lives}.values())

    def forget(self) -> None:
        """None of those that are left over is offered again."""
        self._file.change(lambda kept: tuple(each for each in kept if each.lives))

    def _mine(self, each: _Open, port: int) -> bool:
        return (each.pid, each.process, each.port) == (self._pid, self._process, port)
