"""What single responses of each service decode to: the facts that strings, tokens and relays are made of."""

from __future__ import annotations

from typing import Any

import pytest

from ssm_tui.aws.databases import caches, memorydb, opensearch, proxies, rds, redshift, redshift_serverless
from ssm_tui.aws.databases.source import NOWHERE, Network, Owner, secret
from ssm_tui.domain.databases import Database, Family, Kind, Role
from tests.builders import SEOUL

OWNER = Owner(SEOUL, "123456789012")
END = {"Address": "h", "Port": 5432}


def instance(clusters: dict[str, dict[str, Any]] | None = None, **more: Any) -> Database:
    raw = {"DBInstanceIdentifier": "c-1", "Engine": "aurora-mysql", "Endpoint": END, "DbiResourceId": "db-1", **more}
    found = rds.instance(raw, OWNER, clusters or {})
    assert found is not None
    return found


CLUSTER: dict[str, Any] = {
    "DBClusterIdentifier": "c",
    "Engine": "aurora-mysql",
    "Port": 3306,
    "Endpoint": "w",
    "ReaderEndpoint": "r",
    "DbClusterResourceId": "cluster-7",
    "MasterUsername": "admin",
    "IAMDatabaseAuthenticationEnabled": True,
    "MasterUserSecret": {"SecretArn": "arn:managed"},
    "DBClusterMembers": [
        {"DBInstanceIdentifier": "c-1", "IsClusterWriter": True},
        {"DBInstanceIdentifier": "c-2", "IsClusterWriter": False},
        {"DBInstanceIdentifier": "c-3", "IsClusterWriter": False},
    ],
}
MEMBERS = {
    "c-1": rds.Member("c", Network("vpc-9"), "2a", "new-ca"),
    "c-2": rds.Member("c", Network("vpc-9"), "2b", "old-ca"),
    "c-3": rds.Member("c", Network("vpc-9"), "2c", "old-ca"),
}


@pytest.mark.parametrize(
    "raw", [{}, {"DBInstanceIdentifier": "new", "Engine": "postgres", "DBInstanceStatus": "creating"}]
)
def test_an_instance_without_an_endpoint_is_left_out(raw: dict[str, Any]) -> None:
    assert rds.instance(raw, OWNER, {}) is None


def test_an_endpoint_has_what_the_members_behind_it_have_in_common() -> None:
    made = {"DBClusterEndpointIdentifier": "big", "Endpoint": "x", "Status": "creating", "StaticMembers": ["c-3"]}
    writer, reader, custom = rds.cluster(CLUSTER, OWNER, MEMBERS, Network("vpc-9", ("s-1",)), [made])
    assert [(each.id, each.endpoint, each.role, each.az, each.ca) for each in (writer, reader, custom)] == [
        ("c", "w", Role.WRITER, "2a", "new-ca"),
        ("c/reader", "r", Role.READER, None, "old-ca"),
        ("c/big", "x", Role.CUSTOM, "2c", "old-ca"),
    ]
    assert (writer.parent, reader.parent, custom.parent, custom.status) == (None, "c", "c", "creating")
    for each in (writer, reader, custom):
        assert (each.vpc, each.subnets, each.port, each.user, each.iam_auth) == ("vpc-9", ("s-1",), 3306, "admin", True)
        assert (each.resource_id, each.secret_arn, each.family) == ("cluster-7", "arn:managed", Family.MYSQL)


def test_a_member_goes_by_its_clusters_logins_and_an_instance_by_its_own() -> None:
    member = instance({"c": CLUSTER}, DBClusterIdentifier="c", IAMDatabaseAuthenticationEnabled=False)
    assert (member.role, member.parent, member.kind) == (Role.WRITER, "c", Kind.AURORA)
    assert (member.resource_id, member.iam_auth, member.user, member.secret_arn) == (
        "cluster-7", True, "admin", "arn:managed",
    )  # fmt: skip
    single = instance(Engine="postgres", IAMDatabaseAuthenticationEnabled=False)
    assert (single.role, single.resource_id, single.iam_auth) == (Role.INSTANCE, "db-1", False)
    # Whose cluster could not be read: nothing is known of it, rather than something wrong.
    assert instance(DBClusterIdentifier="c").resource_id is None


@pytest.mark.parametrize(
    ("engine", "cluster", "kind"),
    [
        ("postgres", None, Kind.RDS),
        ("postgres", "c", Kind.MULTI_AZ),
        ("aurora-postgresql", "c", Kind.AURORA),
        ("aurora", "c", Kind.AURORA),
        ("docdb", "c", Kind.DOCDB),
        ("neptune", "c", Kind.NEPTUNE),
        ("custom-oracle-ee", None, Kind.RDS),
    ],
)
def test_kinds_by_engine(engine: str, cluster: str | None, kind: Kind) -> None:
    assert instance(Engine=engine, DBClusterIdentifier=cluster).kind is kind


