"""Reads a context's containers: ECS's clusters, their running tasks a hundred a call, and the tasks' networks from EC2.

An account without ECS costs the one call that says so. What cannot be read becomes a note: never an error, for the
machines are there all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ssm_tui.aws import containers, decode
from ssm_tui.aws.streams import merged
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.lacks import Lack
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssm_tui.aws.containers import Container, Interface
    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Context

# The most that ListClusters, ListTasks and DescribeTasks take or give at a time (ECS's API reference).
PAGE = 100
# Clusters that are read at a time.
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Failed:
    """What could not be read, of which cluster."""

    what: str
    error: AwsError


def read_containers(gateway: Gateway, context: Context, account: str | None) -> Iterator[NodePage]:
    """The containers of running tasks, page by page, then a note for each kind of call that failed."""
    clusters: list[str] = []
    failures: list[_Failed] = []
    try:
        for page in gateway.pages("ecs", "list_clusters", page_size=PAGE):
            clusters.extend(decode.texts(page.get("clusterArns")))
    except AwsError as error:
        failures.append(_Failed("the containers of ECS are not listed", error))
    lanes = [clusters[lane::AT_ONCE] for lane in range(min(AT_ONCE, len(clusters)))]
    for event in merged([partial(_read_clusters, gateway, context, account, lane) for lane in lanes]):
        if isinstance(event, NodePage):
            yield event
        else:
            failures.append(event)
    if failures:
        yield NodePage((), tuple(_notes(failures)))


def _notes(failures: Sequence[_Failed]) -> Iterator[Note]:
    """One for each kind: a call that is denied is denied for cluster after cluster. What may not be read is nobody's to
    wait for: rows that were listed once, when it was allowed, go.
    """
    first: dict[str, _Failed] = {}
    for each in failures:
        first.setdefault(each.what, each)
    for what, failed in first.items():
        refused = isinstance(failed.error, AccessDeniedError)
        message, hint = f"{what}: {failed.error.message}", failed.error.hint
        yield Note(message, hint, partial=not refused, failed=not refused, lack=Lack.CONTAINERS)


def _read_clusters(
    gateway: Gateway, context: Context, account: str | None, clusters: Sequence[str]
) -> Iterator[NodePage | _Failed]:
    for cluster in clusters:
        try:
            for page in gateway.pages("ecs", "list_tasks", page_size=PAGE, cluster=cluster, desiredStatus="RUNNING"):
                if tasks := decode.texts(page.get("taskArns")):
                    yield from _read_tasks(gateway, context, account, cluster, tasks)
        except AwsError as error:
            yield _Failed("some containers of ECS are not listed", error)


def _read_tasks(
    gateway: Gateway, context: Context, account: str | None, cluster: str, tasks: Sequence[str]
) -> Iterator[NodePage | _Failed]:
    """Raises AwsError where the tasks cannot be read."""
    answer = gateway.call("ecs", "describe_tasks", cluster=cluster, tasks=list(tasks), include=["TAGS"])
    found = containers.containers(answer, context, account)
    places: dict[str, Interface] = {}
    try:
        places = _interfaces(gateway, found)
    except AwsError as error:
        yield _Failed("the networks of ECS's containers are not known", error)
    if found:
        yield NodePage(tuple(each.placed(places) for each in found))


def _interfaces(gateway: Gateway, found: Sequence[Container]) -> dict[str, Interface]:
    """ECS tells subnet and address of a task, EC2 its VPC and security groups. By a filter, which an interface that is
    gone does not fail, as it does a call that names it."""
    ids = list(dict.fromkeys(each.interface for each in found if each.interface))
    if not ids:
        return {}
    wanted = [{"Name": "network-interface-id", "Values": ids}]
    pages = gateway.pages("ec2", "describe_network_interfaces", Filters=wanted)
    return {each.id: each for page in pages for each in containers.interfaces(page)}
