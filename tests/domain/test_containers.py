"""Containers of ECS among the nodes: their ids, the command for a shell, and what they are no use for."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain import sessions
from ssm_tui.domain.containers import ContainerTarget, read_target
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.domain.nodes import NODE_FIELDS, Ping, Platform
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.domain.relays import choose_relay
from ssm_tui.domain.sessions import aws_argv, shell_on, shown
from ssm_tui.domain.ssh import Means, entries
from ssm_tui.errors import TargetError
from tests.builders import SEOUL, admits, database, group, network, node

ID = "ecs:my_shop_0a1b_0a1b-77"
CLUSTERS = st.text("abcXYZ019_-", min_size=1, max_size=12)
TASKS = st.text("abcdef0123456789-", min_size=1, max_size=12)
GUARD = Terrain(network(group("sg-db", admits("sg-app")), group("sg-app")))


@given(CLUSTERS, TASKS, TASKS)
def test_an_id_is_read_as_it_was_made(cluster: str, task: str, runtime: str) -> None:
    made = ContainerTarget(cluster, task, runtime)
    assert read_target(made.id) == made


@pytest.mark.parametrize(
    "text", ["", "ecs:", "ecs:shop", "ecs:shop_1", "i-0a1b2c3d4e5f60718", "ecs:a b_1_2", f"{ID}\n"]
)
def test_what_is_no_container(text: str) -> None:
    assert read_target(text) is None


def test_kinds_by_the_id() -> None:
    kinds = {"i-0a1b2c3d4e5f60718": NodeKind.EC2, "mi-0a1b2c3d4e5f60718": NodeKind.HYBRID, ID: NodeKind.ECS}
    for id_, kind in kinds.items():
        assert node(id_).kind is kind
        assert NODE_FIELDS["kind"](node(id_)) == (kind.value,)
    assert [node(id_).hybrid for id_ in kinds] == [False, True, False]
    assert [node(id_).container for id_ in kinds] == [False, False, True]
    assert node(ID, cluster="my_shop").values("cluster") == ("my_shop",)


def test_unmanaged_is_what_takes_no_sessions() -> None:
    assert [ping for ping in Ping if not node(ping=ping).managed] == [Ping.UNMANAGED]


def test_a_shell_in_one_is_ecs_exec() -> None:
    spec = shell_on(node(ID, name="api/app", platform=Platform.LINUX))
    assert shown(aws_argv(spec)) == (
        "aws ecs execute-command --cluster my_shop --task 0a1b --container app --interactive --command /bin/sh "
        "--profile dev --region ap-northeast-2"
    )
    windows = shell_on(node(ID, name="api/app", platform=Platform.WINDOWS))
    assert windows.command == "powershell.exe"


def test_a_shell_on_a_machine_is_what_it_was() -> None:
    assert shell_on(node("i-1"), reason="why") == sessions.shell(SEOUL, "i-1", reason="why")


def test_a_port_of_one_is_start_session() -> None:
    argv = shlex.split(shown(aws_argv(sessions.forward(SEOUL, ID, 8080))))
    assert argv[1:5] == ["ssm", "start-session", "--target", ID]


def test_a_target_that_is_none_is_refused() -> None:
    with pytest.raises(TargetError):
        sessions.checked_container("ecs:shop")


def test_ssh_knows_machines_alone() -> None:
    found, left_out = entries([node("i-0a1b2c3d4e5f60718", name="web"), node(ID, name="api/app")], Means())
    assert [each.patterns[-1] for each in found] == ["i-0a1b2c3d4e5f60718"]
    assert not left_out


def test_a_container_is_a_relay_behind_every_machine() -> None:
    machine = node("i-1", name="z", vpc="vpc-1", subnet="subnet-1", ip="10.1.0.5", security_groups=("sg-app",))
    task = node(
        ID,
        name="api/app",
        vpc="vpc-1",
        subnet="subnet-1",
        ip="10.1.0.5",
        security_groups=("sg-app",),
        tags={"env": "prod"},
    )
    orders = database(tags={"env": "prod"})
    assert choose_relay(orders, [task, machine], GUARD).node is machine
    alone = choose_relay(orders, [task], GUARD)
    assert (alone.node, alone.reachable) == (task, Reachable.YES)


def test_a_container_whose_network_is_not_known_is_none() -> None:
    assert choose_relay(database(), [node(ID, name="api/app")], GUARD).node is None