def test_the_certificate_in_use_counts_before_the_one_that_is_set() -> None:
    assert instance(CACertificateIdentifier="set").ca == "set"
    assert instance(CACertificateIdentifier="set", CertificateDetails={"CAIdentifier": "used"}).ca == "used"


def test_the_secret_that_a_tag_names_counts_before_the_managed_one() -> None:
    managed = {"SecretArn": "arn:managed"}
    assert secret({}, managed) == "arn:managed"
    assert secret({"ssm-tui:secret": "apps/orders"}, managed) == "apps/orders"
    assert secret({"ssm-tui:secret": ""}) is None


PROXY: dict[str, Any] = {
    "DBProxyName": "p",
    "Endpoint": "e",
    "EngineFamily": "MYSQL",
    "DBProxyArn": "arn:aws:rds:r:1:db-proxy:prx-1",
    "RequireTLS": True,
    "VpcId": "vpc-1",
    "Auth": [{"IAMAuth": "REQUIRED", "SecretArn": "arn:s", "UserName": "app"}],
}


def test_a_proxy_asks_for_iam_when_one_of_its_ways_does() -> None:
    found = proxies.proxy(PROXY, OWNER)
    assert found is not None
    assert (found.port, found.iam_auth, found.tls, found.resource_id) == (3306, True, True, "prx-1")
    assert (found.secret_arn, found.user) == ("arn:s", "app")
    two = proxies.proxy({**PROXY, "Auth": [*PROXY["Auth"], {"IAMAuth": "DISABLED", "SecretArn": "arn:t"}]}, OWNER)
    assert two is not None
    assert (two.secret_arn, two.user) == (None, None), "which of two depends on the user"
    whole = proxies.proxy({**PROXY, "Auth": [], "DefaultAuthScheme": "IAM_AUTH"}, OWNER)
    assert whole is not None
    assert whole.iam_auth is True
    assert proxies.proxy({**PROXY, "EngineFamily": "SOMETHING"}, OWNER) is None


def test_an_added_endpoint_of_a_proxy_has_its_own_place_and_the_proxys_rest() -> None:
    raw = {
        "DBProxyName": "p",
        "DBProxyEndpointName": "ro",
        "Endpoint": "other",
        "TargetRole": "READ_ONLY",
        "VpcId": "vpc-2",
    }
    found = proxies.endpoint(raw, OWNER, {"p": PROXY})
    assert found is not None
    assert (found.id, found.endpoint, found.role, found.vpc, found.parent) == (
        "p/ro",
        "other",
        Role.READER,
        "vpc-2",
        "p",
    )
    assert (found.port, found.tls, found.resource_id) == (3306, True, "prx-1")
    assert proxies.endpoint({**raw, "IsDefault": True}, OWNER, {"p": PROXY}) is None
    assert proxies.endpoint(raw, OWNER, {}) is None


def test_a_replication_group_in_cluster_mode_has_one_endpoint() -> None:
    raw = {"ReplicationGroupId": "g", "ConfigurationEndpoint": {"Address": "cfg", "Port": 6379}, "NodeGroups": [{}]}
    assert [each.endpoint for each in caches.replication_group(raw, OWNER, {})] == ["cfg"]


def test_a_replication_group_stands_where_its_primary_does() -> None:
    shard = {
        "PrimaryEndpoint": {"Address": "p", "Port": 6379},
        "ReaderEndpoint": {"Address": "r", "Port": 6379},
        "NodeGroupMembers": [
            {"CurrentRole": "primary", "PreferredAvailabilityZone": "2a"},
            {"CurrentRole": "replica", "PreferredAvailabilityZone": "2b"},
            {"CurrentRole": "replica", "PreferredAvailabilityZone": "2c"},
        ],
    }
    found = list(caches.replication_group({"ReplicationGroupId": "g", "NodeGroups": [shard]}, OWNER, {}))
    assert [(each.id, each.az, each.parent) for each in found] == [("g", "2a", None), ("g/reader", None, "g")]


@pytest.mark.parametrize(
    ("facts", "tls"),
    [
        ({}, None),
        ({"TransitEncryptionEnabled": False}, False),
        ({"TransitEncryptionEnabled": True}, True),
        ({"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"}, True),
        ({"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"}, False),
    ],
)
def test_a_cache_requires_tls_where_it_takes_nothing_else(facts: dict[str, Any], tls: bool | None) -> None:
    raw = {"CacheClusterId": "c", "CacheNodes": [{"Endpoint": END}], **facts}
    assert [each.tls for each in caches.cluster(raw, OWNER, {})] == [tls]


