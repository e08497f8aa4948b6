"""What a read tells the screen, as messages: each knows how the catalog takes it in, in portions without a stall."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ssm_tui.domain.rows import rows_of
from ssm_tui.ui.posting import Portion, Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.domain.access import Access, Answer
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import DatabasePage
    from ssm_tui.domain.nodes import NodeKey, NodePage
    from ssm_tui.domain.rows import Row
    from ssm_tui.domain.snapshots import Snapshot
    from ssm_tui.errors import SsmTuiError
    from ssm_tui.ui.catalog import Catalog

T = TypeVar("T")

PORTION = 250  # rows taken in at a time: 1 to 4 ms


@dataclass
class ContextsFound(Told):
    """The contexts that were asked for are known."""

    contexts: tuple[Context, ...]


@dataclass
class ContextsFailed(Told):
    """They could not be found out: no region, an unknown profile."""

    error: SsmTuiError


@dataclass
class CallerKnown(Told):
    """Whose context it is has been found out, before anything of it has been read."""

    context: Context
    account: str


@dataclass
class AccessLearned(Told):
    """StartSession has taught something new about the access to nodes of the context."""

    context: Context


class Read(Told):
    """Something that was read; the screen lets the catalog take it in, whatever it is."""

    def about(self) -> Context | None:
        """The context that it is of, where it is of one."""
        return None

    def enter(self, catalog: Catalog) -> None:
        """Into what is known."""
        raise NotImplementedError

    def taken_in(self, catalog: Catalog) -> bool:
        """Enters, unless it is of a context that is not chosen any more; whoever waits for that goes on."""
        try:
            wanted = self.counts and self.about() in (None, *catalog.readings)
            if wanted:
                self.enter(catalog)
        finally:
            if isinstance(self, Portion):
                self.taken.set()
        return wanted


@dataclass
class Recalled(Portion, Read):
    """Rows of an earlier run."""

    snapshot: Snapshot
    rows: tuple[Row, ...]

    def about(self) -> Context:
        return self.snapshot.context

    def enter(self, catalog: Catalog) -> None:
        catalog.recall(self.snapshot, self.rows)


@dataclass
class NodesRead(Portion, Read):
    """A page of nodes, or a part of one."""

    context: Context
    page: NodePage
    rows: tuple[Row, ...]

    def about(self) -> Context:
        return self.context

    def enter(self, catalog: Catalog) -> None:
        catalog.add_nodes(self.context, self.page, self.rows)


@dataclass
class NodesSettled(Portion, Read):
    """All nodes have been read: what they have not shown of the context goes, some rows at a time."""

    context: Context
    more: bool = False  # once it has been taken

    def about(self) -> Context:
        return self.context

    def enter(self, catalog: Catalog) -> None:
        self.more = catalog.settle_nodes(self.context, PORTION)


@dataclass
class AccessRead(Portion, Read):
    """Some verdicts."""

    access: Mapping[NodeKey, Access]

    def enter(self, catalog: Catalog) -> None:
        catalog.learn(self.access)


@dataclass
class DatabasesRead(Read):
    """A page of databases."""

    context: Context
    page: DatabasePage

    def about(self) -> Context:
        return self.context

    def enter(self, catalog: Catalog) -> None:
        catalog.add_databases(self.context, self.page)


@dataclass
class LoginsRead(Read):
    """Whether the caller may log in to databases by IAM."""

    logins: Mapping[tuple[Context, str], Answer]

    def enter(self, catalog: Catalog) -> None:
        catalog.logins.update(self.logins)


@dataclass
class PartEnded(Read):
    """One part of a context (nodes, access or databases) has been read to its end, or reading it failed."""

    context: Context
    part: str
    error: SsmTuiError | None = None

    def about(self) -> Context:
        return self.context

    def enter(self, catalog: Catalog) -> None:
        catalog.end(self.context, self.part, self.error)


@dataclass
class AliasRead(Read):
    """What an account is called."""

    account: str
    alias: str

    def enter(self, catalog: Catalog) -> None:
        catalog.aliases[self.account] = self.alias


def rows_recalled(snapshot: Snapshot) -> Iterator[Recalled]:
    """Rows of an earlier run, in portions."""
    for nodes in _parts(snapshot.nodes):
        yield Recalled(replace(snapshot, nodes=nodes), rows_of(nodes))


def nodes_read(context: Context, page: NodePage) -> Iterator[NodesRead]:
    """A page in portions, the first of them with its notes."""
    for at, nodes in enumerate(_parts(page.nodes)):
        part = replace(page, nodes=nodes, notes=() if at else page.notes)
        yield NodesRead(context, part, rows_of(nodes))


def access_read(access: Mapping[NodeKey, Access]) -> Iterator[AccessRead]:
    """Verdicts, in portions."""
    for part in _parts(tuple(access.items())):
        yield AccessRead(dict(part))


def _parts(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """Of a size that is taken in without a stall; one where there are none."""
    yield items[:PORTION]
    for start in range(PORTION, len(items), PORTION):
        yield items[start : start + PORTION]
