"""Reads contexts in the background: threads call AWS, and what they find is posted as messages, page by page.

Nothing here touches what is on the screen. The threads are daemons of our own, because leaving the app must not wait
for a call that hangs until its timeout, as the event loop's executor would.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from ssm_tui.errors import SsmTuiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import DatabasePage
    from ssm_tui.domain.nodes import Node, NodeKey, NodePage
    from ssm_tui.domain.services import Cloud, Clouds

AT_ONCE = 8  # threads that talk to AWS at the same time; more only run into its rate limits


@dataclass
class ContextsFound(Message):
    """The contexts that were asked for are known."""

    contexts: tuple[Context, ...]


@dataclass
class ContextsFailed(Message):
    """They could not be found out: no region, an unknown profile."""

    error: SsmTuiError


@dataclass
class NodesRead(Message):
    """A page of nodes."""

    context: Context
    page: NodePage


@dataclass
class AccessRead(Message):
    """Some verdicts."""

    context: Context
    access: Mapping[NodeKey, Access]


@dataclass
class DatabasesRead(Message):
    """A page of databases."""

    context: Context
    page: DatabasePage


@dataclass
class PartEnded(Message):
    """One part of a context (nodes, access or databases) has been read to its end, or reading it failed."""

    context: Context
    part: str
    error: SsmTuiError | None = None


class Reader:
    """Starts reads, and knows which are under way. `post` takes messages from any thread."""

    def __init__(self, clouds: Clouds, post: Callable[[Message], object]) -> None:
        self._clouds = clouds
        self._post = post
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._closed = threading.Event()

    def find_contexts(self) -> None:
        """Begins; ends with ContextsFound or ContextsFailed."""
        self._spawn(self._find_contexts, "contexts")

    def read(self, context: Context) -> None:
        """Reads nodes, then the access to them, and beside that the databases."""
        self._spawn(lambda: self._read_nodes(context), f"nodes {context.label}")
        self._spawn(lambda: self._read_databases(context), f"databases {context.label}")

    def close(self) -> None:
        """Reads under way come to nothing: no message is posted any more."""
        self._closed.set()

    def _spawn(self, work: Callable[[], None], name: str) -> None:
        def run() -> None:
            with self._slots:
                if not self._closed.is_set():
                    work()

        threading.Thread(target=run, name=f"read {name}", daemon=True).start()

    def _tell(self, message: Message) -> bool:
        """Posts; False when there is nobody left to tell, and so no reason to read on."""
        if self._closed.is_set():
            return False
        self._post(message)
        return True

    def _find_contexts(self) -> None:
        try:
            found = self._clouds.contexts()
        except SsmTuiError as error:
            self._tell(ContextsFailed(error))
        else:
            self._tell(ContextsFound(found))

    def _read_nodes(self, context: Context) -> None:
        nodes: dict[NodeKey, Node] = {}
        try:
            cloud = self._clouds.open(context)
            for page in cloud.node_pages():
                nodes.update((node.key, node) for node in page.nodes)
                if not self._tell(NodesRead(context, page)):
                    return
        except SsmTuiError as error:
            self._tell(PartEnded(context, "nodes", error))
            return
        if self._tell(PartEnded(context, "nodes")):
            self._ask_access(cloud, tuple(nodes.values()))

    def _ask_access(self, cloud: Cloud, nodes: Sequence[Node]) -> None:
        try:
            for portion in cloud.access(nodes):
                if not self._tell(AccessRead(cloud.context, portion)):
                    return
        except SsmTuiError as error:
            self._tell(PartEnded(cloud.context, "access", error))
        else:
            self._tell(PartEnded(cloud.context, "access"))

    def _read_databases(self, context: Context) -> None:
        try:
            for page in self._clouds.open(context).database_pages():
                if not self._tell(DatabasesRead(context, page)):
                    return
        except SsmTuiError as error:
            self._tell(PartEnded(context, "databases", error))
        else:
            self._tell(PartEnded(context, "databases"))
