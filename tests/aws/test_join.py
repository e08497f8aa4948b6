"""Two lists of the same nodes, in any order of their pages: the end is always the same."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.aws.decode import Instance, Managed
from ssm_tui.aws.join import NodeJoin
from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing
from ssm_tui.domain.nodes import Node, Ping
from tests.builders import SEOUL

IDS = [f"i-{n}" for n in range(6)]
Step = tuple[str, list[str]]
EC2_NARROWED = Narrowing(ec2=(("tag-key", ("env",)),))
SSM_NARROWED = Narrowing(ssm=(("PingStatus", ("Online",)),))


def listed(join: NodeJoin, steps: list[Step], terminated: frozenset[str] = frozenset()) -> dict[str, Node]:
    """What a consumer holds in the end: later pages replace earlier ones."""
    held: dict[str, Node] = {}
    for kind, ids in steps:
        match kind:
            case "ssm":
                nodes = join.managed([Managed(id=i, name=f"pc-{i}", ping=Ping.ONLINE, agent_version="3") for i in ids])
            case "ec2":
                nodes = join.instances(
                    [
                        Instance(
                            id=i, state="terminated" if i in terminated else "running", vpc="vpc-1", tags={"Name": i}
                        )
                        for i in ids
                    ]
                )
            case "ssm ends":
                nodes = join.all_managed_read()
            case "ssm fails":
                nodes = join.managed_failed()
            case _:
                nodes = join.instances_failed()
        held |= {node.id: node for node in nodes}
    return held


@st.composite
def steps_of(draw: st.DrawFn, ssm: list[str], ec2: list[str], ssm_end: str, ec2_end: str) -> list[Step]:
    """Both lists, a node a page, each with its end behind it, in any order of the two."""
    lists = {
        "ssm": [*(("ssm", [i]) for i in draw(st.permutations(ssm))), (ssm_end, list[str]())],
        "ec2": [*(("ec2", [i]) for i in draw(st.permutations(ec2))), (ec2_end, list[str]())],
    }
    if ec2_end == "ec2 ends":  # nothing follows from that
        lists["ec2"].pop()
    whose = draw(st.permutations([name for name, steps in lists.items() for _ in steps]))
    return [lists[name].pop(0) for name in whose]


SOME = st.lists(st.sampled_from(IDS), unique=True)


@given(SOME, SOME, st.frozensets(st.sampled_from(IDS), max_size=2), st.data())
def test_the_order_of_pages_does_not_matter(
    ssm: list[str], ec2: list[str], terminated: frozenset[str], data: st.DataObject
) -> None:
    steps = data.draw(steps_of(ssm, ec2, "ssm ends", "ec2 ends"))
    held = listed(NodeJoin(SEOUL, "1"), steps, terminated)
    assert set(held) == {*ssm, *(each for each in ec2 if each not in terminated)}
    for node in held.values():
        assert node.ping is (Ping.ONLINE if node.id in ssm else Ping.UNMANAGED)
        assert node.vpc == ("vpc-1" if node.id in ec2 else None)
        assert node.name == (node.id if node.id in ec2 else f"pc-{node.id}")
        assert node.account == "1"


@given(
    SOME, SOME, st.sampled_from([EC2_NARROWED, SSM_NARROWED, Narrowing(EC2_NARROWED.ec2, SSM_NARROWED.ssm)]), st.data()
)
def test_what_a_narrowed_list_leaves_out_is_no_node(
    ssm: list[str], ec2: list[str], narrowing: Narrowing, data: st.DataObject
) -> None:
    steps = data.draw(steps_of([*ssm, "mi-1"], ec2, "ssm ends", "ec2 ends"))
    held = listed(NodeJoin(SEOUL, "1", narrowing), steps)
    wanted = {each for each in ssm if not narrowing.ec2 or each in ec2}
    wanted |= {each for each in ec2 if not narrowing.ssm or each in ssm}
    assert set(held) == {*wanted, "mi-1"}


@given(SOME, SOME, st.sampled_from(["ssm", "ec2"]), st.data())
def test_a_narrowed_list_that_failed_leaves_out_nothing(
    ssm: list[str], ec2: list[str], failed: Literal["ssm", "ec2"], data: st.DataObject
) -> None:
    narrowing = EC2_NARROWED if failed == "ec2" else SSM_NARROWED
    ends = ("ssm ends", "ec2 fails") if failed == "ec2" else ("ssm fails", "ec2 ends")
    held = listed(NodeJoin(SEOUL, "1", narrowing), data.draw(steps_of(ssm, ec2, *ends)))
    assert set(held) == {*ssm, *ec2}
    if failed == "ssm":
        assert {held[each].ping for each in ec2 if each not in ssm} <= {Ping.UNKNOWN}


@pytest.mark.parametrize("end", [[], [("ssm fails", [])]])
def test_without_the_end_of_ssm_nothing_is_called_unmanaged(end: list[Step]) -> None:
    held = listed(NodeJoin(SEOUL, "1", NOTHING_NARROWED), [("ec2", ["i-0"]), *end])
    assert held["i-0"].ping is Ping.UNKNOWN
