"""What the sources of a context's nodes tell, in any order, assembled into pages for who reads the nodes. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.lacks import Lack
from ssm_tui.domain.nodes import NodePage
from ssm_tui.errors import AccessDeniedError, AwsError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.join import NodeJoin
    from ssm_tui.domain.nodes import Node


class Source(StrEnum):
    """Who tells of nodes; the order is that of their failures' weight."""

    STS = "sts"
    SSM = "ssm"
    EC2 = "ec2"
    ECS = "ecs"


@dataclass(frozen=True, slots=True)
class AccountTold:
    """Whose the context is."""

    account: str


@dataclass(frozen=True, slots=True)
class ManagedTold:
    """A page of SSM's list, as it came: it is decoded by who takes it, while the next one is on its way."""

    page: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InstancesTold:
    """A page of EC2's list, likewise."""

    page: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TagsTold:
    """Tags of hybrid nodes."""

    tags: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Ended:
    """A source has been read to its end, or to its failure."""

    source: Source
    error: AwsError | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A source waits because AWS wants it to; without words, it does no longer."""

    source: Source
    words: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """It has taken too long to learn whose the context is."""


Told = AccountTold | ManagedTold | InstancesTold | TagsTold | Ended | Overdue | NodePage
"""A page of nodes stands for itself: containers, which are nobody else's to join, or a note."""
Event = Told | Waiting


class Assembly:
    """Takes events and gives pages.

    Rows are held back until it is known whose they are, by STS or by EC2: they are going to stand beside rows of an
    earlier run, which may have been another account's. But not for ever: what was given without an account comes again
    with it.
    """

    def __init__(self, join: NodeJoin) -> None:
        self._join = join
        self._held: list[Told] | None = []
        self._ended: set[Source] = set()
        self._failures: dict[Source, AwsError] = {}
        self._notes: list[Note] = []
        self._rows: Counter[Source] = Counter()
        self._containers = False
        self._waits: dict[Source, str] = {}
        self._waiting = ""

    def take(self, event: Event) -> Iterator[NodePage]:
        """The pages that the event leads to; each tells what is being waited for."""
        if isinstance(event, Waiting):
            self._waits[event.source] = event.words
            waiting = "; ".join(filter(None, self._waits.values()))
            if waiting != self._waiting:
                self._waiting = waiting
                yield NodePage((), waiting=waiting)
            return
        for page in self._released(event):
            yield replace(page, waiting=self._waiting)

    def end(self) -> Iterator[NodePage]:
        """What remains to be said once all sources have ended: why something is missing. Raises AwsError."""
        lists = [each for source in (Source.SSM, Source.EC2) if (each := self._failures.get(source))]
        if expired := next((each for each in lists if isinstance(each, CredentialsError)), None):
            raise self._first_contact(expired)
        refused = all(isinstance(each, AccessDeniedError) for each in lists)
        if len(lists) == 2 and not (refused and self._containers):
            # Of two failures the one that says more: what is not a mere refusal, else SSM's.
            raise self._first_contact(
                next((each for each in lists if not isinstance(each, AccessDeniedError)), lists[0])
            )
        if self._notes:
            yield NodePage((), tuple(self._notes))

    def _first_contact(self, error: AwsError) -> AwsError:
        """STS, where it fails too, tells more of what is wrong with keys, region and network."""
        return self._failures.get(Source.STS, error)

    def _released(self, event: Told) -> Iterator[NodePage]:
        if isinstance(event, Ended):
            self._ended.add(event.source)
        if self._join.account is None and (account := _account_in(event)) is not None:
            self._join.account = account
            if self._held is None:
                yield from _page(self._join.nodes())
        if self._held is None:
            yield from self._pages(event)
            return
        self._held.append(event)
        whose = self._join.account is not None or self._ended >= {Source.STS, Source.EC2}
        if whose or isinstance(event, Overdue):
            held, self._held = self._held, None
            for each in held:
                yield from self._pages(each)

    def _pages(self, event: Told) -> Iterator[NodePage]:
        match event:
            case NodePage():
                self._containers = self._containers or bool(event.nodes)
                yield event
            case ManagedTold(raw):
                managed = decode.managed(raw)
                self._rows[Source.SSM] += len(managed)
                yield from _page(self._join.managed(managed))
            case InstancesTold(raw):
                instances = decode.instances(raw)
                self._rows[Source.EC2] += len(instances)
                yield from _page(self._join.instances(instances))
            case TagsTold(tags):
                yield from _page(self._join.tagged(tags))
            case Ended():
                yield from _page(self._rest(event))

    def _rest(self, event: Ended) -> list[Node]:
        """The nodes that are known better by a source's end."""
        if event.error is None:
            return self._join.all_managed_read() if event.source is Source.SSM else []
        self._failures[event.source] = event.error
        self._notes.append(_note(event.source, self._rows[event.source], event.error))
        match event.source:
            case Source.SSM:
                return self._join.managed_failed()
            case Source.EC2:
                return self._join.instances_failed()
        return []


def _page(nodes: list[Node]) -> Iterator[NodePage]:
    if nodes:
        yield NodePage(tuple(nodes))


def _account_in(event: Told) -> str | None:
    match event:
        case AccountTold(account):
            return account
        case InstancesTold(raw):
            return decode.owner(raw)
        case NodePage():
            return next((each.account for each in event.nodes), None)
    return None


def _note(source: Source, rows: int, error: AwsError) -> Note:
    refused = isinstance(error, AccessDeniedError)
    if source is Source.STS:
        what = "who you are is not known, and with it what you may do"
        return Note(f"{what}: {error.message}", error.hint, partial=False)
    if source is Source.SSM:
        which = f"which nodes beyond the first {rows:,} are online" if rows else "which nodes are online"
        return Note(f"{which} is not known: {error.message}", error.hint, failed=not refused, lack=Lack.MANAGED)
    which = f"EC2 instances beyond the first {rows:,}" if rows else "EC2 instances"
    what = f"tags, addresses and networks of {which} are not known"
    return Note(f"{what}: {error.message}", error.hint, failed=not refused, lack=Lack.INSTANCES)
