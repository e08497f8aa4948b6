"""The home screen: views as tabs over one list each. It routes keys to flows, messages to the catalog and the lists."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.message import Message
from textual.worker import WorkerError

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.ui import reader as reads
from ssm_tui.ui.actions import ACTIONS, View, actions_of, find
from ssm_tui.ui.dialogs.copying import CopyMenu
from ssm_tui.ui.dialogs.help import HelpDialog
from ssm_tui.ui.flows.copy import choose_and_copy
from ssm_tui.ui.flows.desktop import DesktopFlow, has_desktop
from ssm_tui.ui.flows.giving import GivenAway
from ssm_tui.ui.flows.knowledge import Knowledge
from ssm_tui.ui.flows.leaving import leave
from ssm_tui.ui.flows.left_over import LeftOverFlow
from ssm_tui.ui.flows.news import News
from ssm_tui.ui.flows.saved import SavedFlow
from ssm_tui.ui.flows.shell import ShellFlow
from ssm_tui.ui.flows.sign_in import SignInFlow
from ssm_tui.ui.flows.tunnel import TunnelFlow
from ssm_tui.ui.presentation.copies import Deed
from ssm_tui.ui.presentation.tunnels import tunnel_rows
from ssm_tui.ui.screens.board import TICK, Board
from ssm_tui.ui.widgets.bars import KeyBar
from ssm_tui.ui.widgets.filter_line import FilterInput
from ssm_tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable, Sequence

    from textual.binding import BindingType

    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.actions import Action
    from ssm_tui.ui.presentation.contexts import Notice
    from ssm_tui.ui.presentation.tunnels import TunnelRow
    from ssm_tui.ui.services import Services

FLOW = "flow"
_TRIED_AGAIN = (TunnelState.RECONNECTING, TunnelState.PAUSED, TunnelState.FAILED)
SECOND = 1.0  # seconds between looks at what tunnels carry, while they are shown


@dataclass
class TunnelChanged(Message):
    """Something about a tunnel is different."""

    status: TunnelStatus


class Home(Board):
    """Nodes, databases, tunnels."""

    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in ACTIONS]

    def __init__(self, services: Services, filter_text: str) -> None:
        self._given_away = GivenAway(services.hand_over) if services.hand_over is not None else None
        services = replace(services, hand_over=self._given_away)
        super().__init__(services, filter_text)
        self._knowledge = Knowledge(services, self._catalog, self.post_message)
        self._tunnels = TunnelFlow(self.app, services.tunnels(), services.settings.most_sessions)
        self._news = News(self.app, services.clock)
        self._saved = SavedFlow(self.app, services, self._tunnels, self._changed)
        self._sign_in = SignInFlow(self.app, services, self._tunnels, self._signed_in)
        self._left_over = LeftOverFlow(self.app, services.left_over, self._tunnels)
        self._desktops = DesktopFlow(self.app, services, self._tunnels)
        self._shells = ShellFlow(self.app, services, self._catalog)
        self._menu: tuple[CopyMenu, Hashable] | None = None  # the copy menu opened last, and the row it is of
        self._looking = False

    def on_mount(self) -> None:
        self._tunnels.subscribe(self._tunnel_news)
        if remembered := self._knowledge.recall():
            self._lists.show_contexts(remembered)
        self.set_interval(TICK, self._tick)
        self._seconds = self.set_interval(SECOND, self._second, pause=True)
        self.action_view(self.view)
        # What AWS needs is loaded by the reader's threads, and only once the first frame is out.
        self.call_after_refresh(self._knowledge.find_contexts)
        self._flow(self._left_over.look())

    async def close(self) -> None:
        """Ends what runs behind the screen."""
        self._knowledge.close()
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
        self._knowledge.found(message.contexts)
        self._changed()

    @on(reads.ContextsFailed)
    def _contexts_failed(self, message: reads.ContextsFailed) -> None:
        self._failure, self._lists.failed = message.error, True
        self._knowledge.not_found()
        self._changed()

    @on(reads.CallerKnown)
    def _caller_known(self, message: reads.CallerKnown) -> None:
        self._knowledge.belongs_to(message.context, message.account)

    @on(reads.Read)
    def _something_read(self, message: reads.Read) -> None:
        message.enter(self._catalog)
        if isinstance(message, reads.PartEnded):
            self._knowledge.part_ended(message.context)
            self._lists.nodes.repaint()  # what was old may be so no more
        self._changed()

    def _signed_in(self, profile: str | None) -> None:
        self._knowledge.signed_in(profile)
        self._changed()

    def touched(self) -> None:
        """The user is there: a key, the mouse."""
        self._knowledge.touched()

    def _tick(self) -> None:
        # Not while a shell has the terminal: nobody sees the list, and its calls would be the user's.
        if not (self._given_away and self._given_away.now) and self._knowledge.refresh_when_due():
            self._changed()
        super()._tick()

    # What becomes of tunnels

    def _tunnel_news(self, status: TunnelStatus) -> None:
        self.post_message(TunnelChanged(status))

    @on(TunnelChanged)
    def _tunnel_changed(self, message: TunnelChanged) -> None:
        self._news.take(message.status)
        self._left_over.take(message.status)
        self._sign_in.look()
        if self._desktops.due(message.status):
            self._flow(self._desktops.show(message.status))
        self._changed()

    def _tunnel_rows(self) -> Sequence[TunnelRow]:
        now = self._services.clock()
        return tunnel_rows(self._tunnels.statuses(), self._services.saved, self._saved.looked_up, now)

    def _more_notices(self) -> tuple[Notice, ...]:
        return (*self._sign_in.notices(), *self._left_over.notice())

    def offered(self, action: Action) -> bool:
        match action.name:
            case "sign_in":
                return bool(self._sign_in.waiting())
            case "left_over":
                return bool(self._left_over.requests)
            case "groups":
                return bool(self._services.groups)
            case "desktop":
                return has_desktop(self._lists.nodes.row)
            case "detach":
                return self._tunnels.detachable is not None
        return True

    def _second(self) -> None:
        """Countdowns and bytes, while the tunnels are shown."""
        self._lists.renew_tunnels()
        self._show_details()
        self._look()

    def _look(self) -> None:
        """Asks the highlighted tunnel what its status does not say, one question at a time."""
        status, key = self._lists.running_tunnel(View.TUNNELS), self._lists.tunnels.row_key
        if self._looking or status is None or not self._details_shown or self.view is not View.TUNNELS:
            return

        async def look() -> None:
            try:
                insight = await self._tunnels.insight(status)
            finally:
                self._looking = False
            self._lists.insight = (key, insight)
            if self._lists.tunnels.row_key == key:
                self._show_details()
            else:
                self._look()

        self._looking = True
        self.run_worker(look(), group=FLOW)

    @on(Table.Highlighted)
    def _tunnel_highlighted(self, message: Table.Highlighted) -> None:
        if message.table is self._lists.tunnels and self.view is View.TUNNELS:
            self._look()

    def action_view(self, view: str) -> None:
        super().action_view(view)
        if self.view is View.TUNNELS:
            self._seconds.resume()
        else:
            self._seconds.pause()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Actions belong to views, and some to circumstances."""
        known = find(action)
        if known is not None and known.at_once and isinstance(self.focused, FilterInput):
            return False  # there it is a letter
        return known is None or (self.view in known.views and self.offered(known))

    @on(KeyBar.Clicked)
    async def _key_clicked(self, message: KeyBar.Clicked) -> None:
        await self.run_action(message.action.name)

    @on(Table.Chosen)
    async def _row_chosen(self) -> None:
        for action in actions_of(self.view):
            if "enter" in action.keys:
                await self.run_action(action.name)

    def action_refresh(self) -> None:
        self._notices_hidden = ()
        self._knowledge.refresh()
        self._changed()

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

    def action_desktop(self) -> None:
        self._settle()
        if (node := self._lists.nodes.row) is not None and has_desktop(node):
            self._flow(self._desktops.start(node))

    def action_tunnel(self) -> None:
        self._settle()
        row = self._lists.databases.row
        if row is None:
            return
        if row.tunnel is None:
            self._tunnels.open_database(row)
            self._changed()
        elif row.tunnel.state is TunnelState.PAUSED:
            self.action_sign_in()
        else:
            self.action_copy()

    def action_use_tunnel(self) -> None:
        row = self._lists.tunnels.row
        if row is not None and row.looked_up:
            return
        if row is None or row.status is None or row.status.state in _TRIED_AGAIN:
            self.action_retry()
        else:
            self.action_copy()

    def action_retry(self) -> None:
        row = self._lists.tunnels.row
        if row is None:
            return
        if row.saved is not None and (row.status is None or row.status.state.ended):
            self._bring_up(row.saved)
        elif row.status is not None and row.status.state is TunnelState.PAUSED:
            self.action_sign_in()
        elif row.status is not None:
            self._tunnels.retry(row.status)
            self._changed()

    def _bring_up(self, saved: SavedTunnel) -> None:
        self._flow(self._saved.bring_up(saved))

    def action_groups(self) -> None:
        self._flow(self._saved.toggle_group(self._bring_up))

    def action_stop(self) -> None:
        self._settle()
        row = self._lists.tunnels.row
        if self.view is View.TUNNELS and row is not None and row.saved is not None and row.looked_up:
            self._saved.give_up(row.saved)
            self._changed()
        elif (status := self._lists.running_tunnel(self.view)) is not None:
            self._flow(self._tunnels.stop(status))

    def action_detach(self) -> None:
        if (status := self._lists.running_tunnel(View.TUNNELS)) is not None:
            self._flow(self._tunnels.detach(status))

    def action_log(self) -> None:
        if (status := self._lists.running_tunnel(View.TUNNELS)) is not None:
            self._flow(self._tunnels.show_history(status, self._services.clipboard))

    def action_sign_in(self) -> None:
        """For the highlighted tunnel where it waits, else for whichever profile is waited for."""
        waiting = self._sign_in.waiting()
        status = self._lists.running_tunnel(self.view)
        wanted = status.request.context.profile if status is not None else None
        if wanted in waiting or waiting:
            self._flow(self._sign_in.start(wanted if wanted in waiting else next(iter(waiting))))

    def action_left_over(self) -> None:
        self._flow(self._left_over.ask())

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

    def _show_state(self) -> None:
        super()._show_state()
        # An open copy menu tells of its row as it is now: its tunnel may have become ready.
        if self._menu is not None:
            menu, key = self._menu
            if menu.is_current and self._lists.tables[self.view].row_key == key:
                menu.show(self._lists.copies(self.view)[1])

    def action_help(self) -> None:
        self.app.push_screen(HelpDialog())

    def action_commands(self) -> None:
        self.app.action_command_palette()

    def action_leave(self) -> None:
        async def go() -> None:
            if await leave(self.app, self._tunnels):
                self.app.exit()

        self._flow(go())

    def _flow(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs an action that takes its time, then shows what it changed."""

        async def run() -> None:
            await work
            self._changed()

        self.run_worker(run(), group=FLOW)
