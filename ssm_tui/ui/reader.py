"""Reads contexts in the background: threads call AWS, and what they find is posted as messages, page by page.

Nothing here touches what is on the screen. The threads are daemons of our own, because leaving the app must not wait
for a call that hangs until its timeout, as the event loop's executor would.
"""

from __future__ import annotations

import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ssm_tui.domain.narrowing import NOTHING_NARROWED
from ssm_tui.errors import AccessDeniedError, SsmTuiError
from ssm_tui.ui.posting import Posts
from ssm_tui.ui.reads import (
    AccessLearned,
    AliasRead,
    CallerKnown,
    ContextsFailed,
    ContextsFound,
    DatabasesRead,
    LoginsRead,
    NodesSettled,
    PartEnded,
    access_read,
    nodes_read,
    rows_recalled,
)
from ssm_tui.ui.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.message import Message

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.narrowing import Narrowing
    from ssm_tui.domain.nodes import Node, NodeKey
    from ssm_tui.domain.services import Cloud, Clouds
    from ssm_tui.domain.snapshots import Snapshot
    from ssm_tui.ui.posting import Posting


NONE_ANSWERED: Mapping[NodeKey, Node] = MappingProxyType({})
AT_ONCE = 8  # threads that talk to AWS at the same time; more only run into its rate limits
PATIENCE = 4.0  # seconds of silence after which one of them does not count any more
CONTEXTS, NODES, DATABASES = range(3)  # what is read first where there is more to read than is read at once


@dataclass(frozen=True, slots=True)
class _Of:
    """Those who read with a profile's credentials, None being a profile too."""

    profile: str | None


