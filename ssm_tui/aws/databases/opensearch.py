"""OpenSearch domains that stand in a VPC; what has a public endpoint needs no tunnel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.databases.source import secret, the_same
from ssm_tui.domain.databases import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.databases.source import Owner, Raw, Source
    from ssm_tui.domain.databases import Database, DatabasePage

# "Please provide a maximum of 5 domain names to describe": more than the API reference says of DescribeDomains.
_AT_ONCE = 5
_PORT = 443


def read(source: Source) -> Iterator[DatabasePage]:
    """Domains. Raises AwsError."""
    told = source.call("opensearch", "list_domain_names", "DomainNames")
    names = [name for each in told if (name := decode.text(each.get("DomainName")))]
    if not names:
        return
    tags = source.tags("OpenSearch", "es:domain")
    for start in range(0, len(names), _AT_ONCE):
        wanted = names[start : start + _AT_ONCE]
        domains = source.call("opensearch", "describe_domains", "DomainStatusList", DomainNames=wanted)
        yield source.page(domain(each, source.owner, tags) for each in domains)


def domain(each: Raw, owner: Owner, tags: Mapping[str, Mapping[str, str]]) -> Database | None:
    """A domain; None outside VPCs or without an endpoint. `EngineVersion` is like `OpenSearch_2.19`."""
    name, place = decode.text(each.get("DomainName")), decode.entry(each.get("VPCOptions"))
    host = decode.text(decode.entry(each.get("Endpoints")).get("vpc"))
    vpc = decode.text(place.get("VPCId"))
    if not (name and host and vpc) or each.get("Deleted") is True:
        return None
    engine, _, version = (decode.text(each.get("EngineVersion")) or "opensearch").partition("_")
    own = tags.get(str(each.get("ARN")), {})
    return owner.database(
        id=name,
        kind=Kind.OPENSEARCH,
        engine=engine.lower(),
        version=version or None,
        endpoint=host,
        port=_PORT,
        role=Role.INSTANCE,
        status=decode.text(each.get("DomainProcessingStatus")),
        vpc=vpc,
        subnets=decode.texts(place.get("SubnetIds")),
        az=the_same(decode.texts(place.get("AvailabilityZones"))),
        security_groups=decode.texts(place.get("SecurityGroupIds")),
        tls=decode.flag(decode.entry(each.get("DomainEndpointOptions")).get("EnforceHTTPS")),
        secret_arn=secret(own),
        tags=own,
    )
