"""Reading ECS from the demo cloud over the wire: the calls it takes, each denied in turn, tasks that come and go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ssm_tui.aws.live import AwsCloud
from ssm_tui.domain import sessions
from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.nodes import Node, Ping
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.domain.relays import choose_relay
from ssm_tui.errors import AwsError
from tests.aws.conftest import LISTING, REGION, SIMULATING, Administrator, allow, cloud_of, deny
from tests.aws.test_nodes import Recorder

EMPTY_REGION = "eu-west-1"


def read(cloud: AwsCloud) -> tuple[list[Node], list[Note]]:
    """The containers, and the notes."""
    inventory = Inventory()
    notes: list[Note] = []
    for page in cloud.node_pages():
        inventory.add(page.nodes)
        notes += page.notes
    return [node for node in inventory if node.container], notes


@pytest.fixture
def service(admin: Administrator) -> Iterator[str]:
    """A service of three tasks without ECS Exec, in a cluster of its own; the name of both."""
    ecs, name = admin.client("ecs"), "of_a_test"
    (known,) = ecs.describe_services(cluster="shop", services=["shop-api"])["services"]
    ecs.create_cluster(clusterName=name)
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=known["taskDefinition"],
        desiredCount=3,
        launchType="FARGATE",
        networkConfiguration=known["networkConfiguration"],
    )
    yield name
    ecs.update_service(cluster=name, service=name, desiredCount=0, forceNewDeployment=True)
    ecs.delete_service(cluster=name, service=name, force=True)
    ecs.delete_cluster(cluster=name)


def test_every_container_is_listed_in_its_network(admin: Administrator) -> None:
    found, notes = read(cloud_of(admin.profile(allow(*LISTING))))
    assert not notes
    assert sorted(node.name for node in found) == ["shop-admin/app", "shop-api/app", "shop-api/app"]
    for node in found:
        assert None not in (node.vpc, node.subnet, node.az, node.ip, node.launched, node.cluster)
        assert node.security_groups
        assert node.tags["team"] == "pay"
        assert node.managed is (node.name == "shop-api/app")


def test_an_account_without_ecs_costs_one_call(admin: Administrator) -> None:
    profile = admin.profile(allow(*LISTING))
    gateway = Asked(profile, EMPTY_REGION)
    found, notes = read(AwsCloud(Context(profile, EMPTY_REGION), gateway))
    assert (found, notes) == ([], [])
    assert gateway.asked_of_ecs() == ["list_clusters"]
    assert "describe_network_interfaces" not in [operation for operation, _ in gateway.asked]


def test_a_cluster_costs_three_calls_and_small_pages_give_the_same(admin: Administrator, service: str) -> None:
    profile = admin.profile(allow(*LISTING))
    gateway = Asked(profile)
    found, _ = read(AwsCloud(gateway.context, gateway))
    assert sorted(gateway.asked_of_ecs()) == ["describe_tasks"] * 2 + ["list_clusters"] + ["list_tasks"] * 2
    small = Asked(profile, page_size=1)
    same, _ = read(AwsCloud(small.context, small))
    by_id = sorted(found, key=lambda node: node.id)
    assert sorted(same, key=lambda node: node.id) == by_id
    assert small.asked_of_ecs().count("list_tasks") == 6
    assert sum(node.cluster == service for node in found) == 3


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("ecs:ListClusters", []),
        ("ecs:ListTasks", []),
        ("ecs:DescribeTasks", []),
        ("ec2:DescribeNetworkInterfaces", ["shop-admin/app", "shop-api/app", "shop-api/app"]),
    ],
)
def test_what_is_denied_is_one_note_and_the_machines_stay(admin: Administrator, action: str, left: list[str]) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING), deny(action)))
    found, notes = read(cloud)
    assert sorted(node.name for node in found) == left
    (note,) = notes
    assert action in note.message + note.hint
    assert not note.partial, "machines that are gone leave the list all the same"
    assert all(node.vpc is None for node in found)
    assert sum(len(page.nodes) for page in cloud.node_pages()) > 40


def test_a_note_is_told_once_for_many_clusters(admin: Administrator, service: str) -> None:
    found, notes = read(cloud_of(admin.profile(allow(*LISTING), deny("ecs:DescribeTasks"))))
    assert (found, len(notes)) == ([], 1), service


def test_turning_exec_on_as_the_sentence_says_lets_in(admin: Administrator, service: str) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING, "ecs:ExecuteCommand")))

    def mine() -> list[Node]:
        return [node for node in read(cloud)[0] if node.cluster == service]

    before = mine()
    assert {node.ping for node in before} == {Ping.UNMANAGED}
    assert all("--enable-execute-command" in sentence for node in before for sentence in node.missing)
    with pytest.raises(AwsError, match="was not enabled"):
        cloud.start_session(sessions.shell_on(before[0]))
    admin.client("ecs").update_service(
        cluster=service, service=service, enableExecuteCommand=True, forceNewDeployment=True
    )
    after = mine()
    assert {node.ping for node in after} == {Ping.ONLINE}
    assert not {node.id for node in before} & {node.id for node in after}
    started = cloud.start_session(sessions.shell_on(after[0]))
    assert started.session_id.startswith("ecs-execute-command-")
    assert started.token not in repr(started)
    admin.client("ssm").terminate_session(SessionId=started.session_id)


def test_the_task_alone_allowed_leaves_the_shell_unknown(admin: Administrator) -> None:
    on_tasks = allow("ecs:ExecuteCommand", resource="arn:aws:ecs:*:*:task/*")
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), on_tasks))
    found, _ = read(cloud)
    access = {key: each for portion in cloud.access(found) for key, each in portion.items()}
    assert {each.shell.verdict for each in access.values()} == {Verdict.UNKNOWN}
    assert all("cluster" in each.shell.reason for each in access.values())
    assert {
        each.of(kind).verdict for each in access.values() for kind in (SessionKind.FORWARD, SessionKind.REMOTE)
    } == {Verdict.DENIED}


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        ("ecs:container-name", "app", Verdict.ALLOWED),
        ("ecs:container-name", "proxy", Verdict.DENIED),
        ("ecs:ResourceTag/team", "pay", Verdict.ALLOWED),
        ("aws:ResourceTag/team", "web", Verdict.DENIED),
    ],
)
def test_conditions_of_ecs_are_understood(admin: Administrator, key: str, value: str, verdict: Verdict) -> None:
    entering = allow("ecs:ExecuteCommand", Condition={"StringEquals": {key: value}})
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), entering))
    found = [node for node in read(cloud)[0] if node.online]
    access = {node: each for portion in cloud.access(found) for node, each in portion.items()}
    assert {each.shell.verdict for each in access.values()} == {verdict}


def test_a_container_is_the_relay_where_policies_allow_tasks_alone(admin: Administrator) -> None:
    on_tasks = allow("ssm:StartSession", resource=["arn:aws:ecs:*:*:task/*", "arn:aws:ssm:*::document/AWS-*"])
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), on_tasks))
    inventory = Inventory()
    for page in cloud.node_pages():
        inventory.add(page.nodes)
    for answers in cloud.access(list(inventory)):
        inventory.learn(answers)
    pages = list(cloud.database_pages())
    (orders,) = {each.id: each for page in pages for each in page.databases if each.id == "orders"}.values()
    (network,) = [page.network for page in pages if page.network]
    relay = choose_relay(orders, list(inventory), Terrain(network))
    assert relay.reachable is Reachable.YES
    assert relay.node is not None
    assert relay.node.name == "shop-api/app"
    assert relay.node.online


class Asked(Recorder):
    """Which of ECS's calls were made; `page_size` is theirs alone."""

    def __init__(self, profile: str, region: str = REGION, page_size: int | None = None) -> None:
        super().__init__(profile)
        self.context = self._context = Context(profile, region)
        self._page_of_ecs = page_size

    def asked_of_ecs(self) -> list[str]:
        ours = ("list_clusters", "list_tasks", "describe_tasks")
        return [operation for operation, _ in self.asked if operation in ours]

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        size = self._page_of_ecs or page_size if service == "ecs" else page_size
        yield from super().pages(service, operation, page_size=size, **parameters)