class Reader:
    """Starts reads, and knows which are under way. `post` takes messages from any thread."""

    def __init__(self, clouds: Clouds, post: Callable[[Message], object]) -> None:
        self._clouds = clouds
        self._posts = Posts(post)
        self._slots = Slots(AT_ONCE, PATIENCE)
        self._finding = threading.Event()  # of the last search: set once there is a later one
        self._stopped: dict[Context, threading.Event] = {}
        self.looked_at: tuple[NodeKey, ...] = ()
        """The nodes on the screen: the access to them is asked for first."""
        clouds.attend(lambda context: self._posts.posting()(AccessLearned(context)))

    def find_contexts(self) -> None:
        """Begins; ends with ContextsFound or ContextsFailed, unless another search has begun meanwhile."""
        self._finding.set()
        self._finding = stopped = threading.Event()
        self._spawn(lambda: self._find_contexts(self._posting(stopped)), "contexts", CONTEXTS)

    def recall(self, portions: Iterator[Snapshot]) -> None:
        """Tells of rows of an earlier run."""

        def recall() -> None:
            all(self._posts.posting().portion(each) for snapshot in portions for each in rows_recalled(snapshot))

        # Not in one of the slots: rows that are on the disk do not wait for a call that hangs.
        threading.Thread(target=recall, name="recall", daemon=True).start()

    def read(
        self,
        context: Context,
        answered: Mapping[NodeKey, Node] = NONE_ANSWERED,
        narrowing: Narrowing = NOTHING_NARROWED,
    ) -> None:
        """Reads nodes, then the access to them, and beside that the databases. The access to those that are answered
        for, and have the same tags as then, is not asked for again."""
        tell = self._posting(self._stopped.setdefault(context, threading.Event()))
        self._spawn(
            lambda: self._read_nodes(context, answered, narrowing, tell), f"nodes {context.label}", NODES, context
        )
        self._spawn(lambda: self._read_databases(context, tell), f"databases {context.label}", DATABASES, context)

    def ask_access(self, context: Context, nodes: Sequence[Node]) -> None:
        """Asks for the access to these nodes once more, beside what else is read."""
        tell = self._posting(self._stopped.setdefault(context, threading.Event()))
        self._spawn(lambda: self._tell_access(context, tell, nodes), f"access {context.label}", NODES, context)

    def stop(self, context: Context) -> None:
        """What is being read of the context is not told any more."""
        if (stopped := self._stopped.pop(context, None)) is not None:
            stopped.set()

    def close(self) -> None:
        """Reads under way come to nothing: no message is posted any more."""
        self._posts.close()

    def step_aside(self, profile: str | None) -> None:
        """Reads of the profile wait for the user: those of others need not wait for them."""
        self._slots.step_aside(_Of(profile))

    def step_back(self, profile: str | None) -> None:
        """They go on."""
        self._slots.step_back(_Of(profile))

    def _spawn(self, work: Callable[[], None], name: str, rank: int, context: Context | None = None) -> None:
        def run() -> None:
            with self._slots.taken(rank, _Of(context.profile) if context else None):
                if not self._posts.closed:
                    work()

        threading.Thread(target=run, name=f"read {name}", daemon=True).start()

    def _settle(self, context: Context, tell: Posting) -> None:
        more = True
        while more:
            portion = NodesSettled(context)
            more = tell.portion(portion) and portion.more

    def _posting(self, stopped: threading.Event) -> Posting:
        return self._posts.posting(stopped, self._slots.heard)

    def _find_contexts(self, tell: Posting) -> None:
        found: tuple[Context, ...] = ()

        def find() -> None:
            nonlocal found
            found = self._clouds.contexts()

        error = _failure(find, "contexts")
        tell(ContextsFound(found) if error is None else ContextsFailed(error))

    def _identified(self, context: Context, tell: Posting) -> Cloud:
        """The context's cloud, once it is known whose it is, or that this may not be asked. Raises AwsError."""
        cloud = self._clouds.open(context)
        with suppress(AccessDeniedError):
            tell(CallerKnown(context, cloud.identify().account))
        return cloud

    def _read_nodes(
        self, context: Context, answered: Mapping[NodeKey, Node], narrowing: Narrowing, tell: Posting
    ) -> None:
        nodes: dict[NodeKey, Node] = {}
        known = False

        def read() -> None:
            # Not behind STS: a call's time, and where it cannot be reached there would be no list. The first nodes
            # come when it is known whose they are, and say so; of none at all the reading of databases says it.
            nonlocal known
            for page in self._clouds.open(context).node_pages(narrowing):
                if not known and (account := next((node.account for node in page.nodes if node.account), None)):
                    known = True
                    tell(CallerKnown(context, account))
                nodes.update((node.key, node) for node in page.nodes)
                if not all(tell.portion(each) for each in nodes_read(context, page)):
                    return

        error = _failure(read, "nodes")
        if error is None:
            self._settle(context, tell)
        if tell(PartEnded(context, "nodes", error)) and error is None:
            self._ask_access(context, tell, [node for key, node in nodes.items() if not _same(node, answered.get(key))])

    def _ask_access(self, context: Context, tell: Posting, nodes: Sequence[Node]) -> None:
        tell(PartEnded(context, "access", _failure(lambda: self._tell_access(context, tell, nodes), "access")))

    def _tell_access(self, context: Context, tell: Posting, nodes: Sequence[Node]) -> None:
        for portion in self._clouds.open(context).access(nodes, lambda: self.looked_at):
            if not all(tell.portion(each) for each in access_read(portion)):
                return

    def _read_databases(self, context: Context, tell: Posting) -> None:
        found: list[Database] = []

        def read() -> None:
            for page in self._identified(context, tell).database_pages():
                found.extend(page.databases)
                if not tell(DatabasesRead(context, page)):
                    return

        if tell(PartEnded(context, "databases", error := _failure(read, "databases"))) and error is None:
            tell(LoginsRead(self._clouds.open(context).logins(found)))
            self._ask_alias(context, tell)

    def _ask_alias(self, context: Context, tell: Posting) -> None:
        """Last of all: where IAM cannot be reached that takes its time, and nobody waits for it."""
        with suppress(SsmTuiError):
            cloud = self._clouds.open(context)
            if alias := cloud.alias():
                tell(AliasRead(cloud.identify().account, alias))


def _same(node: Node, before: Node | None) -> bool:
    return before is not None and before.tags == node.tags


def _failure(work: Callable[[], None], part: str) -> SsmTuiError | None:
    """What went wrong. A mistake of our own is shown too: a context must not seem to be read for ever."""
    try:
        work()
    except SsmTuiError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the end of the thread: shown on the screen, nowhere else to go
        where = traceback.extract_tb(error.__traceback__)[-1]
        return SsmTuiError(
            f"reading {part} failed in {where.name}: {type(error).__name__}", "this is a mistake in ssm-tui: report it"
        )
    return None
