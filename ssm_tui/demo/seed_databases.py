"""The fleet's databases by ordinary RDS and ElastiCache calls: instances, clusters, a proxy, a cache."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssm_tui.demo.seed_services import domain, endpoint, proxy_endpoint, serverless_cache, tags, warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.fleet import DatabaseSpec
    from ssm_tui.demo.seeding import Seeding


def seed_databases(seeding: Seeding, passwords: Mapping[str, str]) -> None:
    """Makes every database of the fleet; `passwords` are those of their users."""
    makers = {
        "rds": _instance,
        "aurora": _cluster,
        "docdb": _cluster,
        "endpoint": endpoint,
        "proxy": _proxy,
        "proxy-endpoint": proxy_endpoint,
        "redis": _cache,
        "serverless-cache": serverless_cache,
        "warehouse": warehouse,
        "opensearch": domain,
    }
    for spec in seeding.fleet.databases:
        makers[spec.kind](seeding, spec, passwords)


def _instance(seeding: Seeding, spec: DatabaseSpec, passwords: Mapping[str, str]) -> None:
    rds = seeding.of_network("rds", spec.network)
    chosen: dict[str, Any] = {"ManageMasterUserPassword": True}
    if not spec.managed:
        chosen = {"MasterUserPassword": passwords[spec.user]}
    if spec.parameters:
        chosen["DBParameterGroupName"] = _parameter_group(rds, spec)
    made = rds.create_db_instance(
        DBInstanceIdentifier=spec.name,
        Engine=spec.engine,
        EngineVersion=spec.version,
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=100,
        DBName=spec.database,
        MasterUsername=spec.user,
        DBSubnetGroupName=_subnet_group(rds, seeding, spec),
        VpcSecurityGroupIds=[seeding.groups[spec.network, spec.group]],
        EnableIAMDatabaseAuthentication=spec.iam_auth,
        StorageEncrypted=True,
        PubliclyAccessible=False,
        Tags=tags(spec),
        **chosen,
    )
    if spec.managed:
        # Moto's secret holds a password of its own, which nobody has.
        seeding.of_network("secretsmanager", spec.network).put_secret_value(
            SecretId=made["DBInstance"]["MasterUserSecret"]["SecretArn"],
            SecretString=json.dumps({"username": spec.user, "password": passwords[spec.user]}),
        )


def _cluster(seeding: Seeding, spec: DatabaseSpec, passwords: Mapping[str, str]) -> None:
    rds = seeding.of_network("rds", spec.network)
    subnet_group = _subnet_group(rds, seeding, spec)
    _make_secret(seeding, spec, passwords)
    rds.create_db_cluster(
        DBClusterIdentifier=spec.name,
        Engine=spec.engine,
        EngineVersion=spec.version,
        DatabaseName=spec.database,
        MasterUsername=spec.user,
        MasterUserPassword=passwords[spec.user],
        DBSubnetGroupName=subnet_group,
        VpcSecurityGroupIds=[seeding.groups[spec.network, spec.group]],
        StorageEncrypted=True,
        Tags=tags(spec),
    )
    for number in range(1, spec.members + 1):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{spec.name}-{number}",
            DBClusterIdentifier=spec.name,
            Engine=spec.engine,
            DBInstanceClass="db.r6g.large",
            DBSubnetGroupName=subnet_group,
            Tags=tags(spec),
        )


def _proxy(seeding: Seeding, spec: DatabaseSpec, passwords: Mapping[str, str]) -> None:
    region = seeding.fleet.networks[spec.network].region
    target = next(each for each in seeding.fleet.databases if each.name == spec.target)
    secret = seeding.client("secretsmanager", region).create_secret(
        Name=f"{spec.name}/{target.user}",
        SecretString=json.dumps({"username": target.user, "password": passwords[target.user]}),
    )
    rds = seeding.client("rds", region)
    rds.create_db_proxy(
        DBProxyName=spec.name,
        EngineFamily=spec.engine,
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret["ARN"], "IAMAuth": "DISABLED"}],
        RoleArn=f"arn:aws:iam::{seeding.fleet.account.id}:role/{spec.name}",
        VpcSubnetIds=[seeding.subnets[spec.network, each] for each in spec.subnets],
        VpcSecurityGroupIds=[seeding.groups[spec.network, spec.group]],
        Tags=tags(spec),
    )
    rds.register_db_proxy_targets(DBProxyName=spec.name, DBInstanceIdentifiers=[spec.target])


def _cache(seeding: Seeding, spec: DatabaseSpec, passwords: Mapping[str, str]) -> None:
    cache = seeding.of_network("elasticache", spec.network)
    listed = _cache_users(cache, spec, passwords) if spec.user else {}
    _make_secret(seeding, spec, passwords)
    cache.create_cache_subnet_group(
        CacheSubnetGroupName=f"{spec.name}-subnets",
        CacheSubnetGroupDescription=spec.name,
        SubnetIds=[seeding.subnets[spec.network, each] for each in spec.subnets],
    )
    common: dict[str, Any] = {
        "Engine": spec.engine,
        "EngineVersion": spec.version,
        "CacheNodeType": "cache.t4g.small",
        "CacheSubnetGroupName": f"{spec.name}-subnets",
        "SecurityGroupIds": [seeding.groups[spec.network, spec.group]],
        "TransitEncryptionEnabled": spec.tls,
        "Tags": tags(spec),
    }
    made = cache.create_replication_group(
        ReplicationGroupId=spec.name, ReplicationGroupDescription=spec.name, NumCacheClusters=1, **common, **listed
    )
    # AWS makes the members by itself; moto wants them asked for.
    for member in made["ReplicationGroup"]["MemberClusters"]:
        cache.create_cache_cluster(CacheClusterId=member, ReplicationGroupId=spec.name, NumCacheNodes=1, **common)


def _cache_users(cache: Any, spec: DatabaseSpec, passwords: Mapping[str, str]) -> dict[str, list[str]]:
    """One who reads and writes by a password, one by IAM's tokens; the groups of users that the cache is given."""
    access = {"Engine": spec.engine, "AccessString": "on ~* +@read +@write +@connection"}
    by_password = {"Type": "password", "Passwords": [passwords[spec.user]]}
    cache.create_user(UserId=spec.user, UserName=spec.user, AuthenticationMode=by_password, **access)
    cache.create_user(UserId=spec.token_user, UserName=spec.token_user, AuthenticationMode={"Type": "iam"}, **access)
    return {"UserGroupIds": [spec.name]}


def _make_secret(seeding: Seeding, spec: DatabaseSpec, passwords: Mapping[str, str]) -> None:
    if spec.secret:
        seeding.of_network("secretsmanager", spec.network).create_secret(
            Name=spec.secret,
            SecretString=json.dumps({"username": spec.user, "password": passwords[spec.user], "dbname": spec.database}),
        )


def _parameter_group(rds: Any, spec: DatabaseSpec) -> str:
    name = f"{spec.name}-parameters"
    family = f"{spec.engine}{spec.version.partition('.')[0]}"
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description=spec.name)
    rds.modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "immediate"}
            for key, value in spec.parameters.items()
        ],
    )
    return name


def _subnet_group(rds: Any, seeding: Seeding, spec: DatabaseSpec) -> str:
    name = f"{spec.name}-subnets"
    rds.create_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription=spec.name,
        SubnetIds=[seeding.subnets[spec.network, each] for each in spec.subnets],
    )
    return name
