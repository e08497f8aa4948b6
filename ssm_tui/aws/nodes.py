"""Reads a context's nodes: SSM's list, EC2's and ECS's at once, hybrid tags behind them, denials as notes."""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.aws.assembly import (
    AccountTold,
    Assembly,
    Ended,
    Event,
    InstancesTold,
    ManagedTold,
    Overdue,
    Source,
    TagsTold,
    Told,
    Waiting,
)
from ssm_tui.aws.ecs import read_containers
from ssm_tui.aws.hybrid import read_tags, untold
from ssm_tui.aws.join import NodeJoin
from ssm_tui.aws.streams import merged
from ssm_tui.aws.throttling import listened
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.narrowing import NOTHING_NARROWED
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.aws.streams import Items
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.narrowing import ApiFilter, Narrowing

# The pages' sizes that AWS allows at most.
PROPERTIES_PAGE = 1000
INFORMATION_PAGE = 50
INSTANCES_PAGE = 1000
# Seconds for which rows wait until it is known whose they are: STS may hang where EC2 is denied.
PATIENCE = 5.0
# The most values of a filter of DescribeInstanceInformation.
IDS_AT_ONCE = 50
# An endpoint that does not know an operation says so by one of these.
UNSUPPORTED = frozenset({"InvalidAction", "UnknownOperation", "UnknownOperationException", "NotImplemented", "501"})


def read_nodes(
    gateway: Gateway,
    context: Context,
    identify: Callable[[], str],
    untagged: Callable[[str], None],
    narrowing: Narrowing = NOTHING_NARROWED,
) -> Iterator[NodePage]:
    """The nodes, page by page as they come. `identify` gives the account, perhaps by a call, or raises AwsError;
    `untagged` is told of each hybrid node whose tags were not read.

    A list that cannot be read, or not to its end, becomes a note. Raises AwsError where neither SSM's nor EC2's can,
    and CredentialsError where they did not hold to the end; what has come by then is good.
    """
    items: Items[Event] = queue.SimpleQueue()
    sources: dict[Source, Callable[[], Iterator[Told]]] = {
        Source.STS: partial(_read_account, identify),
        Source.SSM: partial(_read_managed, gateway, untagged, narrowing.ssm),
        Source.EC2: partial(_read_instances, gateway, narrowing.ec2),
        Source.ECS: partial(read_containers, gateway, context, None),
    }
    assembly = Assembly(NodeJoin(context, None, narrowing))
    overdue = threading.Timer(PATIENCE, items.put, (Overdue(),))
    overdue.daemon = True
    overdue.start()
    try:
        for event in merged([partial(_read, *source, items) for source in sources.items()], items):
            yield from assembly.take(event)
    finally:
        overdue.cancel()
    yield from assembly.end()


def _read(source: Source, reader: Callable[[], Iterator[Told]], items: Items[Event]) -> Iterator[Event]:
    """What the source tells, to its end or failure; between the lines when it waits, and when it goes on."""
    waited = False

    def wait(words: str) -> None:
        nonlocal waited
        waited = True
        items.put(Waiting(source, words))

    error: AwsError | None = None
    try:
        for told in listened(wait, reader):
            if waited:
                waited = False
                yield Waiting(source, "")
            yield told
    except AwsError as failure:
        error = failure
    if waited:
        yield Waiting(source, "")
    if source is not Source.SSM or error is not None:  # SSM's reader says itself when its list has ended
        yield Ended(source, error)


def _read_account(identify: Callable[[], str]) -> Iterator[Told]:
    yield AccountTold(identify())


def _read_managed(gateway: Gateway, untagged: Callable[[str], None], filters: Sequence[ApiFilter]) -> Iterator[Told]:
    """SSM's list, then the tags of the hybrid nodes in it: unmanaged instances should not wait for those."""
    hybrid: list[str] = []
    try:
        for page in _managed_pages(gateway, filters):
            hybrid.extend(decode.hybrid_ids(page))
            yield ManagedTold(page)
    except AwsError as error:
        if hybrid:
            yield NodePage((), (untold(list(dict.fromkeys(hybrid)), untagged, error.message, error.hint),))
        raise
    yield Ended(Source.SSM)
    for tags in read_tags(gateway, list(dict.fromkeys(hybrid)), untagged):
        yield NodePage((), (tags,)) if isinstance(tags, Note) else TagsTold(tags)


def _managed_pages(gateway: Gateway, filters: Sequence[ApiFilter]) -> Iterator[Mapping[str, Any]]:
    """DescribeInstanceProperties, which AWS's end-user policy grants; DescribeInstanceInformation where only that is
    granted, or known, or tells how the agents answer."""
    silent: list[str] = []
    narrowed = {"InstancePropertyFilterList": _ssm_filters(filters)} if filters else {}
    try:
        for page in gateway.pages("ssm", "describe_instance_properties", page_size=PROPERTIES_PAGE, **narrowed):
            silent.extend(decode.without_ping(page))
            yield page
    except AwsError as error:
        if not (isinstance(error, AccessDeniedError) or error.code in UNSUPPORTED):
            raise
        try:
            yield from _information(gateway, filters)
        except AccessDeniedError:
            raise error from None
        return
    for first in range(0, len(silent), IDS_AT_ONCE):
        yield from _information(gateway, [("InstanceIds", tuple(silent[first : first + IDS_AT_ONCE]))])


def _information(gateway: Gateway, filters: Sequence[ApiFilter]) -> Iterator[Mapping[str, Any]]:
    narrowed = {"InstanceInformationFilterList": _ssm_filters(filters)} if filters else {}
    return gateway.pages("ssm", "describe_instance_information", page_size=INFORMATION_PAGE, **narrowed)


def _ssm_filters(filters: Sequence[ApiFilter]) -> list[dict[str, Any]]:
    """As both calls know them; their newer parameters for filters have other names for some."""
    return [{"key": name, "valueSet": list(values)} for name, values in filters]


def _read_instances(gateway: Gateway, filters: Sequence[ApiFilter]) -> Iterator[Told]:
    wanted = [{"Name": name, "Values": list(values)} for name, values in filters]
    narrowed = {"Filters": wanted} if wanted else {}
    for page in gateway.pages("ec2", "describe_instances", page_size=INSTANCES_PAGE, **narrowed):
        yield InstancesTold(page)
