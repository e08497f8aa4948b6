"""The catalog: what the app knows, of all contexts, on the event loop's thread. Takes in reads, answers queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.completion import Counted
from ssm_tui.domain.database_inventory import DatabaseInventory
from ssm_tui.domain.databases import DATABASE_FIELDS, Reachable
from ssm_tui.domain.filters import NONE_SAVED, Filter, parse
from ssm_tui.domain.inventory import AS_THEY_ARE, Inventory
from ssm_tui.domain.lacks import EVERYTHING, may_be_there
from ssm_tui.domain.listing import Arrangement
from ssm_tui.domain.nodes import NODE_FIELDS, Node
from ssm_tui.domain.ordering import database_order
from ssm_tui.domain.rows import rows_of
from ssm_tui.domain.snapshots import Snapshot
from ssm_tui.ui.actions import View
from ssm_tui.ui.granted import Granted
from ssm_tui.ui.presentation.databases import READING_RELAYS, DatabaseRow
from ssm_tui.ui.readings import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.domain.access import Access, Answer, SessionKind
    from ssm_tui.domain.columns import Columns
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database, DatabasePage
    from ssm_tui.domain.lacks import Lacks
    from ssm_tui.domain.listing import Listing
    from ssm_tui.domain.nodes import NodeKey, NodePage
    from ssm_tui.domain.relays import Candidate, Preferences, Relay, Relays
    from ssm_tui.domain.rows import Row
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.errors import SsmTuiError

DatabaseKey = tuple["Context", str]

ALL_OF_THEM = Arrangement(unmanaged=True)

FIELDS = {
    View.NODES: tuple(NODE_FIELDS),
    View.DATABASES: (*DATABASE_FIELDS, "reachable"),
    View.TUNNELS: (),
}


def parse_filter(view: View, text: str, saved: Mapping[str, str] = NONE_SAVED) -> Filter:
    """The filter in the words of a view. Raises FilterError."""
    return parse(text, FIELDS[view], saved)


class Catalog:
    """Nodes, databases and how their reading stands."""

    def __init__(self, clock: Callable[[], datetime], preferences: Callable[[], Preferences] | None = None) -> None:
        self.readings: dict[Context, Reading] = {}
        self.aliases: dict[str, str] = {}  # what accounts are called, where that is known
        self._clock = clock
        self._preferred = preferences
        self._inventory = Inventory()
        self._granted = Granted()
        self._databases = DatabaseInventory()
        self.logins: dict[DatabaseKey, Answer] = {}
        """Whether the caller may log in by IAM, of databases that take that."""
        self._relays: dict[DatabaseKey, Relay] | None = None

    # Reads

    def begin(self, context: Context, asked_for: Filter | None = None) -> bool:
        """A read of the context starts, narrowed to what a filter matches where there is one; False where another is
        already under way."""
        reading = self.readings.setdefault(context, Reading())
        if reading.busy:
            return False
        reading.begin(asked_for)
        self._inventory.begin(context)
        self._databases.begin(context)
        return True

    def add_nodes(self, context: Context, page: NodePage, rows: Iterable[Row] | None = None) -> None:
        """A page has come in; `rows` are its nodes as rows, where they have been made already."""
        self._inventory.add_rows(rows_of(page.nodes) if rows is None else rows)
        reading = self.readings[context]
        reading.nodes = self._inventory.told(context)
        reading.waiting = page.waiting
        reading.note("nodes", page.notes)
        self._relays = None

    def settle_nodes(self, context: Context, most: int) -> bool:
        """A part of what ends a read of nodes that failed in nothing, `most` rows of it. Whether there may be more."""
        reading = self.readings[context]
        return self._inventory.settle(
            context, most, reading.lacks("nodes") if reading.asked_for is None else EVERYTHING
        )

    def add_databases(self, context: Context, page: DatabasePage) -> None:
        """A page has come in."""
        self._databases.add(context, page)
        self.readings[context].note("databases", page.notes)
        self._relays = None

    def learn(self, access: Mapping[NodeKey, Access]) -> None:
        """Verdicts have come in."""
        self._inventory.learn(self._granted.cover(access))
        self._relays = None

    def learn_answer(self, key: NodeKey, kind: SessionKind, answer: Answer) -> None:
        """What StartSession itself said about one kind of session: it stands above what a simulation found."""
        node = self._inventory.get(key)
        if node is None:
            return
        self.learn({key: node.access.having(kind, answer)})

    def grant(self, key: NodeKey, answer: Answer) -> None:
        """Shells on the node are granted: `answer` stands above whatever is read, until `end_grant`."""
        if (node := self._inventory.get(key)) is not None:
            self._inventory.learn({key: self._granted.put(key, node.access, answer)})

    def end_grant(self, key: NodeKey) -> None:
        """What was read of the node holds again."""
        if (node := self._inventory.get(key)) is not None:
            self._inventory.learn({key: self._granted.lift(key, node.access)})

    def end(self, context: Context, part: str, error: SsmTuiError | None) -> None:
        """A part of the read has ended. What was known before stays where not all could be read: after an error, or
        with notes of what was refused."""
        reading = self.readings[context]
        reading.parts.discard(part)
        reading.errors.pop(part, None)
        if part == "nodes":
            reading.waiting = ""
        if error is not None:
            reading.errors[part] = error
        elif part == "nodes" and reading.asked_for is not None:
            self._end_narrowed(context, reading.asked_for)
        else:
            reading.ended[part] = self._clock()
            reading.read.add(part)
            self._forget(context, part, reading.lacks(part))
        if part == "nodes" and error is not None:
            reading.parts.discard("access")  # nothing to ask about
        if not reading.busy and not reading.errors:
            reading.since = self._clock()
        self._relays = None

    def stopped(self, context: Context) -> None:
        """The read that is under way is not told any more."""
        self.readings[context].parts = set()

    def _end_narrowed(self, context: Context, asked_for: Filter) -> None:
        """Nothing is known of nodes that do not match; those that did and were not told do no more."""
        lacks = self.readings[context].lacks("nodes")
        known = self._inventory.query(asked_for, ALL_OF_THEM).rows
        untold = (n for n in known if isinstance(n, Node) and n.context == context and not self._inventory.seen(n.key))
        self._inventory.discard([node for node in untold if not may_be_there(node.id, lacks)])

    def _forget(self, context: Context, part: str, lacks: Lacks) -> None:
        """What a read that came to its end has not shown is gone, unless something kept it from showing all."""
        if part == "nodes":
            self._inventory.finish(context, lacks)
        elif part == "databases":
            self._databases.finish(context)

    # From run to run

    def recall(self, snapshot: Snapshot, rows: Iterable[Row] | None = None) -> None:
        """Rows of an earlier run: they stand behind everything that has been read in this one."""
        reading = self.readings.setdefault(snapshot.context, Reading())
        if reading.account not in (None, snapshot.account):
            return
        reading.account = snapshot.account
        if "nodes" not in reading.read:
            self._inventory.recall_rows(rows_of(snapshot.nodes) if rows is None else rows)
        if "databases" not in reading.read:
            self._databases.recall(snapshot)
        if not reading.read:
            reading.since = snapshot.since
            reading.ended = dict.fromkeys(("nodes", "databases"), snapshot.since)
        self._relays = None

    def snapshot(self, context: Context) -> Snapshot | None:
        """What the next run may show first; None while there is nothing good to keep."""
        reading = self.readings.get(context)
        if reading is None or reading.busy or reading.account is None or "nodes" not in reading.read:
            return None
        if reading.asked_for is not None:  # rows are gone, or old, that a read of all would tell
            return None
        return Snapshot(
            context,
            reading.account,
            min(reading.ended[part] for part in ("nodes", "databases") if part in reading.ended),
            tuple(self._inventory.of(context)),
            self._databases.of(context),
            self._databases.network(context),
        )

    def belongs_to(self, context: Context, account: str) -> bool:
        """Whose the context is has been found out. True where its rows turned out to be another account's: they are
        gone."""
        reading = self.readings[context]
        strange = reading.account not in (None, account)
        if strange:
            self._drop_rows(context)
            reading.since = None
            reading.ended, reading.read, reading.notes, reading.earlier = {}, set(), {}, {}
        reading.account = account
        return strange

    def keep_only(self, contexts: Sequence[Context]) -> None:
        """These are asked for, in this order, and no other any more."""
        for context in set(self.readings) - set(contexts):
            self._drop_rows(context)
            del self.readings[context]
        self.readings = {each: self.readings[each] for each in contexts if each in self.readings}

    def _drop_rows(self, context: Context) -> None:
        self._inventory.drop(context)
        self._databases.drop(context)
        self._relays = None

    def nodes_of(self, context: Context) -> list[Node]:
        """Those that are known of the context."""
        return list(self._inventory.of(context))

    def answered(self, context: Context) -> dict[NodeKey, Node]:
        """The nodes whose access is known in every point."""
        return {n.key: n for n in self._inventory if n.context == context and n.access.known}

    # Queries

    def node(self, key: NodeKey) -> Node | None:
        """The node, while it is known."""
        return self._inventory.get(key)

    def is_old(self, node: Node) -> bool:
        """The row is of an earlier run, or of before a read that failed."""
        reading = self.readings.get(node.context)
        if reading is None or ("nodes" in reading.read and "nodes" not in reading.errors):
            return False
        return not self._inventory.seen(node.key)

    def nodes(self, wanted: Filter, arrangement: Arrangement = AS_THEY_ARE) -> Listing:
        """The nodes that match, in the order that is wanted."""
        return self._inventory.query(wanted, arrangement)

    def vocabulary(self) -> Columns:
        """What filters of nodes may be completed with."""
        return self._inventory.vocabulary()

    def database_words(self) -> Counted:
        """The same of databases."""
        return Counted(self.databases(Filter(), ()))

    def tag_keys(self) -> Mapping[str, int]:
        """The keys of the nodes' tags, and how many nodes have each."""
        return self.vocabulary().tag_keys()

    def namesakes(self, names: Container[str]) -> list[Node]:
        """All nodes that have one of these names."""
        return [node for node in self._inventory if node.name in names]

    def count(self, view: View) -> int:
        """How many nodes or databases there are."""
        return len(self._inventory) if view is View.NODES else len(self._databases)

    def databases(self, wanted: Filter, tunnels: Iterable[TunnelStatus]) -> list[DatabaseRow]:
        """The databases that match, by name, with relay and running tunnel."""
        running = {s.request.database.key: s for s in tunnels if s.request.database and not s.state.ended}
        relays = self._chosen_relays()
        logins = self.logins
        rows = (DatabaseRow(e, relays[e.key], running.get(e.key), logins.get(e.key)) for e in self._databases)
        found = (row for row in rows if not wanted or wanted.matches(row))
        return sorted(found, key=lambda row: database_order(row.database))

    def ranked(self, database: Database) -> list[Candidate]:
        """Every node that might be the database's relay, the best first."""
        return self._relays_around(database, self._nodes_by_vpc(), self._preferences()).ranked(database)

    def _chosen_relays(self) -> dict[DatabaseKey, Relay]:
        """Relays are chosen anew only after nodes, verdicts or databases have changed."""
        if self._relays is None:
            near = self._nodes_by_vpc()
            preferences = self._preferences()
            around: dict[tuple[Context, frozenset[str] | None], Relays] = {}
            self._relays = {}
            for database in self._databases:
                where = database.context, self._vpcs(database)
                if where not in around:
                    around[where] = self._relays_around(database, near, preferences)
                self._relays[database.key] = self._chosen_relay(database, around[where])
        return self._relays

    def _relays_around(
        self, database: Database, nodes: Mapping[Context, Mapping[str | None, list[Node]]], preferences: Preferences
    ) -> Relays:
        from ssm_tui.domain.relays import Relays  # not before the first paint

        return Relays(self._near(database, nodes), self._databases.terrain(database.context), preferences)

    def _vpcs(self, database: Database) -> frozenset[str] | None:
        """Those that a relay may stand in; None for any."""
        if database.vpc is None or database.relay:
            return None
        return self._databases.terrain(database.context).joined(database.vpc)

    def _nodes_by_vpc(self) -> dict[Context, dict[str | None, list[Node]]]:
        found: dict[Context, dict[str | None, list[Node]]] = {}
        for node in self._inventory:
            found.setdefault(node.context, {}).setdefault(node.vpc, []).append(node)
        return found

    def _near(self, database: Database, nodes: Mapping[Context, Mapping[str | None, list[Node]]]) -> list[Node]:
        """Those that may be relays: of a context's 10,000 nodes a few hundred stand in any one VPC."""
        here = nodes.get(database.context, {})
        vpcs = self._vpcs(database)
        return [node for vpc in (here if vpcs is None else vpcs) for node in here.get(vpc, ())]

    def relay_if_allowed(self, database: Database) -> Node | None:
        """The node that would be chosen if all might be used."""
        from ssm_tui.domain.relays import relay_if_allowed

        near = self._near(database, self._nodes_by_vpc())
        return relay_if_allowed(database, near, self._databases.terrain(database.context))

    def _preferences(self) -> Preferences:
        from ssm_tui.domain.relays import NO_PREFERENCES

        return self._preferred() if self._preferred is not None else NO_PREFERENCES

    def _chosen_relay(self, database: Database, relays: Relays) -> Relay:
        """That none reaches the database is said only once the nodes and the access to them have been read."""
        from ssm_tui.domain.relays import Relay  # not before the first paint

        terrain = self._databases.terrain(database.context)
        relay = relays.choose(database)
        reading = self.readings[database.context]
        if relay.reachable is Reachable.UNKNOWN and not terrain.facts.read and "databases" in reading.parts:
            return Relay(None, Reachable.UNKNOWN, READING_RELAYS)
        if relay.reachable is not Reachable.NO or reading.read >= {"nodes", "access"}:
            return relay
        if reading.parts & {"nodes", "access"} or not reading.errors:
            return Relay(None, Reachable.UNKNOWN, READING_RELAYS)
        if "nodes" in reading.errors and (reading.stale or not len(relays)):
            return Relay(None, Reachable.UNKNOWN, "the nodes around it could not be read")
        return relay
