"""Redshift Serverless: workgroups have the endpoint, their namespaces the database, its user and its password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import secret, the_same
from ssm_tui.domain.databases import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage


def read(source: Source) -> Iterator[DatabasePage]:
    """Workgroups. Raises AwsError."""
    spaces: dict[str, Raw] | None = None
    tags: Mapping[str, Mapping[str, str]] = {}
    for page in source.pages("redshift-serverless", "list_workgroups", "workgroups"):
        if page and spaces is None:
            told = source.beside(
                "the namespaces of Redshift Serverless", "redshift-serverless", "list_namespaces", "namespaces"
            )
            spaces = {name: each for each in told if (name := decode.text(each.get("namespaceName")))}
            tags = source.tags("Redshift Serverless", "redshift-serverless:workgroup")
        yield source.page(workgroup(each, source.owner, spaces or {}, tags) for each in page)


def workgroup(
    each: Raw, owner: Owner, spaces: Mapping[str, Raw], tags: Mapping[str, Mapping[str, str]]
) -> Database | None:
    """A workgroup; None without an endpoint. `spaces` are the namespaces by name, `tags` are by ARN."""
    name, end = decode.text(each.get("workgroupName")), decode.entry(each.get("endpoint"))
    host, port = decode.text(end.get("address")), decode.port(end.get("port"))
    if not (name and host and port):
        return None
    parent = decode.text(each.get("namespaceName"))
    space = spaces.get(parent or "", {})
    own = tags.get(str(each.get("workgroupArn")), {})
    return owner.database(
        id=name,
        kind=Kind.REDSHIFT_SERVERLESS,
        engine="redshift",
        version=decode.text(each.get("patchVersion")) or decode.text(each.get("workgroupVersion")),
        endpoint=host,
        port=port,
        role=Role.WORKGROUP,
        status=decode.text(each.get("status")),
        vpc=the_same(decode.text(way.get("vpcId")) for way in decode.entries(end.get("vpcEndpoints"))),
        subnets=decode.texts(each.get("subnetIds")),
        security_groups=decode.texts(each.get("securityGroupIds")),
        database=decode.text(space.get("dbName")),
        user=decode.text(space.get("adminUsername")),
        # As of clusters: GetCredentials gives whom IAM allows it a password for an hour.
        iam_auth=True,
        tls=_tls(each),
        secret_arn=secret(own, {"SecretArn": space.get("adminPasswordSecretArn")}),
        parent=parent,
        tags=own,
    )


def _tls(each: Raw) -> bool | None:
    """The workgroup's parameter `require_ssl`; None where it is not told."""
    told = [way for way in decode.entries(each.get("configParameters")) if way.get("parameterKey") == "require_ssl"]
    value = decode.text(told[0].get("parameterValue")) if told else None
    return None if value is None else value.lower() == "true"
