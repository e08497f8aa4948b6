"""The relays that led to databases, from run to run."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from ssm_tui.store import relays
from ssm_tui.store.relays import UsedRelays
from tests.builders import database
from tests.store.requests import tunnel

ORDERS = replace(tunnel(), host="orders.internal", database=database())


def test_the_latest_relay_comes_first_and_a_few_are_kept(tmp_path: Path) -> None:
    for number in range(relays.RELAYS + 2):
        UsedRelays(tmp_path).reached(ORDERS, f"i-{number}")
    UsedRelays(tmp_path).reached(ORDERS, "i-4")
    assert UsedRelays(tmp_path).read() == {"orders.internal": ("i-4", "i-6", "i-5", "i-3", "i-2")}
    assert stat.S_IMODE((tmp_path / "relays.json").stat().st_mode) == 0o600


def test_only_databases_are_remembered_and_the_oldest_forgotten(tmp_path: Path) -> None:
    used = UsedRelays(tmp_path)
    used.reached(replace(ORDERS, database=None), "i-1")
    used.reached(replace(ORDERS, host=""), "i-1")
    assert not used.read()
    for number in range(relays.MOST + 1):
        used.reached(replace(ORDERS, host=f"db-{number}"), "i-1")
    assert len(used.read()) == relays.MOST
    assert "db-0" not in used.read()
