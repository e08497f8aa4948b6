"""The lists of the home screen: each view's table, its filter, and the rows that the catalog has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.domain.filters import Filter
from ssm_tui.domain.nodes import Node, NodeKey
from ssm_tui.errors import FilterError
from ssm_tui.ui.actions import View
from ssm_tui.ui.catalog import parse_filter
from ssm_tui.ui.presentation.contexts import naming
from ssm_tui.ui.presentation.copies import Copyable, database_copies, node_copies, tunnel_copies
from ssm_tui.ui.presentation.databases import DatabaseRow, database_columns
from ssm_tui.ui.presentation.details import Details, database_details, node_details
from ssm_tui.ui.presentation.nodes import node_columns
from ssm_tui.ui.presentation.tunnel_details import Insight, tunnel_details
from ssm_tui.ui.presentation.tunnels import TunnelRow, tunnel_columns
from ssm_tui.ui.widgets.table import Table
from ssm_tui.ui.widgets.table_lines import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from datetime import datetime

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.catalog import Catalog

Row = Node | DatabaseRow


class Lists:
    """One table a view. `tunnels` tells the tunnels to show, those that run and saved ones."""

    def __init__(
        self,
        catalog: Catalog,
        tunnels: Callable[[], Sequence[TunnelRow]],
        columns: Sequence[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._catalog, self._tunnels, self._columns, self._clock = catalog, tunnels, columns, clock
        self.nodes = Table[Node](
            node_columns(columns, clock, old=catalog.is_old), Form(lambda node: node.key), id="nodes"
        )
        self.databases = Table[DatabaseRow](database_columns(), Form(lambda row: row.key), id="databases")
        self.tunnels = Table[TunnelRow](tunnel_columns(clock, self._via), Form(lambda row: row.key), id="tunnels")
        self.insight: tuple[Hashable, Insight] = (None, Insight())  # of the tunnel with this key
        self._filters = dict.fromkeys(View, Filter())
        self._texts = dict.fromkeys(View, "")
        self.failed = False  # not even the contexts could be found out
        self._problems: dict[View, FilterError | None] = dict.fromkeys(View)

    @property
    def tables(self) -> dict[View, Table[Any]]:
        """The tables by view."""
        return {View.NODES: self.nodes, View.DATABASES: self.databases, View.TUNNELS: self.tunnels}

    def show_contexts(self, contexts: Sequence[Context]) -> None:
        """Where several contexts are open, rows say which one they are of."""
        names, old = naming(contexts), self._catalog.is_old
        self.nodes.set_columns(node_columns(self._columns, self._clock, naming=names, old=old))
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
            self._filters[view] = parse_filter(view, text)
        except FilterError as error:
            self._problems[view] = error
        else:
            self._problems[view] = None

    # Rows

    def fill(self, view: View, *, restart: bool = False) -> None:
        """The rows that match now. `restart` highlights the first where the highlighted one does not match any more."""
        wanted, table = self._filters[view], self.tables[view]
        rows: Sequence[object]
        match view:
            case View.NODES:
                rows = self._catalog.nodes(wanted).rows
            case View.DATABASES:
                rows = self._catalog.databases(wanted, self._statuses())
            case View.TUNNELS:
                rows = self._tunnels()
        table.empty_text = self._empty_text(view)
        table.set_rows(rows, restart=restart)

    def renew_tunnels(self) -> None:
        """What tunnels carry and how long they wait, each second: cheap, and only the lines that say it."""
        self.tunnels.renew(self._tunnels())

    def _statuses(self) -> list[TunnelStatus]:
        return [row.status for row in self._tunnels() if row.status is not None]

    def _empty_text(self, view: View) -> str:
        if view is View.TUNNELS:
            return "No tunnels. t on a database opens one, f on a node forwards a port."
        if self._filters[view] and self._catalog.count(view):
            return f"None of {self._catalog.count(view):,} matches the filter. Esc clears it."
        readings = self._catalog.readings.values()
        if self.failed or any(view.value in reading.errors for reading in readings):
            return "Nothing could be read; below is why. r tries again."
        if not readings or any(view.value in reading.parts for reading in readings):
            return "Reading …"
        return f"No {view.value} were found here. r reads again."

    def count(self, view: View) -> str:
        """`214/1,204` where a filter hides some, else `38`."""
        if view is View.TUNNELS:
            return str(len(self._statuses()))
        total = self._catalog.count(view)
        if not self._filters[view]:
            return f"{total:,}"
        return f"{len(self.tables[view].rows):,}/{total:,}"

    # The highlighted row

    def details(self, view: View) -> Details | None:
        """What the pane tells about the highlighted row."""
        now = self._clock()
        match view:
            case View.NODES:
                return node_details(node, now) if (node := self.nodes.row) else None
            case View.DATABASES:
                return database_details(row, now) if (row := self.databases.row) else None
            case View.TUNNELS:
                if (each := self.tunnels.row) is None:
                    return None
                ways = self._ways(each.status) if each.status else ()
                key, insight = self.insight
                return tunnel_details(each, ways, insight if key == each.key else Insight(), now)

    def copies(self, view: View) -> tuple[str, tuple[Copyable, ...]]:
        """The title and the lines of the copy menu for the highlighted row."""
        match view:
            case View.NODES:
                return (node.name or node.id, node_copies(node)) if (node := self.nodes.row) else ("", ())
            case View.DATABASES:
                return (row.database.id, database_copies(row)) if (row := self.databases.row) else ("", ())
            case View.TUNNELS:
                each = self.tunnels.row
                return (each.name, tunnel_copies(each.status)) if each and each.status else ("", ())

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
