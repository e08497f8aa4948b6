"""The home screen's parts: what is shown where, and the filter. What keys do is in `home`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container

from ssm_tui.ui.actions import View, actions_of
from ssm_tui.ui.catalog import Catalog
from ssm_tui.ui.lists import Lists
from ssm_tui.ui.painting import PaintingScreen
from ssm_tui.ui.presentation.contexts import header_ways, problems
from ssm_tui.ui.presentation.tunnels import tunnels_cell
from ssm_tui.ui.widgets.bars import ContextBar, KeyBar, Notices, ViewTabs
from ssm_tui.ui.widgets.details import DetailsPane
from ssm_tui.ui.widgets.filter_line import FilterLine
from ssm_tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from ssm_tui.domain.completion import Completion
    from ssm_tui.errors import SsmTuiError
    from ssm_tui.ui.actions import Action
    from ssm_tui.ui.presentation.contexts import Notice
    from ssm_tui.ui.presentation.tunnels import TunnelRow
    from ssm_tui.ui.services import Services

TICK = 5.0  # seconds between repaints of ages
SOON = 0.001  # seconds; Textual drops a timer that is due before it has begun
SHARE = 5  # after a repaint that took a while, this many times as long passes before the next one
WIDE, TALL = 150, 30  # from here on the details stand beside the list, or under it
EXAMPLES = {
    View.NODES: "web  env=prod  ping:online  access:shell  -test  @saved",
    View.DATABASES: "shop  env=prod  engine:postgres*  reachable:yes  -role:reader",
}


class Board(PaintingScreen):
    """Bars, tabs, lists, details. Who fills it in says which tunnels there are, what else is to be noticed, and which
    actions there is a reason for."""

    DEFAULT_CSS = """
    Board { background: $background; }
    Board #body { height: 1fr; layout: horizontal; }
    Board #lists { width: 1fr; height: 1fr; }
    Board DetailsPane { display: none; }
    Board.-beside DetailsPane { display: block; width: 54; height: 1fr; padding: 0 2; }
    Board.-under #body { layout: vertical; }
    Board.-under DetailsPane { display: block; width: 1fr; height: 11; }
    """

    def __init__(self, services: Services, filter_text: str) -> None:
        super().__init__()
        self._services = services
        self._catalog = Catalog(services.clock, services.preferences)
        settings = services.settings
        self._lists = Lists(self._catalog, self._tunnel_rows, settings.columns, services.clock, settings.shell_document)
        self._lists.save(services.filters)
        self._lists.set_filter(View.NODES, filter_text)
        self._given = filter_text
        self.view = View.NODES
        self._details_wanted: bool | None = None  # None: by the size of the terminal
        self._notices_hidden: tuple[Notice, ...] = ()
        self._failure: SsmTuiError | None = None
        self._fill_due = self._filter_due = self._filter_taken = False
        self._not_before = 0.0

    def compose(self) -> ComposeResult:
        yield ContextBar()
        yield ViewTabs()
        yield FilterLine(self._complete, EXAMPLES[self.view])
        with Container(id="body"):
            with Container(id="lists"):
                yield from self._lists.tables.values()
            yield DetailsPane()
        yield Notices()
        yield KeyBar()

    # What is shown

    def _tunnel_rows(self) -> Sequence[TunnelRow]:
        raise NotImplementedError

    def _more_notices(self) -> tuple[Notice, ...]:
        raise NotImplementedError

    def offered(self, action: Action) -> bool:
        """Whether there is a reason for the action now."""
        raise NotImplementedError

    def _changed(self) -> None:
        """Fills the lists soon: once for all that comes in until then, and not most of the time."""
        if self._fill_due:
            return
        self._fill_due = True
        wait = self._not_before - time.monotonic()
        if wait > SOON:
            self.set_timer(wait, self._fill)
        else:
            self.call_later(self._fill)

    def _fill(self) -> None:
        self._fill_due = False
        began = time.monotonic()
        self._lists.fill(self.view)
        self._show_state()
        spent = time.monotonic() - began
        self._not_before = began + spent + max(0.05, SHARE * spent)

    def _show_state(self) -> None:
        """Everything but the rows."""
        now = self._services.clock()
        contexts = header_ways(self._catalog.readings, self._catalog.aliases, now)
        statuses = [row.status for row in self._tunnel_rows() if row.status is not None]
        self.query_one(ContextBar).show(contexts, tunnels_cell(statuses))
        self.query_one(ViewTabs).show([(view, self._lists.count(view)) for view in View], self.view)
        self.query_one(Notices).show(self._notices())
        self.query_one(FilterLine).show_remark(self._lists.remark(self.view))
        self._show_keys()
        self._show_details()

    def _show_keys(self) -> None:
        self.query_one(KeyBar).show([a for a in actions_of(self.view) if a.footer and self.offered(a)])

    def _notices(self) -> tuple[Notice, ...]:
        found = (*self._more_notices(), *problems(self._catalog.readings, self._failure))
        return () if found == self._notices_hidden else found

    def _show_details(self) -> None:
        self.query_one(DetailsPane).show(self._lists.details(self.view))

    @property
    def _details_shown(self) -> bool:
        return self.has_class("-beside") or self.has_class("-under")

    def _tick(self) -> None:
        self._lists.pass_time()
        self._lists.tables[self.view].repaint()
        self._show_state()

    def on_resize(self) -> None:
        self._fold()
        self._show_state()

    def _fold(self) -> None:
        """Where the details stand, if they do."""
        beside, under = self.size.width >= WIDE, self.size.height >= TALL
        shown = self._details_wanted if self._details_wanted is not None else beside or under
        self.set_class(shown and beside, "-beside")
        self.set_class(shown and not beside, "-under")

    # Views

    def action_view(self, view: str) -> None:
        self.view = View(view)
        for each, table in self._lists.tables.items():
            table.display = each is self.view
        line = self.query_one(FilterLine)
        line.display = self.view is not View.TUNNELS
        line.show(self._lists.text(self.view), EXAMPLES.get(self.view))
        line.show_problem(self._lists.problem(self.view))
        self._filter_changed()
        self.set_focus(self._lists.tables[self.view])
        self._fill()

    def action_next_view(self, by: int = 1) -> None:
        views = list(View)
        self.action_view(views[(views.index(self.view) + by) % len(views)])

    def action_previous_view(self) -> None:
        self.action_next_view(-1)

    @on(ViewTabs.Clicked)
    def _tab_clicked(self, message: ViewTabs.Clicked) -> None:
        self.action_view(message.view)

    def action_details(self) -> None:
        self._details_wanted = not self._details_shown
        self._fold()
        self._show_details()

    def action_back(self) -> None:
        """Takes back one thing: the messages, else the filter, else the notices."""
        line = self.query_one(FilterLine)
        if self.query("Toast"):
            self.app.clear_notifications()
        elif line.input.value:
            line.input.value = ""
        else:
            self._notices_hidden = self._notices()
            self._show_state()

    # The filter

    @on(FilterLine.Changed)
    def _filter_typed(self, message: FilterLine.Changed) -> None:
        if message.text == self._lists.text(self.view):
            return
        self._take_filter(message.text)
        if not self._filter_due:
            # After the keys that are waiting already: those held down cost one query, not one each.
            self._filter_due = True
            self.call_later(self._apply_filter)

    def _settle(self) -> None:
        """A key typed ahead may overtake the news of a filter: what acts on a row looks at the line itself first."""
        typed = self.query_one(FilterLine).input.value
        if self._filter_due or typed != self._lists.text(self.view):
            self._take_filter(typed)
            self._apply_filter()

    def _take_filter(self, text: str) -> None:
        self._lists.set_filter(self.view, text)
        self._filter_taken |= self._lists.problem(self.view) is None

    def _apply_filter(self) -> None:
        taken, self._filter_due, self._filter_taken = self._filter_taken, False, False
        self.query_one(FilterLine).show_problem(self._lists.problem(self.view))
        self._filter_changed()
        if taken:  # the last one, or one of those before it since the rows were looked for
            self._lists.fill(self.view, restart=True)
            self._show_state()
        self.paint()

    def _filter_changed(self) -> None:
        """Another filter, or the filter of another view."""

    def _complete(self, text: str, cursor: int) -> Completion:
        return self._lists.complete(self.view, text, cursor)

    def action_filter(self) -> None:
        self.set_focus(self.query_one(FilterLine).input)

    async def action_leave_filter(self, key: str) -> None:
        line = self.query_one(FilterLine)
        await line.input.settled()
        if not line.took(key):
            self.set_focus(self._lists.tables[self.view])

    @on(Table.Highlighted)
    def _row_highlighted(self, message: Table.Highlighted) -> None:
        if message.table.id == self.view:
            self._show_keys()
            self._show_details()
