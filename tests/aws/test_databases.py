"""Reading databases from the demo cloud over the wire, and what single responses decode to."""

from __future__ import annotations

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.databases import Database, DatabasePage, Kind, Role
from ssm_tui.domain.networks import Network, Source
from ssm_tui.domain.own import OwnDatabase
from ssm_tui.errors import AccessDeniedError
from tests.aws.conftest import LISTING, REGION, Administrator, allow, cloud_of, deny


def read(cloud: AwsCloud) -> tuple[dict[str, Database], Network, list[Note]]:
    pages: list[DatabasePage] = list(cloud.database_pages())
    return (
        {database.id: database for page in pages for database in page.databases},
        next(page.network for page in pages if page.network is not None),
        [note for page in pages for note in page.notes],
    )


@pytest.fixture(scope="module")
def kept() -> dict[str, Database]:
    return {}


@pytest.fixture
def whole(admin: Administrator, kept: dict[str, Database]) -> dict[str, Database]:
    """What is found where nothing is denied, read once."""
    if not kept:
        kept.update(read(cloud_of(admin.profile(allow(*LISTING))))[0])
    return kept


def test_every_kind_is_listed_with_its_guards(admin: Administrator) -> None:
    found, network, notes = read(cloud_of(admin.profile(allow(*LISTING))))
    assert not notes
    roles = {id_: (database.kind, database.role) for id_, database in found.items()}
    assert roles["orders"] == (Kind.RDS, Role.INSTANCE)
    assert roles["billing"] == (Kind.RDS, Role.INSTANCE)
    assert roles["catalog"] == (Kind.AURORA, Role.WRITER)
    assert roles["catalog/reader"] == (Kind.AURORA, Role.READER)
    assert roles["orders-proxy"] == (Kind.PROXY, Role.PROXY)
    assert roles["orders-proxy/read-only"] == (Kind.PROXY, Role.READER)
    assert roles["catalog/analytics"] == (Kind.AURORA, Role.CUSTOM)
    assert roles["sessions"] == (Kind.ELASTICACHE, Role.WRITER)
    assert roles["carts"] == (Kind.ELASTICACHE, Role.WRITER)
    assert roles["carts/reader"] == (Kind.ELASTICACHE, Role.READER)
    assert roles["product-search"] == (Kind.OPENSEARCH, Role.INSTANCE)
    assert roles["reports"] == (Kind.REDSHIFT_SERVERLESS, Role.WORKGROUP)
    assert roles["reviews"] == (Kind.DOCDB, Role.WRITER)
    assert roles["reviews-1"] == (Kind.DOCDB, Role.WRITER)
    members = {role for id_, (kind, role) in roles.items() if kind is Kind.AURORA and id_.startswith("catalog-")}
    assert members == {Role.WRITER, Role.READER}
    for database in found.values():
        assert database.vpc, database.id
        assert database.subnets, database.id
        assert database.tags.get("env") == "prod", database.id
        assert database.endpoint
        assert database.account == "123456789012"
        assert set(database.security_groups) <= {group.id for group in network.groups}
        assert database.security_groups
    orders = found["orders"]
    assert (orders.engine, orders.port, orders.database, orders.user) == ("postgres", 5432, "orders", "app")
    assert orders.tags["team"] == "pay"
    assert found["billing"].port == 3306
    assert found["catalog"].endpoint != found["catalog/reader"].endpoint


