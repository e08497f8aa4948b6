"""How long the service and its agents wait for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds."""

    client: float = 60.0
    """For a client that never connected, or went away and may resume."""
    dial: float = 5.0
    """For a far host that does not answer; AWS's agent waits for the kernel, two minutes."""
    idle: float = 0.0
    """For data on a session; 0 is for ever. In AWS 20 minutes, unless the account prefers another time."""
    longest: float = 0.0
    """For a session's end, whatever it does; 0 is for ever, as in AWS unless the account prefers a bound."""
