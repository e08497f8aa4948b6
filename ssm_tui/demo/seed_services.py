"""The fleet's databases of services beside RDS's instances and ElastiCache's groups, by ordinary calls of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.fleet import DatabaseSpec
    from ssm_tui.demo.seeding import Seeding


def endpoint(seeding: Seeding, spec: DatabaseSpec, _passwords: Mapping[str, str]) -> None:
    """A custom endpoint of the target: of its last member alone."""
    target = next(each for each in seeding.fleet.databases if each.name == spec.target)
    seeding.of_network("rds", spec.network).create_db_cluster_endpoint(
        DBClusterIdentifier=spec.target,
        DBClusterEndpointIdentifier=spec.name,
        EndpointType="READER",
        StaticMembers=[f"{spec.target}-{target.members}"],
    )


def proxy_endpoint(seeding: Seeding, spec: DatabaseSpec, _passwords: Mapping[str, str]) -> None:
    seeding.of_network("rds", spec.network).create_db_proxy_endpoint(
        DBProxyName=spec.target,
        DBProxyEndpointName=spec.name,
        VpcSubnetIds=[seeding.subnets[spec.network, each] for each in spec.subnets],
        VpcSecurityGroupIds=[seeding.groups[spec.network, spec.group]],
        TargetRole="READ_ONLY",
    )


def serverless_cache(seeding: Seeding, spec: DatabaseSpec, _passwords: Mapping[str, str]) -> None:
    seeding.of_network("elasticache", spec.network).create_serverless_cache(
        ServerlessCacheName=spec.name,
        Engine=spec.engine,
        MajorEngineVersion=spec.version,
        SubnetIds=[seeding.subnets[spec.network, each] for each in spec.subnets],
        SecurityGroupIds=[seeding.groups[spec.network, spec.group]],
        Tags=tags(spec),
    )


def warehouse(seeding: Seeding, spec: DatabaseSpec, passwords: Mapping[str, str]) -> None:
    redshift = seeding.of_network("redshift-serverless", spec.network)
    redshift.create_namespace(
        namespaceName=spec.name, dbName=spec.database, adminUsername=spec.user, adminUserPassword=passwords[spec.user]
    )
    redshift.create_workgroup(
        workgroupName=spec.name,
        namespaceName=spec.name,
        configParameters=[{"parameterKey": "require_ssl", "parameterValue": "true"}],
        subnetIds=[seeding.subnets[spec.network, each] for each in spec.subnets],
        securityGroupIds=[seeding.groups[spec.network, spec.group]],
        tags=[{"key": key, "value": value} for key, value in spec.tags.items()],
    )


def domain(seeding: Seeding, spec: DatabaseSpec, _passwords: Mapping[str, str]) -> None:
    seeding.of_network("opensearch", spec.network).create_domain(
        DomainName=spec.name,
        EngineVersion=f"OpenSearch_{spec.version}",
        VPCOptions={
            "SubnetIds": [seeding.subnets[spec.network, each] for each in spec.subnets],
            "SecurityGroupIds": [seeding.groups[spec.network, spec.group]],
        },
        DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
        TagList=tags(spec),
    )


def tags(spec: DatabaseSpec) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in spec.tags.items()]
