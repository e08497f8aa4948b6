"""Responses as AWS gives them, and as nobody should: decoding never raises, and what it gives is of the right kind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_network
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssm_tui.aws import decode, network_decode
from ssm_tui.aws.databases import caches, memorydb, opensearch, proxies, rds, redshift, redshift_serverless
from ssm_tui.aws.databases.source import Owner
from ssm_tui.aws.join import NodeJoin
from ssm_tui.domain.databases import DATABASE_FIELDS
from ssm_tui.domain.nodes import Ping, Platform
from ssm_tui.domain.reachability.coverage import Extent, extent
from tests.builders import SEOUL

MANAGED = (
    "Name ComputerName PingStatus LastPingDateTime InstanceState PlatformType PlatformName PlatformVersion "
    "AgentVersion IPAddress IamRole InstanceRole InstanceType LaunchTime"
)
INSTANCE = (
    "State Platform PrivateIpAddress VpcId SubnetId Placement IamInstanceProfile InstanceType LaunchTime "
    "SecurityGroups Tags"
)
DATABASE = (
    "DBInstanceIdentifier DBClusterIdentifier DBProxyName CacheClusterId ReplicationGroupId Endpoint ReaderEndpoint "
    "Port Engine EngineVersion EngineFamily DBSubnetGroup VpcId VpcSecurityGroups VpcSecurityGroupIds TagList Auth "
    "DBClusterMembers CacheNodes NodeGroups ConfigurationEndpoint SecurityGroups CacheSubnetGroupName AvailabilityZone "
    "MasterUserSecret CertificateDetails CACertificateIdentifier DbiResourceId DbClusterResourceId MasterUsername "
    "IAMDatabaseAuthenticationEnabled TransitEncryptionEnabled TransitEncryptionMode UserGroupIds ARN "
    "DBProxyEndpointName DBProxyArn TargetRole IsDefault DefaultAuthScheme VpcSubnetIds "
    "ServerlessCacheName SubnetIds SecurityGroupIds UserGroupId FullEngineVersion "
    "Name ClusterEndpoint SubnetGroupName TLSEnabled ACLName EnginePatchVersion "
    "ClusterIdentifier ClusterSubnetGroupName DBName ClusterVersion MasterPasswordSecretArn Tags "
    "workgroupName endpoint namespaceName configParameters subnetIds securityGroupIds workgroupArn "
    "DomainName VPCOptions Endpoints DomainEndpointOptions Deleted DomainProcessingStatus"
)
RULE = "IpProtocol FromPort ToPort IpRanges Ipv6Ranges UserIdGroupPairs PrefixListIds"
INNER = (
    "Key Value Name Arn AvailabilityZone GroupId CidrIp CidrIpv6 Address Port VpcId DBInstanceIdentifier "
    "IsClusterWriter IAMAuth PrimaryEndpoint ReaderEndpoint Endpoint VpcSecurityGroupId SecurityGroupId "
    "SecretArn CAIdentifier UserName Subnets SubnetIdentifier CacheNodeId NodeGroupMembers CurrentRole "
    "PreferredAvailabilityZone address port vpcEndpoints vpcId parameterKey parameterValue vpc VPCId EnforceHTTPS "
    "AvailabilityZones SubnetIds SecurityGroupIds"
)
OWNER = Owner(SEOUL)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.datetimes()
    | st.datetimes(timezones=st.just(timezone(timedelta(hours=9))))
    | st.sampled_from(["i-1", "mi-1", "Online", "Linux", "10.0.0.1", "10.0.0.0/8", "::/0", "POSTGRESQL", 5432])
)
# What may stand anywhere: a scalar, or structures and lists of them under names that mean something one level down.
ODD: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER.split()), inner, max_size=4),
    max_leaves=12,
)


def structures(names: str, **fixed: str) -> st.SearchStrategy[dict[str, Any]]:
    """Structures with odd values under the names that the decoder looks at."""
    return st.fixed_dictionaries(
        {key: st.just(value) for key, value in fixed.items()}, optional=dict.fromkeys(names.split(), ODD)
    )


def lists_of(structure: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    return ODD | st.lists(structure | ODD, max_size=3)


NODES = st.fixed_dictionaries(
    {},
    optional={
        "InstanceProperties": lists_of(structures(MANAGED, InstanceId="i-1")),
        "InstanceInformationList": lists_of(structures(MANAGED, InstanceId="mi-1")),
        "Reservations": lists_of(
            st.fixed_dictionaries({"Instances": lists_of(structures(INSTANCE, InstanceId="i-1")), "OwnerId": ODD})
        ),
    },
)
GROUPS = st.fixed_dictionaries(
    {"SecurityGroups": lists_of(st.fixed_dictionaries({"GroupId": ODD, "IpPermissions": lists_of(structures(RULE))}))}
)


# The first example builds the strategies, which takes seconds on a busy machine and says nothing about them.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(NODES)
def test_odd_responses_decode_to_nodes_or_nothing(response: dict[str, Any]) -> None:
    join = NodeJoin(SEOUL, None)
    nodes = join.managed(decode.managed(response)) + join.instances(decode.instances(response))
    for node in [*nodes, *join.all_managed_read()]:
        assert node.id
        assert list(node.words())
        assert node.last_ping is None or node.last_ping.tzinfo is UTC


@UNHURRIED
@given(structures(DATABASE))
def test_odd_responses_decode_to_databases_or_nothing(response: dict[str, Any]) -> None:
    found = [rds.instance(response, OWNER, {}), rds.instance(response, OWNER, {"c": response})]
    found += rds.cluster(response, OWNER, rds.cluster_members([response]), custom=[response])
    found += [proxies.proxy(response, OWNER), proxies.endpoint(response, OWNER, {"p": response})]
    found += caches.cluster(response, OWNER, {})
    found += caches.replication_group(response, OWNER, {"g": caches.member(response, {})})
    found += caches.serverless(response, OWNER, {})
    found += [memorydb.cluster(response, OWNER, {}, {}), redshift.cluster(response, OWNER, {})]
    found += [redshift_serverless.workgroup(response, OWNER, {"s": response}, {})]
    found += [opensearch.domain(response, OWNER, {})]
    for database in filter(None, found):
        assert database.id
        assert database.endpoint
        assert 1 <= database.port <= 65535
        assert all(isinstance(text, str) for field in DATABASE_FIELDS for text in database.values(field))


@UNHURRIED
@given(GROUPS)
def test_odd_security_groups_hold_networks_that_can_be_compared(response: dict[str, Any]) -> None:
    for group in network_decode.security_groups(response):
        for rule in group.ingress:
            assert extent(ip_network("10.0.0.0/8"), rule.cidrs) in Extent


def test_a_page_of_instance_properties() -> None:
    ping = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    page = decode.managed(
        {
            "InstanceProperties": [
                {
                    "InstanceId": "mi-1",
                    "ComputerName": "db.local",
                    "PingStatus": "ConnectionLost",
                    "LastPingDateTime": ping,
                    "PlatformType": "Linux",
                    "PlatformName": "Ubuntu",
                    "PlatformVersion": "22.04",
                    "IPAddress": "192.168.0.7",
                    "IamRole": "service-role/AmazonEC2RunCommandRoleForManagedInstances",
                }
            ]
        }
    )
    assert page == [
        decode.Managed(
            id="mi-1",
            name="db.local",
            ping=Ping.LOST,
            last_ping=ping,
            platform=Platform.LINUX,
            os="Ubuntu 22.04",
            ip="192.168.0.7",
            role="AmazonEC2RunCommandRoleForManagedInstances",
        )
    ]


def test_what_nodes_have_in_common_is_kept_once() -> None:
    def page() -> dict[str, Any]:
        instance = {"InstanceId": "i-1", "VpcId": "vpc-1", "Tags": [{"Key": "env", "Value": "prod"}]}
        # Through JSON, so that each page has texts of its own.
        read: dict[str, Any] = json.loads(json.dumps({"Reservations": [{"OwnerId": "12", "Instances": [instance]}]}))
        return read

    (one,), (other,) = decode.instances(page()), decode.instances(page())
    assert one.vpc is other.vpc
    assert one.account is other.account
    assert next(iter(one.tags)) is next(iter(other.tags))
    assert one.tags["env"] is other.tags["env"]
