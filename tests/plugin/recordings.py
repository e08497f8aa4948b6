"""Reads the recordings of real traffic in vectors/ into typed values."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of a recording: a websocket frame, or (kind "event") something else that happened."""

    n: int
    ms: float
    connection: int
    from_client: bool
    kind: str
    payload: bytes
    lost: bool
    origin: str
    event: dict[str, Any]


def recording_names(*, agent_legs: bool = False) -> list[str]:
    names = sorted(path.name.removesuffix(".jsonl") for path in VECTORS.glob("*.jsonl"))
    return [name for name in names if agent_legs or not name.endswith(".agent-leg")]


def header(name: str) -> dict[str, Any]:
    with (VECTORS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        value: dict[str, Any] = json.loads(next(lines))
        return value


def load(name: str) -> list[Recorded]:
    with (VECTORS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        next(lines)
        return [_recorded(json.loads(line)) for line in lines]


def load_json(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return value


def _recorded(line: dict[str, Any]) -> Recorded:
    return Recorded(
        n=line.get("n", 0),
        ms=line["ms"],
        connection=line.get("conn", 0),
        from_client=line.get("dir", "").startswith(("client->", "agent->")),
        kind=line.get("kind", "event"),
        payload=base64.b64decode(line.get("b64", "")),
        lost=bool(line.get("lost")),
        origin=line.get("origin", ""),
        event=line if "event" in line else {},
    )