def test_memcached_has_each_of_its_nodes_beside_its_configuration_endpoint() -> None:
    nodes = [{"CacheNodeId": f"000{n}", "Endpoint": {"Address": f"n{n}", "Port": 11211}} for n in (1, 2)]
    raw = {
        "CacheClusterId": "m",
        "Engine": "memcached",
        "ConfigurationEndpoint": {"Address": "cfg", "Port": 11211},
        "CacheNodes": nodes,
    }
    found = [(each.id, each.endpoint, each.role, each.parent) for each in caches.cluster(raw, OWNER, {})]
    assert found == [
        ("m", "cfg", Role.INSTANCE, None),
        ("m/0001", "n1", Role.NODE, "m"),
        ("m/0002", "n2", Role.NODE, "m"),
    ]


def test_a_serverless_cache_stands_in_the_vpc_of_its_subnets() -> None:
    raw = {
        "ServerlessCacheName": "s",
        "Engine": "valkey",
        "Endpoint": {"Address": "h", "Port": 6379},
        "ReaderEndpoint": {"Address": "h", "Port": 6380},
        "SubnetIds": ["s-1", "s-2"],
        "ARN": "arn:s",
    }
    found = list(caches.serverless(raw, OWNER, {"s-1": "vpc-1", "s-2": "vpc-1"}, {"arn:s": {"env": "prod"}}))
    assert [(each.id, each.port, each.vpc, each.tls) for each in found] == [
        ("s", 6379, "vpc-1", True),
        ("s/reader", 6380, "vpc-1", True),
    ]
    assert {each.tags["env"] for each in found} == {"prod"}
    assert [each.vpc for each in caches.serverless(raw, OWNER, {})] == [None, None]


def test_memorydb_is_open_or_asks_for_a_user() -> None:
    raw = {"Name": "m", "ClusterEndpoint": END, "SubnetGroupName": "g", "TLSEnabled": True, "ACLName": "open-access"}
    found = memorydb.cluster(raw, OWNER, {"g": Network("vpc-1", ("s-1",))}, {})
    assert found is not None
    assert (found.vpc, found.subnets, found.tls, found.iam_auth) == ("vpc-1", ("s-1",), True, False)
    closed = memorydb.cluster({**raw, "ACLName": "team"}, OWNER, {}, {})
    assert closed is not None
    assert (closed.iam_auth, closed.vpc) == (None, NOWHERE.vpc)


def test_redshift_lets_those_in_whom_iam_allows_it() -> None:
    raw = {"ClusterIdentifier": "w", "Endpoint": END, "MasterPasswordSecretArn": "arn:s", "DBName": "dev"}
    found = redshift.cluster(raw, OWNER, {})
    assert found is not None
    assert (found.iam_auth, found.secret_arn, found.database, found.family) == (True, "arn:s", "dev", Family.REDSHIFT)
    assert redshift.cluster({"ClusterIdentifier": "creating"}, OWNER, {}) is None


def test_a_workgroup_has_its_namespaces_database() -> None:
    raw = {
        "workgroupName": "w",
        "namespaceName": "n",
        "endpoint": {"address": "h", "port": 5439, "vpcEndpoints": [{"vpcId": "vpc-1"}]},
        "configParameters": [{"parameterKey": "require_ssl", "parameterValue": "true"}],
    }
    space = {"dbName": "dev", "adminUsername": "admin", "adminPasswordSecretArn": "arn:s"}
    found = redshift_serverless.workgroup(raw, OWNER, {"n": space}, {})
    assert found is not None
    assert (found.vpc, found.database, found.user, found.secret_arn) == ("vpc-1", "dev", "admin", "arn:s")
    assert (found.tls, found.parent) == (True, "n")


def test_a_domain_outside_a_vpc_needs_no_tunnel() -> None:
    raw: dict[str, Any] = {
        "DomainName": "d",
        "EngineVersion": "Elasticsearch_7.10",
        "Endpoints": {"vpc": "vpc-d"},
        "VPCOptions": {"VPCId": "vpc-1", "AvailabilityZones": ["2a"]},
        "DomainEndpointOptions": {"EnforceHTTPS": True},
    }
    found = opensearch.domain(raw, OWNER, {})
    assert found is not None
    assert (found.engine, found.version, found.port, found.az, found.tls) == ("elasticsearch", "7.10", 443, "2a", True)
    assert opensearch.domain({**raw, "Endpoint": "public", "Endpoints": {}, "VPCOptions": {}}, OWNER, {}) is None
    assert opensearch.domain({**raw, "Deleted": True}, OWNER, {}) is None
