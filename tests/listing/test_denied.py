"""Each permission denied in turn: the list is made of what is left, and says what is missing and what would give it."""

from __future__ import annotations

import pytest

from tests.listing.conftest import Listed, Stand, facts
from tests.wire import Fleet, Trouble

FLEET = 60
FROM_EC2 = ("name", "ip", "vpc", "subnet", "az", "role", "tags", "platform", "state")
FROM_SSM = ("ping", "agent_version", "os", "ip", "role", "platform")
PROPERTIES, INFORMATION = "ssm:DescribeInstanceProperties", "ssm:DescribeInstanceInformation"
HYBRID_TAGS = ("tagging:GetResources", "ssm:ListTagsForResource")


def fleet() -> Fleet:
    return Fleet(FLEET, hybrid=0.1, unmanaged=0.2)


@pytest.fixture(scope="module")
def kept() -> list[Listed]:
    return []


@pytest.fixture
def whole(kept: list[Listed], stand: Stand, capsys: pytest.CaptureFixture[str]) -> Listed:
    """What is listed where everything is allowed, read once, which each test's own list is compared with."""
    if not kept:
        stand(fleet())
        kept.append(listed := Listed(capsys, "--json"))
        assert (listed.status, listed.err, len(listed.nodes)) == (0, "", FLEET)
    return kept[0]


@pytest.mark.parametrize(
    "denied",
    [
        (PROPERTIES,),
        (INFORMATION,),
        ("tagging:GetResources",),
        ("ssm:ListTagsForResource",),
        ("ecs:*",),
        ("ec2:DescribeRegions",),
    ],
)
def test_what_another_call_gives_too_is_not_missed(
    whole: Listed, stand: Stand, capsys: pytest.CaptureFixture[str], denied: tuple[str, ...]
) -> None:
    wire = stand(fleet())
    for operation in denied:
        wire.plan.add(Trouble.DENIED, operation)
    listed = Listed(capsys, "--json")
    assert listed.nodes == whole.nodes
    assert listed.status == 0


def test_without_the_accounts_alias_only_that_is_not_known(
    whole: Listed, stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    stand(fleet()).plan.add(Trouble.DENIED, "iam:ListAccountAliases")
    assert {node["account_alias"] for node in whole.nodes} == {"fleet-prod"}
    assert Listed(capsys, "--json").nodes == [node | {"account_alias": None} for node in whole.nodes]


def test_without_ssm_ec2_gives_its_part(whole: Listed, stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    wire = stand(fleet())
    for operation in (PROPERTIES, INFORMATION):
        wire.plan.add(Trouble.DENIED, operation)
    listed = Listed(capsys, "--json")
    instances = [node for node in whole.nodes if node["id"].startswith("i-")]
    assert [node["id"] for node in listed.nodes] == [node["id"] for node in instances]
    assert {node["ping"] for node in listed.nodes} == {"Unknown"}
    for ours, theirs in zip(listed.nodes, instances, strict=True):
        wanted = [name for name in FROM_EC2 if name != "platform" or ours["platform"]]
        assert facts(ours, *wanted) == facts(theirs, *wanted)
    assert PROPERTIES in listed.err


def test_without_ec2_ssm_gives_its_part(whole: Listed, stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    stand(fleet()).plan.add(Trouble.DENIED, "ec2:DescribeInstances")
    listed = Listed(capsys, "--json")
    managed = {node["id"]: node for node in whole.nodes if node["ping"] != "Unmanaged"}
    assert {node["id"] for node in listed.nodes} == set(managed)
    for node in listed.nodes:
        assert facts(node, *FROM_SSM) == facts(managed[node["id"]], *FROM_SSM)
    assert "ec2:DescribeInstances" in listed.err


def test_without_hybrid_tags_the_rest_is_whole(whole: Listed, stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    wire = stand(fleet())
    for operation in HYBRID_TAGS:
        wire.plan.add(Trouble.DENIED, operation)
    listed = Listed(capsys, "--json")
    assert {node["id"] for node in listed.nodes} == {node["id"] for node in whole.nodes}
    untagged = [node for node in listed.nodes if not node["tags"]]
    assert {node["id"][:3] for node in untagged} == {"mi-"}
    assert len(untagged) == 6
    assert any(operation in listed.err for operation in HYBRID_TAGS)


@pytest.mark.parametrize("denied", ["iam:*", "iam:SimulatePrincipalPolicy", "iam:GetContextKeysForPrincipalPolicy"])
def test_without_simulation_access_is_unknown_and_says_why(
    whole: Listed, stand: Stand, capsys: pytest.CaptureFixture[str], denied: str
) -> None:
    stand(fleet()).plan.add(Trouble.DENIED, denied)
    listed = Listed(capsys, "--json")
    assert [node["id"] for node in listed.nodes] == [node["id"] for node in whole.nodes]
    for node in listed.nodes:
        if node["ping"] != "Unmanaged":
            assert set(node["access"].values()) == {"unknown"}
            assert "denied" in node["access_reasons"]["shell"]


def test_without_any_list_it_is_an_error_that_names_a_permission(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    wire = stand(fleet())
    for operation in (PROPERTIES, INFORMATION, "ec2:DescribeInstances"):
        wire.plan.add(Trouble.DENIED, operation)
    listed = Listed(capsys, "--json")
    assert (listed.status, listed.out) == (1, "")
    assert PROPERTIES in listed.err
