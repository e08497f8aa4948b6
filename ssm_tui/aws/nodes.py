"""Reads a context's nodes: SSM's list, EC2's and ECS's at once, hybrid tags behind them, denials as notes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.ecs import read_containers
from ssm_tui.aws.join import NodeJoin, hybrid_ids
from ssm_tui.aws.streams import merged
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ssm_tui.aws.decode import Instance, Managed
    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.nodes import Node

# The pages' sizes that AWS allows at most.
PROPERTIES_PAGE = 1000
INFORMATION_PAGE = 50
INSTANCES_PAGE = 1000
# One call a hybrid node: enough for what people register by hand, and a bound for those who register fleets.
HYBRID_TAGS = 300
# An endpoint that does not know an operation says so by one of these.
UNSUPPORTED = frozenset({"InvalidAction", "UnknownOperation", "UnknownOperationException", "NotImplemented", "501"})


@dataclass(frozen=True, slots=True)
class _Managed:
    page: list[Managed]


@dataclass(frozen=True, slots=True)
class _Instances:
    page: list[Instance]


@dataclass(frozen=True, slots=True)
class _Tags:
    node_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _ManagedEnded:
    error: AwsError | None = None


@dataclass(frozen=True, slots=True)
class _InstancesEnded:
    error: AwsError | None = None


@dataclass(frozen=True, slots=True)
class _TagsMissing:
    note: Note


_Event = _Managed | _Instances | _Tags | _ManagedEnded | _InstancesEnded | _TagsMissing | NodePage


def read_nodes(
    gateway: Gateway, context: Context, account: str | None, untagged: Callable[[str], None]
) -> Iterator[NodePage]:
    """The nodes, page by page as they come. `untagged` is told of each hybrid node whose tags were not read.

    A list that cannot be read becomes a note. Raises AwsError where neither can.
    """
    join = NodeJoin(context, account)
    failures: list[AwsError] = []
    readers: list[Callable[[], Iterator[_Event]]] = [
        partial(_read_managed, gateway, untagged),
        partial(_read_instances, gateway),
        partial(read_containers, gateway, context, account),
    ]
    for event in merged(readers):
        nodes: list[Node] = []
        notes: tuple[Note, ...] = ()
        match event:
            case NodePage(containers, untold):
                nodes, notes = list(containers), untold
            case _Managed(page):
                nodes = join.managed(page)
            case _Instances(page):
                nodes = join.instances(page)
            case _Tags(node_id, tags):
                nodes = join.tagged(node_id, tags)
            case _TagsMissing(note):
                notes = (note,)
            case _ManagedEnded(None):
                nodes = join.all_managed_read()
            case _ManagedEnded(error) | _InstancesEnded(error) if error is not None:
                failures.append(error)
                notes = (_note(event, error),)
        if len(failures) == 2:
            raise _worst(failures)
        if nodes or notes:
            yield NodePage(tuple(nodes), notes)


def _worst(failures: list[AwsError]) -> AwsError:
    """Of two failures the one that says more: what is not a mere refusal, else SSM's."""
    others = [each for each in failures if not isinstance(each, AccessDeniedError)]
    named = sorted(failures, key=lambda each: not getattr(each, "action", "").startswith("ssm:"))
    return (others or named)[0]


def _note(event: _Event, error: AwsError) -> Note:
    if isinstance(event, _ManagedEnded):
        return Note(f"which nodes are online is not known: {error.message}", error.hint)
    return Note(f"tags, addresses and networks of EC2 instances are not known: {error.message}", error.hint)


def _read_managed(gateway: Gateway, untagged: Callable[[str], None]) -> Iterator[_Event]:
    hybrid: list[str] = []
    try:
        for page in _managed_pages(gateway):
            hybrid.extend(hybrid_ids(page))
            yield _Managed(page)
    except AwsError as error:
        yield _ManagedEnded(error)
        return
    # Said before the tags are read: unmanaged instances should not wait for them.
    yield _ManagedEnded()
    yield from _read_hybrid_tags(gateway, hybrid, untagged)


def _managed_pages(gateway: Gateway) -> Iterator[list[Managed]]:
    """DescribeInstanceProperties, which AWS's end-user policy grants; DescribeInstanceInformation where only that is
    granted, or known."""
    try:
        pages = gateway.pages("ssm", "describe_instance_properties", page_size=PROPERTIES_PAGE)
        yield from map(decode.managed, pages)
    except AwsError as error:
        if not (isinstance(error, AccessDeniedError) or error.code in UNSUPPORTED):
            raise
        try:
            for page in gateway.pages("ssm", "describe_instance_information", page_size=INFORMATION_PAGE):
                yield decode.managed(page)
        except AccessDeniedError:
            raise error from None


def _read_hybrid_tags(gateway: Gateway, hybrid: list[str], untagged: Callable[[str], None]) -> Iterator[_Event]:
    for number, node_id in enumerate(hybrid):
        if number >= HYBRID_TAGS:
            yield _tags_missing(hybrid[number:], untagged, f"only the first {HYBRID_TAGS} are read", "")
            return
        try:
            answer = gateway.call("ssm", "list_tags_for_resource", ResourceType="ManagedInstance", ResourceId=node_id)
        except AwsError as error:
            yield _tags_missing(hybrid[number:], untagged, error.message, error.hint)
            return
        yield _Tags(node_id, decode.tags(answer.get("TagList")))


def _tags_missing(nodes: list[str], untagged: Callable[[str], None], why: str, hint: str) -> _TagsMissing:
    for node_id in nodes:
        untagged(node_id)
    return _TagsMissing(Note(f"the tags of {len(nodes)} hybrid nodes are not known: {why}", hint))


def _read_instances(gateway: Gateway) -> Iterator[_Event]:
    try:
        for page in gateway.pages("ec2", "describe_instances", page_size=INSTANCES_PAGE):
            yield _Instances(decode.instances(page))
    except AwsError as error:
        yield _InstancesEnded(error)
        return
    yield _InstancesEnded()
