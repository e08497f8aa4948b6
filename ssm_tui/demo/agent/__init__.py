"""The agent's side of a session: what runs on the node. One module per kind of session; knows no AWS API."""

from __future__ import annotations

from ssm_tui.demo.agent.order import (
    REAL,
    UNPACED,
    Encryption,
    FarError,
    FarNameError,
    FarNetwork,
    FarRefused,
    FarTimeout,
    KeyRefused,
    Pace,
    SessionOrder,
)

__all__ = [
    "REAL",
    "UNPACED",
    "Encryption",
    "FarError",
    "FarNameError",
    "FarNetwork",
    "FarRefused",
    "FarTimeout",
    "KeyRefused",
    "Pace",
    "SessionOrder",
]
