"""The home screen: views as tabs over one list each. It routes keys to flows, messages to the catalog and the lists."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.worker import WorkerError

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui import reader as reads
from ssm_tui.ui.actions import ACTIONS, View, actions_of, find
from ssm_tui.ui.catalog import Catalog
from ssm_tui.ui.dialogs.copying import CopyMenu
from ssm_tui.ui.dialogs.help import HelpDialog
from ssm_tui.ui.flows.copy import choose_and_copy
from ssm_tui.ui.flows.shell import ShellFlow
from ssm_tui.ui.flows.tunnel import TunnelFlow
from ssm_tui.ui.lists import Lists
from ssm_tui.ui.presentation.contexts import context_cell, problems
from ssm_tui.ui.presentation.copies import Deed
from ssm_tui.ui.presentation.tunnels import tunnels_cell
from ssm_tui.ui.widgets.bars import ContextBar, KeyBar, Notices, ViewTabs
from ssm_tui.ui.widgets.details import DetailsPane
from ssm_tui.ui.widgets.filter_line import FilterInput, FilterLine
from ssm_tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.errors import SsmTuiError
    from ssm_tui.ui.presentation.contexts import Notice
    from ssm_tui.ui.services import Services

FLOW = "flow"
TICK = 5.0  # seconds between repaints of ages
SHARE = 5  # after a repaint that took a while, this many times as long passes before the next one
WIDE, TALL = 150, 30  # from here on the details stand beside the list, or under it


@dataclass
class TunnelChanged(Message):
    """Something about a tunnel is different."""

    status: TunnelStatus


class Home(Screen[None]):
    """Nodes, databases, tunnels."""

    DEFAULT_CSS = """
    Home { background: $background; }
    Home #body { height: 1fr; layout: horizontal; }
    Home #lists { width: 1fr; height: 1fr; }
    Home DetailsPane { display: none; }
    Home.-beside DetailsPane { display: block; width: 54; height: 1fr; padding: 0 2; }
    Home.-under #body { layout: vertical; }
    Home.-under DetailsPane { display: block; width: 1fr; height: 11; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in ACTIONS]

    def __init__(self, services: Services, filter_text: str) -> None:
        super().__init__()
        self._services = services
        self._catalog = Catalog(services.clock)
        self._reader = reads.Reader(services.clouds, self.post_message)
        self._tunnels = TunnelFlow(self.app, services.tunnels())
        self._shells = ShellFlow(self.app, services, self._catalog)
        self._lists = Lists(self._catalog, self._tunnels.statuses, services.settings.columns, services.clock)
        self._lists.set_filter(View.NODES, filter_text)
        self.view = View.NODES
        self._details_wanted: bool | None = None  # None: by the size of the terminal
        self._notices_hidden: tuple[Notice, ...] = ()
        self._failure: SsmTuiError | None = None
        self._menu: tuple[CopyMenu, Hashable] | None = None  # the copy menu opened last, and the row it is of
        self._fill_due = self._filter_due = False
        self._not_before = 0.0

    def compose(self) -> ComposeResult:
        yield ContextBar()
        yield ViewTabs()
        yield FilterLine()
        with Container(id="body"):
            with Container(id="lists"):
                yield from self._lists.tables.values()
            yield DetailsPane()
        yield Notices()
        yield KeyBar()

    def on_mount(self) -> None:
        self._tunnels.subscribe(self._tunnel_news)
        self.set_interval(TICK, self._tick)
        self.action_view(self.view)
        # What AWS needs is loaded by the reader's threads, and only once the first frame is out.
        self.call_after_refresh(self._reader.find_contexts)

    async def close(self) -> None:
        """Ends what runs behind the screen."""
        self._reader.close()
        flows = [worker for worker in self.workers if worker.group == FLOW]
        for worker in flows:
            worker.cancel()
        for worker in flows:
            with suppress(WorkerError):
                await worker.wait()
        await self._tunnels.close()

    # What is read

    @on(reads.ContextsFound)
    def _contexts_found(self, message: reads.ContextsFound) -> None:
        self._failure, self._lists.failed = None, False
        self._lists.show_contexts(message.contexts)
        for context in message.contexts:
            self._read(context)

    @on(reads.ContextsFailed)
    def _contexts_failed(self, message: reads.ContextsFailed) -> None:
        self._failure, self._lists.failed = message.error, True
        self._changed()

    def _read(self, context: Context) -> None:
        if self._catalog.begin(context):
            self._reader.read(context)
        self._changed()

    @on(reads.Read)
    def _something_read(self, message: reads.Read) -> None:
        message.enter(self._catalog)
        self._changed()

    def _tunnel_news(self, status: TunnelStatus) -> None:
        self.post_message(TunnelChanged(status))

    @on(TunnelChanged)
    def _tunnel_changed(self, message: TunnelChanged) -> None:
        self._tunnels.announce(message.status)
        self._changed()

    # What is shown

    def _changed(self) -> None:
        """Fills the lists soon: once for all that comes in until then, and not most of the time."""
        if self._fill_due:
            return
        self._fill_due = True
        wait = self._not_before - time.monotonic()
        if wait > 0:
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
        contexts = [context_cell(c, r, now) for c, r in self._catalog.readings.items()]
        self.query_one(ContextBar).show(contexts, tunnels_cell(self._tunnels.statuses()))
        self.query_one(ViewTabs).show([(view, self._lists.count(view)) for view in View], self.view)
        self.query_one(Notices).show(self._notices())
        self._show_details()
        self._renew_menu()

    def _notices(self) -> tuple[Notice, ...]:
        found = tuple(problems(self._catalog.readings, self._failure))
        return () if found == self._notices_hidden else found

    def _renew_menu(self) -> None:
        """An open copy menu tells of its row as it is now: its tunnel may have become ready."""
        if self._menu is not None:
            menu, key = self._menu
            if menu.is_current and self._lists.tables[self.view].row_key == key:
                menu.show(self._lists.copies(self.view)[1])

    def _show_details(self) -> None:
        self.query_one(DetailsPane).show(self._lists.details(self.view))

    @on(Table.Highlighted)
    def _row_highlighted(self, message: Table.Highlighted) -> None:
        if message.table.id == self.view:
            self._show_details()

    @on(Table.Chosen)
    async def _row_chosen(self) -> None:
        for action in actions_of(self.view):
            if "enter" in action.keys:
                await self.run_action(action.name)

    def _tick(self) -> None:
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

    # The filter

    @on(FilterLine.Changed)
    def _filter_typed(self, message: FilterLine.Changed) -> None:
        if message.text == self._lists.text(self.view):
            return
        self._lists.set_filter(self.view, message.text)
        if not self._filter_due:
            # After the keys that are waiting already: those held down cost one query, not one each.
            self._filter_due = True
            self.call_later(self._apply_filter)

    def _settle(self) -> None:
        """A key typed ahead may overtake the news of a filter: what acts on a row looks at the line itself first."""
        typed = self.query_one(FilterLine).input.value
        if self._filter_due or typed != self._lists.text(self.view):
            self._lists.set_filter(self.view, typed)
            self._apply_filter()

    def _apply_filter(self) -> None:
        self._filter_due = False
        problem = self._lists.problem(self.view)
        self.query_one(FilterLine).show_problem(problem)
        if problem is None:
            self._lists.fill(self.view, restart=True)
            self._show_state()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Actions belong to views."""
        known = find(action)
        if known is not None and known.at_once and isinstance(self.focused, FilterInput):
            return False  # there it is a letter
        return known is None or self.view in known.views

    @on(ViewTabs.Clicked)
    def _tab_clicked(self, message: ViewTabs.Clicked) -> None:
        self.action_view(message.view)

    @on(KeyBar.Clicked)
    async def _key_clicked(self, message: KeyBar.Clicked) -> None:
        await self.run_action(message.action.name)

    def action_view(self, view: str) -> None:
        self.view = View(view)
        for each, table in self._lists.tables.items():
            table.display = each is self.view
        line = self.query_one(FilterLine)
        line.display = self.view is not View.TUNNELS
        line.show(self._lists.text(self.view))
        line.show_problem(self._lists.problem(self.view))
        self.query_one(KeyBar).show([action for action in actions_of(self.view) if action.footer])
        self.set_focus(self._lists.tables[self.view])
        self._fill()

    def action_next_view(self, by: int = 1) -> None:
        views = list(View)
        self.action_view(views[(views.index(self.view) + by) % len(views)])

    def action_previous_view(self) -> None:
        self.action_next_view(-1)

    def action_filter(self) -> None:
        self.set_focus(self.query_one(FilterLine).input)

    async def action_leave_filter(self) -> None:
        await self.query_one(FilterInput).settled()
        self.set_focus(self._lists.tables[self.view])

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

    def action_details(self) -> None:
        self._details_wanted = not (self.has_class("-beside") or self.has_class("-under"))
        self._fold()
        self._show_details()

    def action_refresh(self) -> None:
        self._notices_hidden = ()
        if not self._catalog.readings:
            self._reader.find_contexts()
        for context in self._catalog.readings:
            self._read(context)

    def action_shell(self) -> None:
        self._settle()
        if (node := self._lists.nodes.row) is not None:
            self._flow(self._shells.start(node))

    def action_forward(self) -> None:
        self._settle()

        async def forward() -> None:
            if node is not None and await self._tunnels.open_forward(node, self._services.clock()):
                self.action_view(View.TUNNELS)

        node = self._lists.nodes.row
        self._flow(forward())

    def action_tunnel(self) -> None:
        self._settle()
        row = self._lists.databases.row
        if row is None:
            return
        if row.tunnel is not None and row.tunnel.state is TunnelState.READY:
            self.action_copy()
        elif row.tunnel is None:
            self._tunnels.open_database(row)
            self._changed()

    def action_use_tunnel(self) -> None:
        status = self._lists.tunnels.row
        if status is not None and status.state is TunnelState.FAILED:
            self._tunnels.again(status)
            self._changed()
        else:
            self.action_copy()

    def action_stop(self) -> None:
        self._settle()
        if (status := self._lists.running_tunnel(self.view)) is not None:
            self._flow(self._tunnels.stop(status))

    def action_copy(self) -> None:
        self._settle()

        async def copy() -> None:
            self._menu = menu, self._lists.tables[self.view].row_key
            if await choose_and_copy(self.app, self._services.clipboard, menu) is Deed.OPEN_TUNNEL:
                self.action_tunnel()

        title, lines = self._lists.copies(self.view)
        menu = CopyMenu(title, lines)
        if lines:
            self._flow(copy())

    def action_help(self) -> None:
        self.app.push_screen(HelpDialog())

    def action_commands(self) -> None:
        self.app.action_command_palette()

    def action_leave(self) -> None:
        async def leave() -> None:
            if await self._tunnels.close_all():
                self.app.exit()

        self._flow(leave())

    def _flow(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs an action that takes its time, then shows what it changed."""

        async def run() -> None:
            await work
            self._changed()

        self.run_worker(run(), group=FLOW)
