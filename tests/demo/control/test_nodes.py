"""Listing managed nodes through the wire: pages, filters, errors, and how the register follows EC2."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.control.conftest import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.demo_cloud import Caller


def information(caller: Caller, **arguments: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = caller.client("ssm").describe_instance_information(**arguments)
        found += page["InstanceInformationList"]
        if "NextToken" not in page:
            return found
        arguments["NextToken"] = page["NextToken"]


def test_pages_hold_ten_unless_told_otherwise(developer: Caller) -> None:
    page = developer.client("ssm").describe_instance_information()
    assert len(page["InstanceInformationList"]) == 10
    whole = information(developer)
    by_fifty = information(developer, MaxResults=50)
    assert [each["InstanceId"] for each in whole] == [each["InstanceId"] for each in by_fifty]
    assert len({each["InstanceId"] for each in whole}) == len(whole) >= 47


@pytest.mark.parametrize("size", [4, 51])
def test_page_size_has_awss_limits(developer: Caller, size: int) -> None:
    ssm = developer.client("ssm")
    code, message = refusal(ssm.describe_instance_information, MaxResults=size)
    assert code == "ValidationException"
    assert f"Value '{size}' at 'maxResults' failed to satisfy constraint" in message


def test_pages_of_other_services_have_their_limits_too(developer: Caller, instance: Callable[..., str]) -> None:
    ec2, rds, cache = developer.client("ec2"), developer.client("rds"), developer.client("elasticache")
    for size in (4, 1001):
        assert refusal(ec2.describe_instances, MaxResults=size)[0] == "InvalidParameterValue"
    both = refusal(ec2.describe_instances, MaxResults=5, InstanceIds=[instance("web-1")])
    assert both[0] == "InvalidParameterCombination"
    assert refusal(ec2.describe_instances, InstanceIds=["mi-0a1b2c3d4e5f60718"])[0].startswith("InvalidInstanceID")
    for call in (rds.describe_db_instances, rds.describe_db_clusters, cache.describe_replication_groups):
        assert refusal(call, MaxRecords=19)[0] == "InvalidParameterValue"
        call(MaxRecords=20)
    assert ec2.describe_instances(MaxResults=5)["NextToken"]


def test_properties_come_by_the_thousand_with_what_ec2_knows(developer: Caller) -> None:
    nodes = developer.client("ssm").describe_instance_properties()["InstanceProperties"]
    assert len(nodes) >= 47
    web = next(each for each in nodes if each["Name"] == "web-1")
    assert (web["InstanceState"], web["InstanceType"], web["PlatformName"]) == ("running", "t3.medium", "Ubuntu")
    assert web["AvailabilityZone"] == "ap-northeast-2a"
    (reservation,) = developer.client("ec2").describe_instances(InstanceIds=[web["InstanceId"]])["Reservations"]
    assert abs(web["LaunchTime"] - reservation["Instances"][0]["LaunchTime"]) < timedelta(seconds=2)
    assert web["LaunchTime"] < datetime.now(UTC) - timedelta(days=1)
    assert any(each["Name"] == "[/x]\x1b]0;pwned\x07" for each in nodes)
    assert refusal(developer.client("ssm").describe_instance_properties, MaxResults=1001)[0] == "ValidationException"


def test_a_token_is_good_for_its_own_query_alone(developer: Caller) -> None:
    ssm = developer.client("ssm")
    token = ssm.describe_instance_information()["NextToken"]
    other = [{"Key": "PingStatus", "Values": ["Online"]}]
    assert refusal(ssm.describe_instance_information, NextToken=token, Filters=other)[0] == "InvalidNextToken"
    assert refusal(ssm.describe_instance_information, NextToken="nonsense")[0] == "InvalidNextToken"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("PingStatus", "ConnectionLost", {"web-lost", "web-stopped"}),
        ("tag:team", "search", {"검색-index-1", "검색-index-2", "검색-index-3", "검색-index-4"}),
        ("ResourceType", "ManagedInstance", {"온프레미스-db-1", "[/x]\x1b]0;pwned\x07"}),
        ("AgentVersion", "3.0.161.0", {"web-legacy"}),
        ("PlatformTypes", "Windows", {f"legacy-batch-{number}" for number in range(1, 6)}),
    ],
)
def test_filters(developer: Caller, key: str, value: str, expected: set[str]) -> None:
    names = {each["InstanceId"]: each["Name"] for each in _properties(developer)}
    found = information(developer, MaxResults=50, Filters=[{"Key": key, "Values": [value]}])
    # Others may have come since: what must be there is, what must not is not.
    listed = {names[each["InstanceId"]] for each in found}
    assert expected <= listed
    assert "web-1" not in listed


def test_filters_of_both_kinds_and_wrong_ones(developer: Caller, instance: Callable[..., str]) -> None:
    ssm = developer.client("ssm")
    web = instance("web-1")
    old = [{"key": "InstanceIds", "valueSet": [web]}]
    listed = ssm.describe_instance_information(InstanceInformationFilterList=old)["InstanceInformationList"]
    assert [each["InstanceId"] for each in listed] == [web]
    new = [{"Key": "AgentVersion", "Values": ["3.3.0.0"], "Operator": "LessThan"}]
    older = ssm.describe_instance_properties(FiltersWithOperator=new)["InstanceProperties"]
    assert [each["Name"] for each in older] == ["web-legacy"]
    wrong_key = [{"Key": "Colour", "Values": ["red"]}]
    assert refusal(ssm.describe_instance_information, Filters=wrong_key)[0] == "InvalidFilterKey"
    wrong_value = [{"Key": "PingStatus", "Values": ["Asleep"]}]
    code = refusal(ssm.describe_instance_information, Filters=wrong_value)[0]
    assert code == "InvalidInstanceInformationFilterValue"


def test_connection_status(developer: Caller, instance: Callable[..., str]) -> None:
    ssm = developer.client("ssm")
    assert ssm.get_connection_status(Target=instance("web-1"))["Status"] == "connected"
    assert ssm.get_connection_status(Target=instance("web-lost"))["Status"] == "notconnected"
    assert ssm.get_connection_status(Target="i-0123456789abcdef0")["Status"] == "notconnected"


def test_hybrid_nodes_keep_their_tags_in_systems_manager(developer: Caller, administrator: Caller) -> None:
    node = {"ResourceType": "ManagedInstance", "ResourceId": "mi-0a1b2c3d4e5f60718"}
    administrator.client("ssm").add_tags_to_resource(**node, Tags=[{"Key": "rack", "Value": "7"}])
    tags = developer.client("ssm").list_tags_for_resource(**node)["TagList"]
    assert {"Key": "rack", "Value": "7"} in tags
    administrator.client("ssm").remove_tags_from_resource(**node, TagKeys=["rack"])
    assert {"Key": "rack", "Value": "7"} not in developer.client("ssm").list_tags_for_resource(**node)["TagList"]


def test_the_fleets_unmanaged_instances_are_not_registered(developer: Caller, instance: Callable[..., str]) -> None:
    assert not {instance("web-without-role"), instance("batch-locked")} & _ids(developer)
    assert instance("edge-isolated", "us-east-1") not in _ids(developer, "us-east-1")


def test_an_instance_registers_once_it_has_a_role(developer: Caller, administrator: Caller) -> None:
    ec2 = administrator.client("ec2")
    with _new_instance(administrator, "app-a") as node:
        assert node not in _ids(developer)
        made = ec2.associate_iam_instance_profile(InstanceId=node, IamInstanceProfile={"Name": "app-node"})
        assert _ping(developer, node) == "Online"
        association = made["IamInstanceProfileAssociation"]["AssociationId"]
        ec2.disassociate_iam_instance_profile(AssociationId=association)
        assert _ping(developer, node) == "ConnectionLost"


def test_an_instance_registers_once_the_endpoints_admit_it(developer: Caller, administrator: Caller) -> None:
    ec2 = administrator.client("ec2")
    named = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["endpoints"]}])
    with _new_instance(administrator, "locked-a", profile="app-node") as node:
        assert node not in _ids(developer)
        own = ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
        admission = {
            "GroupId": named["SecurityGroups"][0]["GroupId"],
            "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": f"{own}/32"}]}
            ],
        }
        ec2.authorize_security_group_ingress(**admission)
        assert _ping(developer, node) == "Online"
        ec2.revoke_security_group_ingress(**admission)
        assert _ping(developer, node) == "ConnectionLost"


def test_a_new_instance_registers_stops_starts_and_leaves(administrator: Caller, developer: Caller) -> None:
    with _new_instance(administrator, "app-a", profile="app-node") as node:
        assert _ping(developer, node) == "Online"
        ec2 = administrator.client("ec2")
        ec2.stop_instances(InstanceIds=[node])
        assert _ping(developer, node) == "ConnectionLost"
        ec2.start_instances(InstanceIds=[node])
        assert _ping(developer, node) == "Online"
    assert node not in _ids(developer)


@contextlib.contextmanager
def _new_instance(administrator: Caller, subnet: str, *, profile: str = "", region: str = "") -> Iterator[str]:
    ec2 = administrator.client("ec2", region)
    found = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": [subnet]}])["Subnets"][0]["SubnetId"]
    role: dict[str, Any] = {"IamInstanceProfile": {"Name": profile}} if profile else {}
    made = ec2.run_instances(ImageId="ami-0a1a2a3a4a5a6a7a8", MinCount=1, MaxCount=1, SubnetId=found, **role)
    node = str(made["Instances"][0]["InstanceId"])
    try:
        yield node
    finally:
        ec2.terminate_instances(InstanceIds=[node])


def _properties(caller: Caller, region: str = "") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = caller.client("ssm", region).describe_instance_properties()["InstanceProperties"]
    return listed


def _ids(caller: Caller, region: str = "") -> set[str]:
    return {each["InstanceId"] for each in _properties(caller, region)}


def _ping(caller: Caller, node: str) -> str:
    return next(str(each["PingStatus"]) for each in _properties(caller) if each["InstanceId"] == node)
