"""RDS Proxies and the endpoints that were added to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import secret
from ssm_tui.domain.databases import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage

_NO_TAGS: Mapping[str, Mapping[str, str]] = {}

# A proxy listens on its family's own port (RDS user guide, "RDS Proxy concepts"); the response does not name it.
_FAMILIES = {"POSTGRESQL": ("postgres", 5432), "MYSQL": ("mysql", 3306), "SQLSERVER": ("sqlserver", 1433)}


def read(source: Source) -> Iterator[DatabasePage]:
    """Proxies, then their further endpoints where there are proxies at all. Raises AwsError."""
    tags: Mapping[str, Mapping[str, str]] = {}
    by_name: dict[str, Raw] = {}
    for page in source.pages("rds", "describe_db_proxies", "DBProxies"):
        if page and not by_name:
            tags = source.tags("RDS proxies", "rds:db-proxy")
        by_name |= {name: each for each in page if (name := decode.text(each.get("DBProxyName")))}
        yield source.page(proxy(each, source.owner, tags) for each in page)
    if by_name:
        told = source.beside(
            "endpoints of RDS proxies",
            "rds",
            "describe_db_proxy_endpoints",
            "DBProxyEndpoints",
            rows=frozenset({Kind.PROXY}),
        )
        yield source.page(endpoint(each, source.owner, by_name, tags) for each in told)


def proxy(each: Raw, owner: Owner, tags: Mapping[str, Mapping[str, str]] = _NO_TAGS) -> Database | None:
    """An RDS proxy; None without an endpoint or of a family whose port is not known. `tags` are by ARN."""
    name, host = decode.text(each.get("DBProxyName")), decode.text(each.get("Endpoint"))
    family = _FAMILIES.get(str(each.get("EngineFamily")).upper())
    if not (name and host and family):
        return None
    arn = decode.text(each.get("DBProxyArn")) or ""
    ways = list(decode.entries(each.get("Auth")))
    users = {decode.text(way.get("UserName")) for way in ways}
    own = tags.get(arn, {})
    return owner.database(
        id=name,
        kind=Kind.PROXY,
        engine=family[0],
        endpoint=host,
        port=family[1],
        role=Role.PROXY,
        status=decode.text(each.get("Status")),
        vpc=decode.text(each.get("VpcId")),
        subnets=decode.texts(each.get("VpcSubnetIds")),
        security_groups=decode.texts(each.get("VpcSecurityGroupIds")),
        user=users.pop() if len(users) == 1 else None,
        iam_auth=_iam_auth(each),
        tls=decode.flag(each.get("RequireTLS")),
        # Clients give the proxy the password that it gives the database: which of several depends on the user.
        secret_arn=secret(own, ways[0] if len(ways) == 1 else None),
        resource_id=arn.rpartition(":")[2] or None,
        tags=own,
    )


def endpoint(
    each: Raw, owner: Owner, proxies: Mapping[str, Raw], tags: Mapping[str, Mapping[str, str]] = _NO_TAGS
) -> Database | None:
    """A further endpoint as `PROXY/NAME`; None for the proxy's own, which the proxy tells, and of an unknown one."""
    name, parent = decode.text(each.get("DBProxyEndpointName")), decode.text(each.get("DBProxyName"))
    around = proxies.get(parent or "")
    if around is None or not name or each.get("IsDefault") is True:
        return None
    own = {key: each.get(key) for key in ("Endpoint", "Status", "VpcId", "VpcSubnetIds", "VpcSecurityGroupIds")}
    found = proxy({**around, **own, "DBProxyName": f"{parent}/{name}"}, owner, tags)
    if found is None:
        return None
    role = Role.READER if str(each.get("TargetRole")).upper() == "READ_ONLY" else Role.PROXY
    return replace(found, role=role, parent=parent)


def _iam_auth(each: Raw) -> bool | None:
    """Whether clients may, or must, come with a token."""
    if str(each.get("DefaultAuthScheme")).upper() == "IAM_AUTH":
        return True
    ways = {str(way.get("IAMAuth")).upper() for way in decode.entries(each.get("Auth"))}
    return bool(ways & {"REQUIRED", "ENABLED"}) if ways else None
