"""What nodes reach, by live state: the far network over a fleet seeded in this process, changed by ordinary calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.demo.agent import FarNameError, FarRefused, FarTimeout
from tests.demo.control.world import IN_ONE_PROCESS, POSTGRES, REDIS, World

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = IN_ONE_PROCESS


@pytest.fixture
def reach(world: World) -> Callable[..., tuple[str, int]]:
    return lambda name, host, port, region="": world.network.resolve(world.node(name, region), host, port)


Reach = Any


def test_every_endpoint_leads_to_the_server_of_its_engine(world: World, reach: Reach) -> None:
    rds, cache = world.administrator.client("rds"), world.administrator.client("elasticache")
    cluster = rds.describe_db_clusters()["DBClusters"][0]
    proxy = rds.describe_db_proxies()["DBProxies"][0]["Endpoint"]
    for host in (world.host("orders"), world.host("catalog-2"), cluster["Endpoint"], cluster["ReaderEndpoint"], proxy):
        assert reach("결제-api-1", host, 5432) == POSTGRES
        assert reach("결제-api-1", f"{host.upper()}.", 5432) == POSTGRES
    shard = cache.describe_replication_groups()["ReplicationGroups"][0]["NodeGroups"][0]
    member = cache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"][0]["CacheNodes"][0]["Endpoint"]
    assert member == shard["NodeGroupMembers"][0]["ReadEndpoint"]
    for endpoint in (shard["PrimaryEndpoint"], member):
        assert reach("web-1", endpoint["Address"], endpoint["Port"]) == REDIS


def test_names_are_those_of_aws(world: World) -> None:
    assert world.host("orders").startswith("orders.c")
    assert world.host("orders").endswith(".ap-northeast-2.rds.amazonaws.com")
    cluster = world.administrator.client("rds").describe_db_clusters()["DBClusters"][0]
    label = world.host("orders").split(".")[1]
    assert cluster["Endpoint"] == f"catalog.cluster-{label}.ap-northeast-2.rds.amazonaws.com"
    group = world.administrator.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    assert group["NodeGroups"][0]["PrimaryEndpoint"]["Address"].endswith(".ng.0001.apn2.cache.amazonaws.com")


def test_a_group_that_is_not_admitted_gets_no_answer(world: World, reach: Reach) -> None:
    cluster = world.administrator.client("rds").describe_db_clusters()["DBClusters"][0]["Endpoint"]
    with pytest.raises(FarTimeout):
        reach("web-1", cluster, 5432)
    with pytest.raises(FarTimeout):
        reach("web-1", world.host("orders"), 5433)


def test_names_resolve_in_their_own_vpc_alone(world: World, reach: Reach) -> None:
    orders = world.host("orders")
    for name, region in (("legacy-batch-1", ""), ("edge-1", "us-east-1")):
        with pytest.raises(FarNameError, match=r"lookup orders\..* no such host"):
            reach(name, orders, 5432, region)
    for host in ("no.such.host", "example.com"):
        with pytest.raises(FarNameError):
            reach("web-1", host, 5432)
    with pytest.raises(FarNameError):
        world.network.resolve("mi-0a1b2c3d4e5f60718", orders, 5432)


def test_an_engine_without_a_server_refuses(world: World, reach: Reach) -> None:
    with pytest.raises(FarRefused, match="connection refused"):
        reach("legacy-batch-1", world.host("billing"), 3306)


def test_addresses_of_other_machines(world: World, reach: Reach) -> None:
    found = world.administrator.client("ec2").describe_instances(InstanceIds=[world.node("web-2")])
    address = found["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    with pytest.raises(FarRefused):
        reach("결제-api-1", address, 443)
    with pytest.raises(FarTimeout):
        reach("결제-api-1", address, 22)
    with pytest.raises(FarTimeout):
        reach("결제-api-1", "203.0.113.9", 443)


def test_a_changed_group_changes_what_is_reached(world: World, reach: Reach) -> None:
    ec2, orders = world.administrator.client("ec2"), world.host("orders")
    rule: dict[str, Any] = {
        "GroupId": world.group("orders-db"),
        "IpPermissions": [
            {
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "UserIdGroupPairs": [{"GroupId": world.group("app-node")}],
            }
        ],
    }
    ec2.revoke_security_group_ingress(**rule)
    with pytest.raises(FarTimeout):
        reach("결제-api-1", orders, 5432)
    assert reach("web-1", orders, 5432) == POSTGRES
    ec2.authorize_security_group_ingress(**rule)
    assert reach("결제-api-1", orders, 5432) == POSTGRES
    everywhere: dict[str, Any] = {
        "GroupId": world.group("app-node"),
        "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    }
    ec2.revoke_security_group_egress(**everywhere)
    with pytest.raises(FarTimeout):
        reach("결제-api-1", orders, 5432)
    ec2.authorize_security_group_egress(**everywhere)
    assert reach("결제-api-1", orders, 5432) == POSTGRES


def test_a_database_that_stops_or_goes(world: World, reach: Reach) -> None:
    rds = world.administrator.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="passing",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="app",
        MasterUserPassword="a-password",
        DBSubnetGroupName="orders-subnets",
        VpcSecurityGroupIds=[world.group("orders-db")],
    )
    host = world.host("passing")
    assert reach("web-1", host, 5432) == POSTGRES
    rds.stop_db_instance(DBInstanceIdentifier="passing")
    with pytest.raises(FarTimeout):
        reach("web-1", host, 5432)
    rds.delete_db_instance(DBInstanceIdentifier="passing", SkipFinalSnapshot=True)
    with pytest.raises(FarNameError):
        reach("web-1", host, 5432)
