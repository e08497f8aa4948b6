"""What the details and the warnings tell of a container."""

from __future__ import annotations

from datetime import UTC, datetime

from ssm_tui.domain.access import SessionKind
from ssm_tui.domain.nodes import Ping, Platform
from ssm_tui.ui.flows.desktop import has_desktop
from ssm_tui.ui.presentation.copies import node_copies
from ssm_tui.ui.presentation.details import node_details
from ssm_tui.ui.presentation.obstacles import doubt
from tests.builders import node

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID = "ecs:shop_0a1b_0a1b-77"
OFF = "its task was started without ECS Exec: aws ecs update-service --cluster shop"


def test_the_details_tell_cluster_launch_type_and_the_command_of_ecs_exec() -> None:
    found = node_details(node(ID, name="api/app", cluster="shop", instance_type="FARGATE"), NOW)
    facts = {each.name: each.value for each in found.facts}
    assert (facts["cluster"], facts["type"]) == ("shop", "FARGATE")
    assert found.command.startswith("aws ecs execute-command --cluster shop --task 0a1b --container app ")
    assert not [each for each in found.findings if each.name == "missing"]
    assert found.command in [each.text for each in node_copies(node(ID, name="api/app"))]


def test_what_is_missing_is_told_in_full_and_instead_of_what_machines_lack() -> None:
    off = node(ID, name="api/app", ping=Ping.UNMANAGED, missing=(OFF, "and more"))
    found = node_details(off, NOW)
    assert [each.text for each in found.findings if each.name == "missing"] == [OFF, "and more"]
    assert not [each for each in found.findings if "AmazonSSMManagedInstanceCore" in each.text]
    against = doubt(off, SessionKind.SHELL, NOW)
    assert against is not None
    assert OFF in against.check


def test_windows_containers_have_no_desktop() -> None:
    assert has_desktop(node("i-1", platform=Platform.WINDOWS))
    assert not has_desktop(node(ID, platform=Platform.WINDOWS))
