"""The databases that are known, of every context, and the networks around them, while pages arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database, DatabasePage, Kind
    from ssm_tui.domain.networks import Network
    from ssm_tui.domain.reachability.terrain import Terrain
    from ssm_tui.domain.snapshots import Snapshot


class DatabaseInventory:
    """A read adds and replaces as its pages come; only one that came to its end removes what is gone."""

    def __init__(self) -> None:
        self._databases: dict[tuple[Context, str], Database] = {}
        self._networks: dict[Context, Network] = {}
        self._terrains: dict[Context, Terrain] = {}
        self._told: dict[Context, set[tuple[Context, str]]] = {}  # what the read under way has told of
        self._unread: dict[Context, frozenset[Kind]] = {}  # of which it could not tell all

    def __len__(self) -> int:
        return len(self._databases)

    def __iter__(self) -> Iterator[Database]:
        return iter(self._databases.values())

    def of(self, context: Context) -> tuple[Database, ...]:
        """Those of the context."""
        return tuple(database for database in self if database.context == context)

    def network(self, context: Context) -> Network | None:
        """What was read of the networks around the context's databases."""
        return self._networks.get(context)

    def terrain(self, context: Context) -> Terrain:
        """What is known of the networks around the context's databases."""
        if context not in self._terrains:
            from ssm_tui.domain.reachability.terrain import Terrain  # not before the first paint

            self._terrains[context] = Terrain(self._networks.get(context))
        return self._terrains[context]

    def begin(self, context: Context) -> None:
        """A new read of the context starts; the rows of the last one stay until it has ended."""
        self._told[context], self._unread[context] = set(), frozenset()

    def add(self, context: Context, page: DatabasePage) -> None:
        """A page has come in."""
        for database in page.databases:
            self._databases[database.key] = database
            self._told[context].add(database.key)
        self._unread[context] = self._unread.get(context, frozenset()) | page.unread
        if page.network is not None:
            self._networks[context] = page.network
            self._terrains.pop(context, None)

    def recall(self, snapshot: Snapshot) -> None:
        """Rows of an earlier run: they stand behind everything that has been read in this one."""
        for database in snapshot.databases:
            self._databases.setdefault(database.key, database)
        if snapshot.network is not None:
            self._networks.setdefault(snapshot.context, snapshot.network)
            self._terrains.pop(snapshot.context, None)

    def finish(self, context: Context) -> None:
        """The read came to its end: what it did not show of the context is gone, unless it could not read its kind."""
        told, unread = self._told.pop(context, set()), self._unread.pop(context, frozenset())
        self._remove([each for each in self.of(context) if each.key not in told and each.kind not in unread])

    def drop(self, context: Context) -> None:
        """Nothing that is known of the context holds any more."""
        self._remove(self.of(context))
        self._networks.pop(context, None)
        self._terrains.pop(context, None)
        if context in self._told:
            self._told[context] = set()

    def _remove(self, databases: list[Database] | tuple[Database, ...]) -> None:
        for database in databases:
            del self._databases[database.key]
