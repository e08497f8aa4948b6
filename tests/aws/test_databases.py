"""Reading databases from the demo cloud over the wire, and what single responses decode to."""

from __future__ import annotations

import pytest

from ssm_tui.aws import caches, databases
from ssm_tui.aws.live import AwsCloud
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.databases import Database, DatabasePage, Kind, Role
from ssm_tui.domain.networks import Network, Source
from ssm_tui.errors import AccessDeniedError
from tests.aws.conftest import LISTING, Administrator, allow, cloud_of, deny
from tests.builders import SEOUL


def read(cloud: AwsCloud) -> tuple[dict[str, Database], Network, list[Note]]:
    pages: list[DatabasePage] = list(cloud.database_pages())
    return (
        {database.id: database for page in pages for database in page.databases},
        next(page.network for page in pages if page.network is not None),
        [note for page in pages for note in page.notes],
    )


def test_every_kind_is_listed_with_its_guards(admin: Administrator) -> None:
    found, network, notes = read(cloud_of(admin.profile(allow(*LISTING))))
    assert not notes
    roles = {id_: (database.kind, database.role) for id_, database in found.items()}
    assert roles["orders"] == (Kind.RDS, Role.INSTANCE)
    assert roles["billing"] == (Kind.RDS, Role.INSTANCE)
    assert roles["catalog"] == (Kind.AURORA, Role.WRITER)
    assert roles["catalog/reader"] == (Kind.AURORA, Role.READER)
    assert roles["orders-proxy"] == (Kind.PROXY, Role.PROXY)
    assert roles["sessions"] == (Kind.ELASTICACHE, Role.WRITER)
    members = {role for id_, (kind, role) in roles.items() if kind is Kind.AURORA and id_.startswith("catalog-")}
    assert members == {Role.WRITER, Role.READER}
    for database in found.values():
        assert database.vpc, database.id
        assert database.endpoint
        assert database.account == "123456789012"
        assert set(database.security_groups) <= {group.id for group in network.groups}
        assert database.security_groups
    orders = found["orders"]
    assert (orders.engine, orders.port, orders.database, orders.user) == ("postgres", 5432, "orders", "app")
    assert found["billing"].port == 3306
    assert found["catalog"].endpoint != found["catalog/reader"].endpoint


@pytest.mark.parametrize(
    ("denied", "gone", "word"),
    [
        ("rds:DescribeDBInstances", {"orders", "billing"}, "RDS databases"),
        ("rds:DescribeDBProxies", {"orders-proxy"}, "RDS proxies"),
        ("elasticache:DescribeCacheClusters", {"sessions"}, "ElastiCache"),
    ],
)
def test_a_service_that_is_denied_is_a_note(admin: Administrator, denied: str, gone: set[str], word: str) -> None:
    found, _, notes = read(cloud_of(admin.profile(allow(*LISTING), deny(denied))))
    assert not gone & set(found)
    assert found
    assert len(notes) == 1
    assert word in notes[0].message
    assert denied in notes[0].message + notes[0].hint


def test_clusters_denied_leave_the_instances(admin: Administrator) -> None:
    found, _, notes = read(cloud_of(admin.profile(allow(*LISTING), deny("rds:DescribeDBClusters"))))
    assert "orders" in found
    assert "catalog" not in found
    assert "rds:DescribeDBClusters" in notes[0].message + notes[0].hint


@pytest.mark.parametrize("source", [Source.GROUPS, Source.ACLS, Source.TABLES, Source.SUBNETS])
def test_a_part_of_the_networks_that_is_denied_is_a_note(admin: Administrator, source: Source) -> None:
    found, network, notes = read(cloud_of(admin.profile(allow(*LISTING), deny(source.value))))
    assert "orders" in found
    assert source not in network.read
    (note,) = notes
    assert source.value in note.hint
    assert not note.partial, "no row is missing"


def test_everything_denied_is_an_error(admin: Administrator) -> None:
    with pytest.raises(AccessDeniedError):
        read(cloud_of(admin.profile(allow("ssm:*"))))


def test_a_database_without_an_endpoint_is_left_out() -> None:
    creating = {"DBInstanceIdentifier": "new", "Engine": "postgres", "DBInstanceStatus": "creating"}
    assert databases.instance(creating, SEOUL, None, {}) is None


def test_a_cluster_tells_its_network_by_its_members() -> None:
    member = {"DBInstanceIdentifier": "c-1", "DBClusterIdentifier": "c", "DBSubnetGroup": {"VpcId": "vpc-9"}}
    raw = {"DBClusterIdentifier": "c", "Engine": "aurora-mysql", "Port": 3306, "Endpoint": "w", "ReaderEndpoint": "r"}
    found = list(databases.cluster(raw, SEOUL, None, databases.cluster_networks([member])))
    assert [(each.id, each.endpoint, each.vpc) for each in found] == [("c", "w", "vpc-9"), ("c/reader", "r", "vpc-9")]


def test_a_proxy_asks_for_iam_when_one_of_its_ways_does() -> None:
    raw = {"DBProxyName": "p", "Endpoint": "e", "EngineFamily": "MYSQL", "Auth": [{"IAMAuth": "REQUIRED"}]}
    found = databases.proxy(raw, SEOUL, None)
    assert found is not None
    assert (found.port, found.iam_auth) == (3306, True)


def test_a_replication_group_in_cluster_mode_has_one_endpoint() -> None:
    raw = {"ReplicationGroupId": "g", "ConfigurationEndpoint": {"Address": "cfg", "Port": 6379}, "NodeGroups": [{}]}
    assert [each.endpoint for each in caches.replication_group(raw, SEOUL, None, {})] == ["cfg"]
