"""The message gateway: the websocket server between a session's client and the agent on the node.

Boundary: the control plane opens, resumes and terminates sessions here from any thread; clients come over the websocket
with a token; the agent's side (`ssm_tui.demo.agent`) runs in the gateway's event loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.demo.agent import REAL, UNPACED, FarNetwork, FarRefused, FarTimeout, Pace, SessionOrder
from ssm_tui.demo.agent.order import FarError, FarNameError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "REAL",
    "UNPACED",
    "FarError",
    "FarNameError",
    "FarNetwork",
    "FarRefused",
    "FarTimeout",
    "Gateway",
    "Pace",
    "Patience",
    "SessionOrder",
]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the gateway waits, in seconds."""

    client: float = 60.0
    """For a client that never connected, or went away and may resume."""
    dial: float = 5.0
    """For a far host that does not answer; AWS's agent waits for the kernel, two minutes."""


class Gateway:
    """One websocket server and the sessions behind it.

    `folder` is a private folder in which nodes get their homes. `on_ended` is called once for every session that has
    ended, with its id and a reason (`""` for an ordinary end), in the event loop's thread; it must return quickly.
    """

    def __init__(
        self,
        network: FarNetwork,
        *,
        folder: Path,
        pace: Pace = UNPACED,
        on_ended: Callable[[str, str], None],
        patience: Patience | None = None,
    ) -> None:
        self._network = network
        self._folder = folder
        self._pace = pace
        self._on_ended = on_ended
        self._patience = patience or Patience()

    async def start(self) -> int:
        """Listens on a free loopback port and returns it."""
        raise NotImplementedError

    def open(self, order: SessionOrder) -> tuple[str, str]:
        """Prepares a session: its token and its StreamUrl. Thread-safe."""
        raise NotImplementedError

    def resume(self, session_id: str) -> tuple[str, str] | None:
        """A new token and the same StreamUrl; None when the session is gone. Thread-safe."""
        raise NotImplementedError

    def terminate(self, session_id: str) -> bool:
        """Ends a session; its client gets channel_closed. False when there is none by that id. Thread-safe."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Ends every session and every process behind them, and closes the port."""
        raise NotImplementedError
