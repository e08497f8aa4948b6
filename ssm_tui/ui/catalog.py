"""The catalog: what the app knows, of all contexts, on the event loop's thread. Takes in reads, answers queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssm_tui.domain.access import SessionKind
from ssm_tui.domain.databases import DATABASE_FIELDS, Reachable, Relay, choose_relay
from ssm_tui.domain.filters import Filter, parse
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.ordering import database_order
from ssm_tui.ui.actions import View
from ssm_tui.ui.presentation.databases import READING_RELAYS, DatabaseRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.domain.access import Access, Answer
    from ssm_tui.domain.contexts import Context, Note
    from ssm_tui.domain.databases import Database, DatabasePage
    from ssm_tui.domain.networks import SecurityGroup
    from ssm_tui.domain.nodes import Node, NodeKey, NodePage
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.errors import SsmTuiError

DatabaseKey = tuple["Context", str]

FIELDS = {
    View.NODES: tuple(NODE_FIELDS),
    View.DATABASES: (*DATABASE_FIELDS, "reachable"),
    View.TUNNELS: (),
}


def parse_filter(view: View, text: str) -> Filter:
    """The filter in the words of a view. Raises FilterError."""
    return parse(text, FIELDS[view])


@dataclass(slots=True)
class Reading:
    """How the reading of one context stands."""

    parts: set[str] = field(default_factory=set)  # what is still being read: nodes, access, databases
    nodes: int = 0
    since: datetime | None = None  # when all of it was last read to the end
    errors: dict[str, SsmTuiError] = field(default_factory=dict)  # by part
    notes: dict[str, list[Note]] = field(default_factory=dict)  # by part

    @property
    def busy(self) -> bool:
        """Something is still being read."""
        return bool(self.parts)


class Catalog:
    """Nodes, databases and how their reading stands."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.readings: dict[Context, Reading] = {}
        self._clock = clock
        self._inventory = Inventory()
        self._databases: dict[DatabaseKey, Database] = {}
        self._seen: dict[Context, set[DatabaseKey]] = {}
        self._groups: dict[Context, dict[str, SecurityGroup]] = {}
        self._relays: dict[DatabaseKey, Relay] | None = None

    # Reads

    def begin(self, context: Context) -> bool:
        """A read of the context starts; False where one is already under way."""
        reading = self.readings.setdefault(context, Reading())
        if reading.busy:
            return False
        reading.parts = {"nodes", "access", "databases"}
        reading.nodes, reading.notes = 0, {}
        self._inventory.begin(context)
        self._seen[context] = set()
        return True

    def add_nodes(self, context: Context, page: NodePage) -> None:
        """A page has come in."""
        self._inventory.add(page.nodes)
        self.readings[context].nodes += len(page.nodes)
        self._note(context, "nodes", page.notes)
        self._relays = None

    def add_databases(self, context: Context, page: DatabasePage) -> None:
        """A page has come in."""
        for database in page.databases:
            self._databases[database.key] = database
            self._seen[context].add(database.key)
        self._groups.setdefault(context, {}).update({group.id: group for group in page.groups})
        self._note(context, "databases", page.notes)
        self._relays = None

    def learn(self, access: Mapping[NodeKey, Access]) -> None:
        """Verdicts have come in."""
        self._inventory.learn(access)
        self._relays = None

    def learn_answer(self, key: NodeKey, kind: SessionKind, answer: Answer) -> None:
        """What StartSession itself said about one kind of session: it stands above what a simulation found."""
        node = self._inventory.get(key)
        if node is None:
            return
        answers = {each: answer if each is kind else node.access.of(each) for each in SessionKind}
        self.learn({key: type(node.access)(**{each.value: answers[each] for each in SessionKind})})

    def end(self, context: Context, part: str, error: SsmTuiError | None) -> None:
        """A part of the read has ended. What was known before stays where not all could be read: after an error, or
        with notes of what was refused."""
        reading = self.readings[context]
        reading.parts.discard(part)
        reading.errors.pop(part, None)
        if error is not None:
            reading.errors[part] = error
        elif not reading.notes.get(part):
            self._forget(context, part)
        if part == "nodes" and error is not None:
            reading.parts.discard("access")  # nothing to ask about
        if not reading.busy and not reading.errors:
            reading.since = self._clock()
        self._relays = None

    def _forget(self, context: Context, part: str) -> None:
        """What a read that came to its end has not shown is gone."""
        if part == "nodes":
            self._inventory.finish(context)
        elif part == "databases":
            seen = self._seen.pop(context, set())
            for key in [key for key in self._databases if key[0] == context and key not in seen]:
                del self._databases[key]

    def _note(self, context: Context, part: str, notes: Iterable[Note]) -> None:
        known = self.readings[context].notes.setdefault(part, [])
        known.extend(note for note in notes if note not in known)

    # Queries

    def node(self, key: NodeKey) -> Node | None:
        """The node, while it is known."""
        return self._inventory.get(key)

    def nodes(self, wanted: Filter) -> list[Node]:
        """The nodes that match, in their order."""
        return self._inventory.query(wanted)

    def count(self, view: View) -> int:
        """How many nodes or databases there are."""
        return len(self._inventory) if view is View.NODES else len(self._databases)

    def databases(self, wanted: Filter, tunnels: Iterable[TunnelStatus]) -> list[DatabaseRow]:
        """The databases that match, by name, with relay and running tunnel."""
        running = {s.request.database.key: s for s in tunnels if s.request.database and not s.state.ended}
        relays = self._chosen_relays()
        rows = (DatabaseRow(d, relays[key], running.get(key)) for key, d in self._databases.items())
        found = (row for row in rows if not wanted or wanted.matches(row))
        return sorted(found, key=lambda row: database_order(row.database))

    def _chosen_relays(self) -> dict[DatabaseKey, Relay]:
        """Relays are chosen anew only after nodes, verdicts or databases have changed."""
        if self._relays is None:
            near: dict[tuple[Context, str | None], list[Node]] = {}
            for node in self._inventory:
                near.setdefault((node.context, node.vpc), []).append(node)
            self._relays = {
                key: self._chosen_relay(database, near.get((database.context, database.vpc), []))
                for key, database in self._databases.items()
            }
        return self._relays

    def _chosen_relay(self, database: Database, near: Sequence[Node]) -> Relay:
        """That none reaches the database is said only once the nodes and the access to them have been read."""
        relay = choose_relay(database, near, self._groups.get(database.context, {}))
        reading = self.readings[database.context]
        if relay.reachable is not Reachable.NO or reading.since is not None:
            return relay
        if reading.parts & {"nodes", "access"}:
            return Relay(None, Reachable.UNKNOWN, READING_RELAYS)
        if not near and "nodes" in reading.errors:
            return Relay(None, Reachable.UNKNOWN, "the nodes around it could not be read")
        return relay
