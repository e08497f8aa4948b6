"""The ports that tunnels keep from run to run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ssm_tui.domain.contexts import Context
from ssm_tui.store import ports
from ssm_tui.store.ports import Ports
from tests.builders import VIRGINIA, database
from tests.store.requests import tunnel


def test_a_tunnel_has_its_port_again_in_the_next_run(tmp_path: Path) -> None:
    assert Ports(tmp_path).recall(tunnel()) is None
    Ports(tmp_path).keep(tunnel(), 15432)
    Ports(tmp_path).keep(tunnel("other"), 15433)
    assert Ports(tmp_path).recall(tunnel()) == 15432
    assert Ports(tmp_path).others(tunnel()) == {15433}
    Ports(tmp_path).keep(tunnel(), 16000)
    assert Ports(tmp_path).recall(tunnel()) == 16000


def test_what_is_the_same_tunnel_and_what_is_not(tmp_path: Path) -> None:
    kept = Ports(tmp_path)
    base = tunnel()
    kept.keep(base, 15432)
    same = [replace(base, target="i-2"), replace(base, title="orders"), replace(base, local_port=1)]
    assert [kept.recall(each) for each in same] == [15432] * 3
    different = [
        replace(base, host="db2"),
        replace(base, host=""),
        replace(base, port=5433),
        replace(base, context=VIRGINIA),
        replace(base, context=Context(None, base.context.region)),
        replace(base, database=database(account="111122223333")),
    ]
    assert [kept.recall(each) for each in different] == [None] * 6


def test_one_account_through_two_profiles_is_the_same(tmp_path: Path) -> None:
    request = replace(tunnel(), database=database(account="111122223333"))
    Ports(tmp_path).keep(request, 15432)
    assert Ports(tmp_path).recall(replace(request, context=Context("admin", request.context.region))) == 15432


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "MOST", 3)
    kept = Ports(tmp_path)
    for number, host in enumerate(["a", "b", "c", "a", "d"]):
        kept.keep(tunnel(host), 20000 + number)
    assert [kept.recall(tunnel(host)) for host in "abcd"] == [20003, None, 20002, 20004]


def test_a_number_that_is_no_port_makes_the_file_a_broken_one(tmp_path: Path) -> None:
    Ports(tmp_path).keep(tunnel(), 15432)
    file = tmp_path / "ports.json"
    file.write_text(file.read_text().replace("15432", "70000"))
    assert Ports(tmp_path).recall(tunnel()) is None
    assert (tmp_path / "ports.json.broken").exists()
