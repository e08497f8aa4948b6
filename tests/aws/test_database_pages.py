"""More databases of every kind than a page holds: all are found, by as few calls as there are pages."""

from __future__ import annotations

from collections import Counter

import pytest

from ssm_tui.aws.databases import read_databases
from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Database, Kind, Role
from tests.wire.databases import ACCOUNT, REGION, DatabaseWire

MANY = 105
HERE = Context(None, REGION)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> LiveGateway:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWIRESTUB00000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wire")
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return LiveGateway(HERE)


def found(gateway: LiveGateway) -> list[Database]:
    pages = list(read_databases(gateway, HERE, ACCOUNT))
    assert not [note for page in pages for note in page.notes]
    return [database for page in pages for database in page.databases]


def test_more_than_a_hundred_of_each_kind(gateway: LiveGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    with DatabaseWire(MANY) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        databases = found(gateway)
    kinds = Counter((each.kind, each.role) for each in databases)
    clustered = {(kind, role) for kind in (Kind.AURORA, Kind.MULTI_AZ, Kind.DOCDB, Kind.NEPTUNE)
                 for role in (Role.WRITER, Role.READER)}  # fmt: skip
    assert kinds == {
        (Kind.RDS, Role.INSTANCE): MANY,
        # The writer's endpoint and the one member, which writes.
        **{(kind, role): MANY * 2 if role is Role.WRITER else MANY for kind, role in clustered},
        (Kind.AURORA, Role.CUSTOM): MANY,
        (Kind.PROXY, Role.PROXY): MANY,
        (Kind.PROXY, Role.READER): MANY,
        # Nodes that stand alone; replication groups and serverless caches.
        (Kind.ELASTICACHE, Role.INSTANCE): MANY,
        (Kind.ELASTICACHE, Role.WRITER): MANY * 2,
        (Kind.MEMORYDB, Role.WRITER): MANY,
        (Kind.REDSHIFT, Role.WRITER): MANY,
        (Kind.REDSHIFT_SERVERLESS, Role.WORKGROUP): MANY,
        (Kind.OPENSEARCH, Role.INSTANCE): MANY,
    }
    assert len({each.key for each in databases}) == len(databases)
    # What another call tells of each is told of the last of each, too.
    by_id = {each.id: each for each in databases}
    last = MANY - 1
    assert by_id[f"docdb-{last}/reader"].vpc == "vpc-1"
    assert by_id[f"workgroup-{last}"].user == f"admin-{last}"
    assert by_id[f"memory-{last}"].vpc == by_id[f"group-{last}"].vpc == "vpc-1"
    for name in (f"proxy-{last}", f"group-{last}", f"serverless-{last}", f"memory-{last}", f"domain-{last}"):
        assert by_id[name].tags == {"number": str(last)}, name
    # 525 instances in pages of a hundred; what the service pages as it likes, in pages of twenty; domains by fives.
    calls = wire.calls
    assert calls["rds:DescribeDBInstances"] == 6
    assert calls["rds:DescribeDBClusters"] == 5
    assert calls["memorydb:DescribeClusters"] == 6
    assert calls["es:DescribeDomains"] == 21
    assert calls["redshift-serverless:ListWorkgroups"] == calls["elasticache:DescribeServerlessCaches"] == 2


def test_a_context_without_databases_costs_one_call_a_list(
    gateway: LiveGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DatabaseWire(0) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        assert not found(gateway)
    assert wire.calls == Counter(
        [
            "rds:DescribeDBInstances",
            "rds:DescribeDBClusters",
            "rds:DescribeDBProxies",
            "elasticache:DescribeCacheClusters",
            "elasticache:DescribeReplicationGroups",
            "elasticache:DescribeServerlessCaches",
            "memorydb:DescribeClusters",
            "redshift:DescribeClusters",
            "redshift-serverless:ListWorkgroups",
            "es:ListDomainNames",
        ]
    )


def test_a_region_that_has_no_such_service_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWIRESTUB00000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wire")
    zurich = Context(None, "eu-central-2")
    with DatabaseWire(0) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        assert not [page.databases for page in read_databases(LiveGateway(zurich), zurich, ACCOUNT) if page.databases]
    assert "memorydb:DescribeClusters" not in wire.calls
    assert "redshift:DescribeClusters" in wire.calls
