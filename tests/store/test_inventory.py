"""The last known rows of contexts: whole or set aside, of one origin, and never in the way."""

from __future__ import annotations

import os
import random
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.domain.access import NO_ANSWERS
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.networks import Attachment, Peering, Permission, PrefixList, TransitTable
from ssm_tui.domain.nodes import Node, Ping, Platform
from ssm_tui.domain.snapshots import Snapshot
from ssm_tui.store import inventory
from ssm_tui.store.inventory import KeptRows, clear
from tests.builders import HOSTILE, SEOUL, VIRGINIA, database, group, network, node

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RULE = Permission("tcp", 5432, 5432, cidrs=("10.0.0.0/8",), groups=("sg-app",), prefix_lists=("pl-1",))
NETWORK = network(
    group("sg-db", RULE),
    prefix_lists=(PrefixList("pl-1", ("10.3.0.0/16",)),),
    peerings=(Peering("pcx-1", ("vpc-1", "vpc-2"), "active"),),
    attachments=(Attachment("tgw-attach-1", "tgw-1", "vpc-1", "available", "tgw-rtb-1", ("subnet-1",), True),),
    transit_tables=(TransitTable("tgw-rtb-1", ()),),
)
FULL = Node(
    id="i-1", context=SEOUL, account="123456789012", name=HOSTILE, ping=Ping.LOST, last_ping=SINCE, state="running",
    platform=Platform.WINDOWS, os="Windows", agent_version="3.3", ip="10.0.0.1", vpc="vpc-1", subnet="subnet-1",
    az="ap-northeast-2a", role="app", instance_type="t3.nano", launched=SINCE, security_groups=("sg-1", "sg-2"),
    tags={"Name": HOSTILE, "env": "prod"}, cluster="shop", missing=("ECS Exec is off",),
)  # fmt: skip


def kept(folder: Path, *, origin: str = "keys-1", asked: str = "all") -> KeptRows:
    return KeptRows(folder / "rows", asked, lambda _profile: origin)


def snapshot(count: int = 3, context: Context = SEOUL) -> Snapshot:
    nodes = tuple(node(f"i-{number}", name=f"web-{number}", context=context) for number in range(count))
    return Snapshot(context, "123456789012", SINCE, nodes, (database(context=context),), NETWORK)


def recalled(rows: KeptRows, context: Context = SEOUL) -> Snapshot | None:
    """All portions as one."""
    whole: Snapshot | None = None
    for each in rows.recall(context):
        assert (each.context, each.account, each.since) == (context, "123456789012", SINCE)
        whole = each if whole is None else replace(
            whole,
            nodes=whole.nodes + each.nodes,
            databases=whole.databases + each.databases,
            network=whole.network or each.network,
        )  # fmt: skip
    return whole


def file_of(folder: Path) -> Path:
    (file,) = (folder / "rows").glob("*.rows")
    return file


def test_what_is_kept_comes_back_but_for_the_access(tmp_path: Path) -> None:
    before = replace(snapshot(), nodes=(FULL, node("mi-2"), Node(id="i-3", context=SEOUL)))
    assert recalled(kept(tmp_path)) is None
    assert not list(tmp_path.iterdir()), "reading makes nothing"
    kept(tmp_path).keep(before)
    after = recalled(kept(tmp_path))
    assert after == replace(before, nodes=tuple(replace(each, access=NO_ANSWERS) for each in before.nodes))
    assert stat.S_IMODE((tmp_path / "rows").stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "rows").iterdir()} == {0o600}


def test_a_row_has_what_a_node_has() -> None:
    of_node = [field.name for field in fields(Node)]
    assert [*inventory._Row.__struct_fields__] == [name for name in of_node if name not in ("context", "access")]


def test_the_first_portion_is_small_and_all_come_in_order(tmp_path: Path) -> None:
    before = snapshot(2500)
    kept(tmp_path).keep(before)
    portions = list(kept(tmp_path).recall(SEOUL))
    assert [len(each.nodes) for each in portions] == [100, 500, 500, 500, 500, 400, 0]
    assert [each.id for portion in portions for each in portion.nodes] == [each.id for each in before.nodes]


def test_contexts_have_a_file_each_and_the_newer_rows_replace_the_older(tmp_path: Path) -> None:
    rows = kept(tmp_path)
    rows.keep(snapshot(3))
    rows.keep(snapshot(5, VIRGINIA))
    rows.keep(snapshot(2))
    for context, count in ((SEOUL, 2), (VIRGINIA, 5)):
        found = recalled(kept(tmp_path), context)
        assert found is not None
        assert len(found.nodes) == count
    rows.forget(SEOUL)
    rows.forget(SEOUL)
    assert recalled(rows) is None
    assert recalled(rows, VIRGINIA) is not None


def test_rows_are_not_shown_under_other_keys_and_are_there_again_under_their_own(tmp_path: Path) -> None:
    kept(tmp_path, origin="keys-1").keep(snapshot(3))
    assert recalled(kept(tmp_path, origin="keys-2")) is None
    kept(tmp_path, origin="keys-2").keep(snapshot(1))
    found = recalled(kept(tmp_path, origin="keys-1"))
    assert found is not None
    assert len(found.nodes) == 3


def test_an_origin_is_that_of_the_read_until_the_credentials_are_renewed(tmp_path: Path) -> None:
    origin = "keys-1"
    rows = KeptRows(tmp_path / "rows", "all", lambda _profile: origin)
    assert recalled(rows) is None
    origin = "keys-2"  # the files have changed while rows read by the old keys are still on the screen
    rows.keep(snapshot())
    assert recalled(kept(tmp_path, origin="keys-2")) is None
    rows.renew(SEOUL.profile)
    rows.keep(snapshot(1))
    assert recalled(kept(tmp_path, origin="keys-2")) is not None


