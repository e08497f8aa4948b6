"""The lists of the home screen: each view's table, its filter, and the rows that the catalog has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.domain.completion import NO_CHOICE, Completer
from ssm_tui.domain.filters import Filter, names_saved, saved_name
from ssm_tui.domain.grants import of_database, on_node
from ssm_tui.domain.listing import Group
from ssm_tui.domain.nodes import NodeKey
from ssm_tui.errors import FilterError
from ssm_tui.ui.actions import View
from ssm_tui.ui.catalog import FIELDS, parse_filter
from ssm_tui.ui.node_list import NodeList
from ssm_tui.ui.presentation.contexts import naming
from ssm_tui.ui.presentation.copies import Copyable, database_copies, node_copies, tunnel_copies
from ssm_tui.ui.presentation.counts import counted, marked, together
from ssm_tui.ui.presentation.databases import DatabaseRow, database_columns
from ssm_tui.ui.presentation.details import Details, database_details, node_details
from ssm_tui.ui.presentation.emptiness import Circumstances, why_no_databases, why_no_nodes
from ssm_tui.ui.presentation.highlights import NOTHING_FOUND, Found, found_in_database, found_in_node
from ssm_tui.ui.presentation.tunnel_details import Insight, tunnel_details
from ssm_tui.ui.presentation.tunnels import TunnelRow, tunnel_columns
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.domain.completion import Completion
    from ssm_tui.domain.connection import Trust
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.grants import Target
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.catalog import Catalog
    from ssm_tui.ui.presentation.cells import Column
    from ssm_tui.ui.presentation.node_rows import NodeRow


class Lists(NodeList):
    """One table a view. `tunnels` tells the tunnels to show, those that run and saved ones; `columns` are the settings'
    for nodes, shown while none have been chosen, `shell_document` what shells use if not the account's default."""

    def __init__(
        self,
        catalog: Catalog,
        tunnels: Callable[[], Sequence[TunnelRow]],
        columns: Sequence[str],
        clock: Callable[[], datetime],
        shell_document: str = "",
    ) -> None:
        self._shell_document = shell_document
        super().__init__(catalog, columns, clock, self._found_in_node)
        self._tunnels = tunnels
        found: Form[DatabaseRow] = Form(lambda row: row.key, found=self._found_in_database)
        self.databases = Table[DatabaseRow](database_columns(), found, id="databases")
        self.tunnels = Table[TunnelRow](tunnel_columns(clock, self._via), Form(lambda row: row.key), id="tunnels")
        self.insight: tuple[Hashable, Insight] = (None, Insight())  # of the tunnel with this key
        self._filters = dict.fromkeys(View, Filter())
        self._texts = dict.fromkeys(View, "")
        self.failed = False  # not even the contexts could be found out
        self._problems: dict[View, FilterError | None] = dict.fromkeys(View)
        self._saved: Mapping[str, str] = {}
        self._completers = {
            View.NODES: Completer(catalog.vocabulary, FIELDS[View.NODES]),
            View.DATABASES: Completer(catalog.database_words, FIELDS[View.DATABASES]),
        }

    @property
    def tables(self) -> dict[View, Table[Any]]:
        """The tables by view."""
        return {View.NODES: self.nodes, View.DATABASES: self.databases, View.TUNNELS: self.tunnels}

    def show_contexts(self, contexts: Sequence[Context]) -> None:
        """Where several contexts are open, rows say which one they are of."""
        self._show_contexts(contexts)
        self.databases.set_columns(database_columns(naming=naming(contexts)))

    # Filters

    def text(self, view: View) -> str:
        """The filter as it was typed."""
        return self._texts[view]

    def problem(self, view: View) -> FilterError | None:
        """What is wrong with it."""
        return self._problems[view]

    def set_filter(self, view: View, text: str) -> None:
        """Takes a filter; one that does not parse leaves the list as it was."""
        self._texts[view] = text
        try:
            wanted = parse_filter(view, text, self._saved)
        except FilterError as error:
            self._problems[view] = error
            return
        self._problems[view] = None
        if wanted.terms != self._filters[view].terms:
            self.tables[view].repaint()  # other parts of the rows are marked
        self._filters[view] = wanted

    def save(self, saved: Mapping[str, str]) -> None:
        """The saved filters there are from now on, by name."""
        self._saved = saved
        for view, text in self._texts.items():
            self.set_filter(view, text)

    def complete(self, view: View, text: str, cursor: int) -> Completion:
        """What may stand there in the filter."""
        completer = self._completers.get(view)
        return NO_CHOICE if completer is None else completer.complete(text, cursor, self._saved)

    def asked_for(self, given: str) -> Filter | None:
        """The filter of nodes where AWS is to be asked for no others: it was `given` on the command line, or is a saved
        one."""
        text = self._texts[View.NODES]
        named = saved_name(text, self._saved) or names_saved(text)
        meant = named or (text.strip() and text == given)
        return self._filters[View.NODES] if meant and self._problems[View.NODES] is None else None

    def remark(self, view: View) -> str:
        """What else there is to say of the filter: by what name it is saved, whether other nodes have not been read."""
        name = saved_name(self._texts[view], self._saved)
        lacking = view is View.NODES and self._lacking
        return " · ".join(
            filter(None, (f"saved filter: {name}" if name else "", "others are not read" if lacking else ""))
        )

    @property
    def _lacking(self) -> bool:
        return any(each.lacking for each in self._catalog.readings.values())

    def _found_in_node(self, row: NodeRow, column: Column[NodeRow]) -> Found:
        if isinstance(row, Group) or not self._filters[View.NODES]:
            return NOTHING_FOUND
        return found_in_node(self._filters[View.NODES], row, column.name)

    def _found_in_database(self, row: DatabaseRow, column: Column[DatabaseRow]) -> Found:
        wanted = self._filters[View.DATABASES]
        return found_in_database(wanted, row, column.title) if wanted else NOTHING_FOUND

    # Rows

    def fill(self, view: View, *, restart: bool = False) -> None:
        """The rows that match now. `restart` highlights the first where the highlighted one does not match any more."""
        wanted, table = self._filters[view], self.tables[view]
        rows: Sequence[object]
        match view:
            case View.NODES:
                rows = self._list_nodes(wanted, typed=restart)
            case View.DATABASES:
                rows = self._catalog.databases(wanted, self._statuses())
            case View.TUNNELS:
                rows = self._tunnels()
        if view is not View.NODES and self._catalog.count(View.NODES) != together(self.listing.counts.values()).total:
            self._list_nodes(self._filters[View.NODES])  # their count is on the tab
        table.empty_text = "" if rows else self._empty_text(view)
        table.set_rows(rows, restart=restart)

    def renew_tunnels(self) -> None:
        """What tunnels carry and how long they wait, each second: cheap, and only the lines that say it."""
        self.tunnels.renew(self._tunnels())

    def _statuses(self) -> list[TunnelStatus]:
        return [row.status for row in self._tunnels() if row.status is not None]

    def _empty_text(self, view: View) -> str:
        if view is View.TUNNELS:
            return "No tunnels. t on a database opens one, f on a node forwards a port."
        under = Circumstances(view.value, self._texts[view], self._catalog.readings.values(), self.failed)
        if view is View.DATABASES:
            return why_no_databases(under, self._catalog.count(view))
        counts = together(self.listing.counts.values())
        return why_no_nodes(under, counts, unmanaged=self.arrangement.unmanaged)

    def count(self, view: View) -> str:
        """`214/1,204 + 37 unmanaged · 2 marked`; `214/1,204` where a filter hides some, else `38`."""
        match view:
            case View.NODES:
                counts = together(self.listing.counts.values())
                there = counted(
                    counts,
                    filtered=bool(self._filters[view]),
                    unmanaged=self.arrangement.unmanaged,
                    lacking=self._lacking,
                )
                return " · ".join(
                    filter(None, (there, marked(len(self.marks), self.hidden_marks if self.marks else 0)))
                )
            case View.DATABASES:
                total = self._catalog.count(view)
                return f"{len(self.databases.rows):,}/{total:,}" if self._filters[view] else f"{total:,}"
            case View.TUNNELS:
                return str(len(self._statuses()))

    # The highlighted row

    def details(self, view: View) -> Details | None:
        """What the pane tells about the highlighted row."""
        now = self._clock()
        match view:
            case View.NODES:
                if (node := self.node) is None:
                    return None
                return node_details(node, self._now, self._alias(node.account), self._shell_document)
            case View.DATABASES:
                if (row := self.databases.row) is None:
                    return None
                return database_details(row, now, self._alias(row.database.account))
            case View.TUNNELS:
                if (each := self.tunnels.row) is None:
                    return None
                ways = self._ways(each.status) if each.status else ()
                key, insight = self.insight
                return tunnel_details(each, ways, insight if key == each.key else Insight(), now)

    def _alias(self, account: str | None) -> str:
        return self._catalog.aliases.get(account or "", "")

    def copies(self, view: View, trust: Trust) -> tuple[str, tuple[Copyable, ...]]:
        """The title and the lines of the copy menu for the highlighted row."""
        match view:
            case View.NODES:
                return (
                    (node.name or node.id, node_copies(node, self._shell_document)) if (node := self.node) else ("", ())
                )
            case View.DATABASES:
                return (row.database.id, database_copies(row, trust)) if (row := self.databases.row) else ("", ())
            case View.TUNNELS:
                each = self.tunnels.row
                return (each.name, tunnel_copies(each.status, trust)) if each and each.status else ("", ())

    def database(self, view: View) -> Database | None:
        """The database that the highlighted row is, or leads to."""
        if view is View.DATABASES:
            return self.databases.row.database if self.databases.row else None
        status = self.running_tunnel(view)
        return status.request.database if status else None

    def target(self, view: View) -> Target | None:
        """What the highlighted row's access is asked for: the node, or the database through its relay; where none may
        be used, through the one that would be best."""
        if view is View.NODES:
            return on_node(node) if (node := self.node) is not None else None
        if view is View.TUNNELS or (row := self.databases.row) is None:
            return None
        return of_database(row.database, row.relay.node or self._catalog.relay_if_allowed(row.database))

    def running_tunnel(self, view: View) -> TunnelStatus | None:
        """The tunnel that the highlighted row is, or has."""
        if view is View.DATABASES:
            return self.databases.row.tunnel if self.databases.row else None
        return self.tunnels.row.status if view is View.TUNNELS and self.tunnels.row else None

    def _via(self, status: TunnelStatus) -> str:
        """The node that it goes through now, by name where that is known."""
        return self._ways(status)[0]

    def _ways(self, status: TunnelStatus) -> tuple[str, ...]:
        """The same, and behind it those that stand by."""
        request = status.request
        now = status.via if status.via.target else request.ways[0]
        ways = (now, *(way for way in request.ways if way.target != now.target))
        nodes = [self._catalog.node(NodeKey(request.context, way.target)) for way in ways]
        return tuple(
            (node.name if node else "") or way.label or way.target for way, node in zip(ways, nodes, strict=True)
        )