# Every list that discovery reads: what is missed without it, and what the note is about.
LISTS: dict[str, tuple[set[str], str]] = {
    "rds:DescribeDBInstances": (
        {"orders", "ledger", "billing", "catalog-1", "catalog-2", "reviews-1"},
        "RDS databases",
    ),
    "rds:DescribeDBClusters": (
        {"catalog", "catalog/reader", "catalog/analytics", "reviews", "reviews/reader"},
        "RDS databases",
    ),
    "rds:DescribeDBClusterEndpoints": ({"catalog/analytics"}, "custom endpoints"),
    "rds:DescribeDBProxies": ({"orders-proxy", "orders-proxy/read-only"}, "RDS proxies"),
    "rds:DescribeDBProxyEndpoints": ({"orders-proxy/read-only"}, "endpoints of RDS proxies"),
    "elasticache:DescribeReplicationGroups": ({"sessions"}, "ElastiCache"),
    "elasticache:DescribeServerlessCaches": ({"carts", "carts/reader"}, "serverless caches"),
    "memorydb:DescribeClusters": (set(), "MemoryDB"),
    "redshift:DescribeClusters": (set(), "Redshift"),
    "redshift-serverless:ListWorkgroups": ({"reports"}, "Redshift Serverless"),
    "es:ListDomainNames": ({"product-search"}, "OpenSearch"),
    "es:DescribeDomains": ({"product-search"}, "OpenSearch"),
}
# Every call beside a list: the fact of a database that is missed without it.
FACTS: dict[str, tuple[str, str, object, str]] = {
    "elasticache:DescribeCacheClusters": ("sessions", "vpc", None, "ElastiCache"),
    "elasticache:DescribeCacheSubnetGroups": ("sessions", "vpc", None, "subnet groups of ElastiCache"),
    "ec2:DescribeSubnets": ("carts", "vpc", None, "subnets"),
    "redshift-serverless:ListNamespaces": ("reports", "user", None, "namespaces"),
    "tag:GetResources": ("carts", "tags", {}, "tags of serverless caches"),
}


@pytest.mark.parametrize("denied", LISTS)
def test_a_list_that_is_denied_is_a_note_and_the_others_are_read(
    admin: Administrator, whole: dict[str, Database], denied: str
) -> None:
    found, _, notes = read(cloud_of(admin.profile(allow(*LISTING), deny(denied))))
    gone, word = LISTS[denied]
    lost = set(whole) - set(found)
    assert gone <= lost
    assert {whole[each].kind for each in lost} == {whole[each].kind for each in gone}
    # What an instance told of its cluster is told by the cluster's subnet group too.
    assert all(found[each].vpc == whole[each].vpc for each in found)
    assert len(notes) == 1
    assert word in notes[0].message
    assert denied in notes[0].message + notes[0].hint


@pytest.mark.parametrize("denied", FACTS)
def test_a_call_beside_a_list_that_is_denied_costs_facts_alone(
    admin: Administrator, whole: dict[str, Database], denied: str
) -> None:
    found, _, notes = read(cloud_of(admin.profile(allow(*LISTING), deny(denied))))
    name, fact, unknown, word = FACTS[denied]
    assert set(found) == set(whole)
    assert getattr(whole[name], fact) != unknown
    assert getattr(found[name], fact) == unknown
    assert any(word in note.message for note in notes)
    assert all(denied in note.message + note.hint for note in notes)


@pytest.mark.parametrize("source", [Source.GROUPS, Source.ACLS, Source.TABLES, Source.SUBNETS])
def test_a_part_of_the_networks_that_is_denied_is_a_note(admin: Administrator, source: Source) -> None:
    found, network, notes = read(cloud_of(admin.profile(allow(*LISTING), deny(source.value))))
    assert "orders" in found
    assert source not in network.read
    note = notes[-1]  # before it, that the VPCs of serverless caches are not known, where it is subnets
    assert source.value in note.hint
    assert not note.partial, "no row is missing"


def test_databases_of_the_settings_are_there_whatever_is_denied(admin: Administrator) -> None:
    own = OwnDatabase(name="legacy", host="db.internal", port=5432, vpc="vpc-1")
    profile = admin.profile(allow("sts:*"))
    cloud = AwsClouds([profile], [REGION], own=[own]).open(Context(profile, REGION))
    found, _, notes = read(cloud)
    assert list(found) == ["legacy"]
    assert {action for action in LISTS if any(action in note.hint for note in notes)} >= {
        "rds:DescribeDBProxies",
        "memorydb:DescribeClusters",
        "es:ListDomainNames",
    }


def test_everything_denied_is_an_error(admin: Administrator) -> None:
    with pytest.raises(AccessDeniedError):
        read(cloud_of(admin.profile(allow("ssm:*"))))
