"""What the tagging API tells of databases that moto tells nothing of, or by other names of types than AWS's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.elasticache.models import elasticache_backends
from moto.opensearch.models import opensearch_backends

from ssm_tui.demo.database_calls import CACHE, NAMESPACE, WORKGROUP, Sort, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def tagged(account: str, region: str, types: set[str]) -> list[dict[str, Any]] | None:
    """What the tagging API tells of these types; None where some of them are moto's to tell."""
    if not types or not types <= set(_TAGGED):
        return None
    return [
        {"ResourceARN": arn, "Tags": tags}
        for each in sorted(types)
        for arn, tags in _TAGGED[each](account, region)
        if tags
    ]


def _tagged_made(sort: Sort, account: str, region: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    for thing in made(account, region, sort).values():
        yield thing.told[sort.arn], thing.tags


def _tagged_caches(kind: str, account: str, region: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Moto has these under names of its own."""
    backend = elasticache_backends[account][region]
    for cache in list(getattr(backend, kind).values()):
        yield cache.arn, backend.tagging_service.list_tags_for_resource(cache.arn)["Tags"]


def _tagged_domains(account: str, region: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    backend = opensearch_backends[account][region]
    for domain in list(backend.domains.values()):
        yield domain.arn, backend.list_tags(domain.arn)


def _tagged_clusters(account: str, region: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    from moto.memorydb.models import memorydb_backends  # none of the fleet's, so that it is loaded for those who ask

    backend = memorydb_backends[account][region]
    for cluster in list(backend.clusters.values()):
        yield cluster.arn, backend.list_tags(cluster.arn)


_TAGGED: Mapping[str, Callable[[str, str], Iterator[tuple[str, list[dict[str, str]]]]]] = {
    "elasticache:cluster": partial(_tagged_caches, "cache_clusters"),
    "elasticache:replicationgroup": partial(_tagged_caches, "replication_groups"),
    "elasticache:serverlesscache": partial(_tagged_made, CACHE),
    "redshift-serverless:namespace": partial(_tagged_made, NAMESPACE),
    "redshift-serverless:workgroup": partial(_tagged_made, WORKGROUP),
    "es:domain": _tagged_domains,
    "memorydb:cluster": _tagged_clusters,
}