def test_a_copied_file_is_not_taken_for_another_contexts(tmp_path: Path) -> None:
    kept(tmp_path).keep(snapshot())
    mine = file_of(tmp_path)
    data = mine.read_bytes()
    kept(tmp_path).forget(SEOUL)
    kept(tmp_path).keep(snapshot(context=VIRGINIA))
    other = file_of(tmp_path)
    other.write_bytes(data)
    assert recalled(kept(tmp_path), VIRGINIA) is None
    assert other.with_name(f"{other.name}.broken").read_bytes() == data


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_a_file_of_something_else_is_set_aside(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept(folder).keep(snapshot())
        file = file_of(folder)
        file.write_bytes(data)
        assert recalled(kept(folder)) is None
        assert not file.exists()
        assert file.with_name(f"{file.name}.broken").read_bytes() == data
        kept(folder).keep(snapshot(1))
        assert recalled(kept(folder)) is not None


def test_damage_anywhere_shows_rows_as_they_were_or_none(tmp_path: Path) -> None:
    before = snapshot(1500)
    kept(tmp_path).keep(before)
    data = file_of(tmp_path).read_bytes()
    ids = [each.id for each in before.nodes]
    chance = random.Random(4)
    for _ in range(40):
        place = chance.randrange(len(data))
        damaged = data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :]
        for broken in (damaged, data[:place]):
            kept(tmp_path).keep(snapshot(1))
            file = file_of(tmp_path)
            file.write_bytes(broken)
            found = recalled(kept(tmp_path))
            shown = [each.id for each in found.nodes] if found else []
            assert shown == ids[: len(shown)]
            assert not file.exists(), "set aside"


@pytest.mark.parametrize(
    "change",
    [
        {"version": inventory.VERSION - 1},
        {"version": inventory.VERSION + 1},
        {"file": "other rows"},
        {"origin": "else"},
        {"since": 5},
    ],
)
def test_another_version_or_another_head_is_set_aside(tmp_path: Path, change: dict[str, object]) -> None:
    kept(tmp_path).keep(snapshot())
    file = file_of(tmp_path)
    data = file.read_bytes()
    length = int.from_bytes(data[:4])
    head = msgspec.msgpack.decode(data[8 : 8 + length]) | change
    file.write_bytes(inventory._piece(head) + data[8 + length :])
    assert recalled(kept(tmp_path)) is None
    assert file.with_name(f"{file.name}.broken").exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_folder_or_a_pipe_in_its_place_is_set_aside(tmp_path: Path, make: Callable[[Path], None]) -> None:
    kept(tmp_path).keep(snapshot())
    file = file_of(tmp_path)
    file.unlink()
    make(file)
    assert recalled(kept(tmp_path)) is None
    assert not file.exists()
    kept(tmp_path).keep(snapshot(1))
    assert recalled(kept(tmp_path)) is not None


def test_rows_that_are_replaced_while_they_are_recalled_are_the_old_ones_to_the_end(tmp_path: Path) -> None:
    kept(tmp_path).keep(snapshot(1500))
    portions = kept(tmp_path).recall(SEOUL)
    first = next(portions)
    kept(tmp_path).keep(snapshot(1))
    assert len(first.nodes) + sum(len(each.nodes) for each in portions) == 1500


def test_what_no_file_can_hold_or_no_folder_takes_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept(tmp_path).keep(snapshot(1))
    kept(tmp_path).keep(replace(snapshot(), nodes=(node("i-1", name="\ud800"),)))
    found = recalled(kept(tmp_path))
    assert found is not None
    assert found.nodes[0].name == "web-0"
    (tmp_path / "file").write_text("")
    rows = KeptRows(tmp_path / "file" / "rows", "all", str)
    rows.keep(snapshot())
    rows.found((SEOUL,))
    rows.forget(SEOUL)
    assert rows.contexts() == ()
    assert recalled(rows) is None
    assert "cannot be written" in caplog.text


def test_the_contexts_of_each_choice_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "ASKED", 2)
    for name, contexts in (("one", (SEOUL,)), ("both", (SEOUL, VIRGINIA)), ("one", (VIRGINIA,)), ("third", ())):
        kept(tmp_path, asked=name).found(contexts)
    assert kept(tmp_path, asked="one").contexts() == (VIRGINIA,)
    assert kept(tmp_path, asked="third").contexts() == ()
    assert kept(tmp_path, asked="both").contexts() == (), "forgotten, for it was asked for longest ago"


def test_rows_that_nobody_has_read_for_long_are_removed(tmp_path: Path) -> None:
    kept(tmp_path).keep(snapshot())
    old = time.time() - (inventory.KEPT_DAYS + 1) * 86400
    os.utime(file_of(tmp_path), (old, old))
    kept(tmp_path).keep(snapshot(context=VIRGINIA))
    assert recalled(kept(tmp_path)) is None
    assert recalled(kept(tmp_path), VIRGINIA) is not None


def test_clearing_leaves_nothing(tmp_path: Path) -> None:
    assert clear(tmp_path / "rows") == 0
    rows = kept(tmp_path)
    rows.found((SEOUL,))
    rows.keep(snapshot())
    rows.keep(snapshot(context=VIRGINIA))
    assert clear(tmp_path / "rows") == 2
    assert not list(tmp_path.iterdir())
    assert recalled(kept(tmp_path)) is None
