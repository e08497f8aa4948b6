"""Redshift's provisioned clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import groups, secret
from ssm_tui.domain.databases import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage


def read(source: Source) -> Iterator[DatabasePage]:
    """Clusters. Raises AwsError."""
    subnets: dict[str, tuple[str, ...]] | None = None
    for page in source.pages("redshift", "describe_clusters", "Clusters"):
        if page and subnets is None:
            subnets = _subnets(source)
        yield source.page(cluster(each, source.owner, subnets or {}) for each in page)


def _subnets(source: Source) -> dict[str, tuple[str, ...]]:
    """The subnets of each subnet group."""
    told = source.beside(
        "the subnet groups of Redshift", "redshift", "describe_cluster_subnet_groups", "ClusterSubnetGroups"
    )
    return {
        name: decode.texts([subnet.get("SubnetIdentifier") for subnet in decode.entries(each.get("Subnets"))])
        for each in told
        if (name := decode.text(each.get("ClusterSubnetGroupName")))
    }


def cluster(each: Raw, owner: Owner, subnets: Mapping[str, tuple[str, ...]]) -> Database | None:
    """A cluster; None without an endpoint. `subnets` are by subnet group."""
    name, end = decode.text(each.get("ClusterIdentifier")), decode.entry(each.get("Endpoint"))
    host, port = decode.text(end.get("Address")), decode.port(end.get("Port"))
    if not (name and host and port):
        return None
    tags = decode.tags(each.get("Tags"))
    return owner.database(
        id=name,
        kind=Kind.REDSHIFT,
        engine="redshift",
        version=decode.text(each.get("ClusterVersion")),
        endpoint=host,
        port=port,
        role=Role.WRITER,
        status=decode.text(each.get("ClusterStatus")),
        vpc=decode.text(each.get("VpcId")),
        subnets=subnets.get(str(each.get("ClusterSubnetGroupName")), ()),
        az=decode.text(each.get("AvailabilityZone")),
        security_groups=groups(each.get("VpcSecurityGroups"), "VpcSecurityGroupId"),
        database=decode.text(each.get("DBName")),
        user=decode.text(each.get("MasterUsername")),
        # There is nothing to turn on: whom IAM allows it gets a password for an hour (GetClusterCredentials).
        iam_auth=True,
        secret_arn=secret(tags, {"SecretArn": each.get("MasterPasswordSecretArn")}),
        tags=tags,
    )
