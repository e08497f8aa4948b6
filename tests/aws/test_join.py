"""Two lists of the same nodes, in any order of their pages: the end is always the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.aws.decode import Instance, Managed
from ssm_tui.aws.join import NodeJoin
from ssm_tui.domain.nodes import Node, Ping
from tests.builders import SEOUL

IDS = [f"i-{n}" for n in range(6)]


def listed(join: NodeJoin, steps: list[tuple[str, list[str]]]) -> dict[str, Node]:
    """What a consumer holds in the end: later pages replace earlier ones."""
    held: dict[str, Node] = {}
    for kind, ids in steps:
        if kind == "ssm":
            nodes = join.managed([Managed(id=i, name=f"pc-{i}", ping=Ping.ONLINE, agent_version="3") for i in ids])
        elif kind == "ec2":
            nodes = join.instances([Instance(id=i, state="running", vpc="vpc-1", tags={"Name": i}) for i in ids])
        else:
            nodes = join.all_managed_read()
        held |= {node.id: node for node in nodes}
    return held


@given(st.lists(st.sampled_from(IDS), unique=True), st.lists(st.sampled_from(IDS), unique=True), st.data())
def test_the_order_of_pages_does_not_matter(ssm: list[str], ec2: list[str], data: st.DataObject) -> None:
    pages = [("ssm", [i]) for i in ssm] + [("ec2", [i]) for i in ec2]
    shuffled = data.draw(st.permutations(pages))
    end = max((shuffled.index(("ssm", [i])) for i in ssm), default=-1) + 1
    at = data.draw(st.integers(end, len(shuffled)))
    steps = [*shuffled[:at], ("end", []), *shuffled[at:]]
    held = listed(NodeJoin(SEOUL, "1"), steps)
    assert set(held) == {*ssm, *ec2}
    for node in held.values():
        assert node.ping is (Ping.ONLINE if node.id in ssm else Ping.UNMANAGED)
        assert node.vpc == ("vpc-1" if node.id in ec2 else None)
        assert node.name == (node.id if node.id in ec2 else f"pc-{node.id}")


def test_without_the_end_of_ssm_nothing_is_called_unmanaged() -> None:
    held = listed(NodeJoin(SEOUL, "1"), [("ec2", ["i-0"])])
    assert held["i-0"].ping is Ping.UNKNOWN


def test_terminated_instances_are_left_out() -> None:
    join = NodeJoin(SEOUL, "1")
    assert join.instances([Instance(id="i-0", state="terminated")]) == []
    assert join.managed([Managed(id="i-0", ping=Ping.LOST)]) == []
    assert join.all_managed_read() == []
