"""MemoryDB's clusters: each has one endpoint, from which clients find its shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import NOWHERE, Network, groups, secret
from ssm_tui.domain.databases import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage

# Whose users need no password (MemoryDB developer guide, "Authenticating users with Access Control Lists").
_OPEN = "open-access"


def read(source: Source) -> Iterator[DatabasePage]:
    """Clusters. Raises AwsError."""
    networks: dict[str, Network] | None = None
    tags: Mapping[str, Mapping[str, str]] = {}
    # The API reference bounds MaxResults nowhere: pages are as large as the service likes.
    for page in source.pages("memorydb", "describe_clusters", "Clusters", page_size=None):
        if page and networks is None:
            networks = _networks(source)
            tags = source.tags("MemoryDB", "memorydb:cluster")
        yield source.page(cluster(each, source.owner, networks or {}, tags) for each in page)


def _networks(source: Source) -> dict[str, Network]:
    told = source.beside(
        "the subnet groups of MemoryDB", "memorydb", "describe_subnet_groups", "SubnetGroups", page_size=None
    )
    return {
        name: Network(
            decode.text(each.get("VpcId")),
            decode.texts([subnet.get("Identifier") for subnet in decode.entries(each.get("Subnets"))]),
        )
        for each in told
        if (name := decode.text(each.get("Name")))
    }


def cluster(
    each: Raw, owner: Owner, networks: Mapping[str, Network], tags: Mapping[str, Mapping[str, str]]
) -> Database | None:
    """A cluster; None without an endpoint. `networks` are by subnet group, `tags` by ARN."""
    name, end = decode.text(each.get("Name")), decode.entry(each.get("ClusterEndpoint"))
    host, port = decode.text(end.get("Address")), decode.port(end.get("Port"))
    if not (name and host and port):
        return None
    network = networks.get(str(each.get("SubnetGroupName")), NOWHERE)
    own = tags.get(str(each.get("ARN")), {})
    return owner.database(
        id=name,
        kind=Kind.MEMORYDB,
        engine=decode.text(each.get("Engine")) or "redis",
        version=decode.text(each.get("EnginePatchVersion")) or decode.text(each.get("EngineVersion")),
        endpoint=host,
        port=port,
        role=Role.WRITER,
        status=decode.text(each.get("Status")),
        vpc=network.vpc,
        subnets=network.subnets,
        security_groups=groups(each.get("SecurityGroups"), "SecurityGroupId"),
        iam_auth=False if each.get("ACLName") == _OPEN else None,
        tls=decode.flag(each.get("TLSEnabled")),
        secret_arn=secret(own),
        tags=own,
    )
