"""Reads a context's databases: every service at once, then the networks around them.

A module a service; decoding is pure and tolerant, as in `aws.decode`: what has no endpoint (being created, say) is left
out. A context that has nothing costs one call a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ssm_tui.aws import regions
from ssm_tui.aws.databases import caches, memorydb, opensearch, proxies, rds, redshift, redshift_serverless
from ssm_tui.aws.databases.source import Owner, Source
from ssm_tui.aws.networks import read_network
from ssm_tui.aws.streams import merged
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.databases import Database, DatabasePage, Kind
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Context


@dataclass(frozen=True, slots=True)
class _Service:
    """A list of its own: what it is called, the kinds that it gives, and how it is read. `endpoint` is the prefix of
    its host where there are regions without it."""

    name: str
    kinds: frozenset[Kind]
    read: Callable[[Source], Iterator[DatabasePage]]
    endpoint: str = ""


_SERVICES = (
    _Service("RDS databases", rds.KINDS, rds.read),
    _Service("RDS proxies", frozenset({Kind.PROXY}), proxies.read),
    _Service("ElastiCache", frozenset({Kind.ELASTICACHE}), caches.read),
    _Service("serverless caches", frozenset({Kind.ELASTICACHE}), caches.read_serverless),
    _Service("MemoryDB", frozenset({Kind.MEMORYDB}), memorydb.read, "memory-db"),
    _Service("Redshift", frozenset({Kind.REDSHIFT}), redshift.read),
    _Service(
        "Redshift Serverless",
        frozenset({Kind.REDSHIFT_SERVERLESS}),
        redshift_serverless.read,
        "redshift-serverless",
    ),
    _Service("OpenSearch", frozenset({Kind.OPENSEARCH}), opensearch.read),
)


def read_databases(
    gateway: Gateway, context: Context, account: str | None, own: Sequence[Database] = ()
) -> Iterator[DatabasePage]:
    """The user's `own` databases, all others as they come, then the networks around them. A service that says no
    becomes a note; one that the region has not is left out.

    Raises AwsError where none of the services could be read and there are no own ones.
    """
    if own:
        yield DatabasePage(tuple(own))
    owner = Owner(context, account)
    services = [each for each in _SERVICES if regions.has_service(context.region, each.endpoint)]
    failures: list[AwsError] = []
    vpcs = {database.vpc for database in own if database.vpc}
    for event in merged([partial(_told, service, Source(gateway, owner)) for service in services]):
        if isinstance(event, DatabasePage):
            vpcs.update(database.vpc for database in event.databases if database.vpc)
            yield event
            continue
        service, error = event
        failures.append(error)
        if len(failures) == len(services) and not own:
            raise failures[0]
        refused = Note(f"{service.name} could not be read: {error.message}", error.hint)
        yield DatabasePage(notes=(refused,), unread=service.kinds)
    network, note = read_network(gateway, vpcs, account)
    yield DatabasePage(network=network, notes=(note,) if note else ())


def _told(service: _Service, source: Source) -> Iterator[DatabasePage | tuple[_Service, AwsError]]:
    try:
        for page in service.read(source):
            if page.databases or page.notes:
                yield page
    except AwsError as error:
        yield service, error
