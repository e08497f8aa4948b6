"""Access to ten thousand nodes in as few calls of IAM as there are sets of tags and thousands of nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import pytest

from ssm_tui.aws.access import AT_ONCE, MOST, TOO_MANY
from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.aws.pacing import Pace
from ssm_tui.aws.throttling import ATTEMPTS
from ssm_tui.domain.access import Access, Cause, Decider, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.nodes import Node, NodeKey
from tests.listing.conftest import Stand, at
from tests.wire import Fleet, Trouble, Wire
from tests.wire.fleet import REGION
from tests.wire.plan import Policies

pytestmark = pytest.mark.xdist_group("simulations")  # they share what was read
MANY = 10_000
THREE = frozenset({"pay", "web", "data"})


def nodes_at(cloud: AwsCloud) -> list[Node]:
    inventory = Inventory()
    for page in cloud.node_pages():
        inventory.add(page.nodes)
    return list(inventory)


def judged(
    cloud: AwsCloud, nodes: Collection[Node], looked_at: Callable[[], Collection[NodeKey]] = tuple
) -> dict[NodeKey, Access]:
    return {key: access for portion in cloud.access(list(nodes), looked_at) for key, access in portion.items()}


def iam_calls(wire: Wire) -> int:
    return sum(count for operation, count in wire.plan.counted().items() if operation.startswith("iam:"))


def allowed(access: dict[NodeKey, Access]) -> set[str]:
    return {key.id for key, each in access.items() if each.shell.verdict is Verdict.ALLOWED}


@pytest.fixture(scope="module")
def many() -> Iterator[tuple[Wire, list[Node]]]:
    """Ten thousand nodes, read once: their list has tests of its own."""
    with Wire(Fleet(MANY)) as wire:
        with at(wire):
            nodes = nodes_at(AwsCloud(Context(None, REGION)))
        yield wire, nodes


@pytest.fixture
def wire(many: tuple[Wire, list[Node]]) -> Iterator[Wire]:
    wire, _ = many
    wire.plan.reset()
    wire.plan.policies = Policies(teams=THREE)
    with at(wire):
        yield wire


@pytest.fixture
def nodes(many: tuple[Wire, list[Node]]) -> list[Node]:
    return many[1]


def test_ten_thousand_nodes_and_a_policy_of_three_tags(wire: Wire, nodes: list[Node]) -> None:
    cloud = AwsCloud(Context(None, REGION))
    wire.plan.policies.allowed = frozenset({next(n.id for n in nodes if n.tags["team"] == "ops")})
    wire.plan.policies.forbidden = frozenset({next(n.id for n in nodes if n.tags["team"] == "pay")})
    access = judged(cloud, nodes)
    assert len(access) == len(nodes) == MANY
    by_tag = {node.id for node in nodes if node.tags["team"] in THREE}
    assert allowed(access) == (by_tag | wire.plan.policies.allowed) - wire.plan.policies.forbidden
    assert iam_calls(wire) <= 20  # the bound is 40
    # Read again, nothing but what would show a change is asked for.
    before = iam_calls(wire)
    assert judged(cloud, nodes) == access
    assert iam_calls(wire) - before <= 2 + 8


def test_what_is_looked_at_is_known_first(wire: Wire, nodes: list[Node]) -> None:
    cloud = AwsCloud(Context(None, REGION))
    screen = [node.key for node in nodes[5000:5040]]
    portions: Iterator[Collection[NodeKey]] = map(list, cloud.access(nodes, lambda: screen))
    first: set[NodeKey] = set()
    while not first.issuperset(screen):
        first.update(next(portions))
    assert len(first) < MANY / 4
    sum(map(len, portions))
    assert iam_calls(wire) <= 30


def test_a_smaller_bound_of_iams_is_found_out(wire: Wire, nodes: list[Node]) -> None:
    wire.plan.policies.most = 250
    nodes = nodes[:2000]
    access = judged(AwsCloud(Context(None, REGION)), nodes)
    assert allowed(access) == {node.id for node in nodes if node.tags["team"] in THREE}
    assert Verdict.UNKNOWN not in {each.shell.verdict for each in access.values()}


def test_an_answer_names_cause_resource_statement_and_tag(wire: Wire, nodes: list[Node]) -> None:
    cloud = AwsCloud(Context(None, REGION))
    pay, ops = (next(n for n in nodes if n.tags["team"] == team and not n.hybrid) for team in ("pay", "ops"))
    access = judged(cloud, [pay, ops])
    granted, denied = access[pay.key].ssh, access[ops.key].ssh
    assert granted.deciders == (Decider("Sessions", "user-managed", (3, 9)),)
    assert granted.tags == (("team", "pay"),)
    assert granted.resource == f"arn:aws:ec2:{REGION}:123456789012:instance/{pay.id}"
    assert (denied.verdict, denied.cause, denied.tags) == (Verdict.DENIED, Cause.IMPLICIT, (("team", "ops"),))
    wire.plan.policies.forbidden = frozenset({"AWS-StartSSHSession"})
    denied = judged(cloud, [pay])[pay.key].ssh
    assert (denied.cause, denied.resource) == (Cause.EXPLICIT, f"arn:aws:ssm:{REGION}::document/AWS-StartSSHSession")


def test_a_tag_with_too_many_values_costs_a_bounded_number_of_calls(wire: Wire, nodes: list[Node]) -> None:
    """Every node has a name of its own: what is looked at is known, the rest by and by, a bounded number each read."""
    wire.plan.policies = Policies(teams=frozenset({"web-00007"}), key="Name")
    clouds = AwsClouds()
    clouds.simulations = Pace(10 * MOST, 1000)  # nobody waits here for IAM's sake
    cloud = clouds.open(Context(None, REGION))
    screen = [node.key for node in nodes[700:740]]
    access = judged(cloud, nodes, lambda: screen)
    assert len(access) == MANY
    known = {key for key, each in access.items() if each.known}
    assert known >= set(screen)
    assert len(known) == MOST
    assert wire.plan.counted()["iam:SimulatePrincipalPolicy"] == MOST + 1
    assert {each.shell.reason for key, each in access.items() if key not in known} == {TOO_MANY.reason}
    # A quiet read asks about those alone that are not known.
    left = [node for node in nodes if node.key not in known]
    again = judged(cloud, left)
    assert sum(each.known for each in again.values()) == MOST


def test_nodes_that_come_later_cost_their_own_calls_alone(stand: Stand) -> None:
    wire = stand(Fleet(300, hybrid=0.0))
    wire.plan.policies = Policies(teams=THREE)
    cloud = AwsCloud(Context(None, REGION))
    nodes = nodes_at(cloud)
    judged(cloud, nodes[:100])
    judged(cloud, nodes[100:])
    before = iam_calls(wire)
    assert len(judged(cloud, nodes)) == len(nodes)
    assert iam_calls(wire) - before == 2 + len({node.tags["team"] for node in nodes})  # nothing but probes


def test_once_iam_asks_for_fewer_calls_no_more_are_made(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.aws.throttling.LONGEST", 0.001)  # seconds
    wire = stand(Fleet(300))
    wire.plan.policies = Policies(teams=frozenset({"web-00007"}), key="Name")
    wire.plan.add(Trouble.THROTTLED, "iam:SimulatePrincipalPolicy", first=12)
    cloud = AwsCloud(Context(None, REGION))
    nodes = nodes_at(cloud)
    access = judged(cloud, nodes)
    assert len(access) == len(nodes)
    assert sum(each.known for each in access.values()) == 10  # beside the documents
    assert wire.plan.counted()["iam:SimulatePrincipalPolicy"] <= 11 + AT_ONCE * ATTEMPTS
    assert {each.shell.reason for each in access.values() if not each.known} == {
        "AWS asked for fewer calls (iam:SimulatePrincipalPolicy: Throttling)"
    }
