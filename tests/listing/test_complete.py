"""`ls --json` is complete and the same in whatever order pages and nodes arrive; and how many calls it takes."""

from __future__ import annotations

import contextlib
import io
import json
import random

import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.cli import main
from tests.listing.conftest import Listed, Stand, at
from tests.wire import Fleet, Wire

pytestmark = pytest.mark.xdist_group("complete")  # they compare with what was told once
FLEET = 250
LISTS = ("ec2:DescribeInstances", "ssm:DescribeInstanceProperties", "tagging:GetResources")


@pytest.fixture(scope="module")
def told() -> str:
    """What `ls --json` says where pages come in order."""
    out = io.StringIO()
    with Wire(_fleet()) as wire, at(wire), contextlib.redirect_stdout(out):
        assert main(["ls", "--json"]) == 0
    assert len(json.loads(out.getvalue())) == FLEET
    return out.getvalue()


def _fleet(order: int | None = None) -> Fleet:
    return Fleet(FLEET, hybrid=0.1, unmanaged=0.2, order=order)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_whatever_the_order(told: str, stand: Stand, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    dice = random.Random(seed)
    wire = stand(_fleet(order=seed))
    wire.plan.hollow = seed % 2 == 1
    wire.plan.page_bounds = {operation: dice.randint(5, 90) for operation in LISTS}
    for operation in LISTS:
        for ordinal in range(1, 8):
            wire.plan.delay(operation, ordinal, dice.random() * 0.05)
    assert Listed(capsys, "--json").out == told


@pytest.mark.parametrize("late", LISTS)
def test_the_same_where_one_list_comes_after_all_others(
    told: str, stand: Stand, capsys: pytest.CaptureFixture[str], late: str
) -> None:
    stand(_fleet()).plan.delay(late, 1, 0.4)
    assert Listed(capsys, "--json").out == told


@pytest.mark.parametrize(("nodes", "hybrid", "tagging"), [(1_000, 0.0, 0), (10_000, 0.01, 1)])
def test_ten_thousand_nodes_are_read_in_22_calls(stand: Stand, nodes: int, hybrid: float, tagging: int) -> None:
    wire = stand(Fleet(nodes, hybrid=hybrid, unmanaged=hybrid))
    assert len(_read(wire)) == nodes
    counted = wire.plan.counted()
    # Whether there are clusters, whose containers are nodes of another kind.
    assert counted.pop("ecs:ListClusters", 0) <= 1
    assert counted.pop("tagging:GetResources", 0) == tagging
    pages = nodes // 1_000
    assert counted == {
        "sts:GetCallerIdentity": 1,
        "ec2:DescribeInstances": pages,
        "ssm:DescribeInstanceProperties": pages,
    }
    assert sum(counted.values()) + tagging <= 22


def _read(wire: Wire) -> set[str]:
    clouds = AwsClouds()
    (context,) = clouds.contexts()
    return {node.id for page in clouds.open(context).node_pages() for node in page.nodes}
