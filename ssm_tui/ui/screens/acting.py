"""What keys do in every view, and the flows behind them. What belongs to one view is in the modules beside this one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from ssm_tui.domain.credentials import PasswordMeans
from ssm_tui.ui.actions import ACTIONS, View, actions_of, find
from ssm_tui.ui.choices import ChoicesInForce
from ssm_tui.ui.flows.arranging import ArrangingFlow
from ssm_tui.ui.flows.client import ClientFlow
from ssm_tui.ui.flows.codes import CodeFlow
from ssm_tui.ui.flows.contexts import ContextFlow
from ssm_tui.ui.flows.copy import choose_and_copy
from ssm_tui.ui.flows.credentials import CredentialsFlow
from ssm_tui.ui.flows.desktop import DesktopFlow, has_desktop
from ssm_tui.ui.flows.filters import FilterFlow
from ssm_tui.ui.flows.giving import GivenAway
from ssm_tui.ui.flows.granting import GrantFlow
from ssm_tui.ui.flows.knowledge import Knowledge
from ssm_tui.ui.flows.leaving import leave
from ssm_tui.ui.flows.left_over import LeftOverFlow
from ssm_tui.ui.flows.lending import LendingFlow
from ssm_tui.ui.flows.news import News
from ssm_tui.ui.flows.production import ProductionGate
from ssm_tui.ui.flows.saved import SavedFlow
from ssm_tui.ui.flows.shell import ShellFlow
from ssm_tui.ui.flows.sign_in import SignInFlow
from ssm_tui.ui.flows.tunnel import TunnelFlow
from ssm_tui.ui.flows.why import WhyFlow
from ssm_tui.ui.presentation.copies import Deed
from ssm_tui.ui.screens.board import Board
from ssm_tui.ui.widgets.bars import ContextBar, KeyBar
from ssm_tui.ui.widgets.filter_line import FilterInput, FilterLine
from ssm_tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable

    from textual.binding import BindingType
    from textual.worker import Worker

    from ssm_tui.domain.contexts import Context
    from ssm_tui.ui.actions import Action
    from ssm_tui.ui.dialogs.copying import CopyMenu
    from ssm_tui.ui.presentation.copies import Copyable
    from ssm_tui.ui.services import Services

FLOW = "flow"
_PASSWORDS = {Deed.TOKEN: PasswordMeans.TOKEN, Deed.SECRET: PasswordMeans.SECRET}


class Acting(Board):
    """The board with its flows, one for each kind of thing that takes its time."""

    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in ACTIONS]

    def __init__(self, services: Services, filter_text: str) -> None:
        self._given_away = GivenAway(services.hand_over) if services.hand_over is not None else None
        services = replace(services, hand_over=self._given_away)
        super().__init__(services, filter_text)
        self._knowledge = Knowledge(services, self._catalog, self.post_message)
        self._contexts = ContextFlow(
            self.app,
            services,
            self._catalog,
            self._knowledge,
            lambda: self._lists.listing.counts,
            self._changed,
            self._sign_in_to,
        )
        self._tunnels = TunnelFlow(self.app, services.tunnels(), services.settings.most_sessions)
        self._news = News(self.app, services.clock)
        self._production = ProductionGate(self.app, services.settings.production, self._catalog)
        self._lending = LendingFlow(self.app, services.clipboard, services.settings.clipboard_seconds)
        self._credentials = CredentialsFlow(self.app, services, self._production, self._lending)
        self._clients = ClientFlow(self.app, services, self._tunnels, self._production, self._credentials)
        self._saved = SavedFlow(self.app, services, self._tunnels, self._production, self._changed)
        self._sign_in = SignInFlow(self.app, services, self._tunnels, lambda: self._catalog.readings, self._signed_in)
        self._codes = CodeFlow(self.app, services.codes, self.post_message)
        self._left_over = LeftOverFlow(self.app, services.left_over, self._tunnels)
        self._desktops = DesktopFlow(self.app, services, self._tunnels)
        self._shells = ShellFlow(self.app, services, self._catalog, self._production)
        self._grants = GrantFlow(self.app, services, self._catalog, self._shells, self._changed)
        self._why = WhyFlow(self.app, services)
        self._choices = ChoicesInForce(services.choices)
        self._arranging = ArrangingFlow(self.app, self._lists, self._choices, self._catalog.tag_keys, self._changed)
        self._filters = FilterFlow(self.app, self._lists, services.filters, self._choices, self._use_filter)
        self._choosing: Worker[None] | None = None
        self._menu: tuple[CopyMenu, Hashable] | None = None  # the copy menu opened last, and the row it is of

    def _filter_changed(self) -> None:
        self._knowledge.ask_for(self._lists.asked_for(self._given) if self.view is not View.DATABASES else None)

    def _use_filter(self, text: str) -> None:
        self.query_one(FilterLine).show(text)

    def action_filters(self) -> None:
        self._settle()
        self._choose(self._filters.choose(self._lists.text(self.view)))

    def _signed_in(self, profile: str | None) -> None:
        self._knowledge.signed_in(profile)
        self._changed()

    def offered(self, action: Action) -> bool:
        match action.name:
            case "sign_in":
                return bool(self._sign_in.waiting())
            case "left_over":
                return bool(self._left_over.requests)
            case "groups":
                return bool(self._services.groups)
            case "desktop":
                return has_desktop(self._lists.node)
            case "shell":
                return self._lists.group is None
            case "ask":
                return self._grants.offered(self._lists.node)
            case "fold":
                return self._lists.group is not None
            case "detach":
                return self._tunnels.detachable is not None
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Actions belong to views, and some to circumstances."""
        known = find(action, self.view)
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

    def action_copy(self) -> None:
        from ssm_tui.ui.dialogs.copying import CopyMenu

        self._settle()

        async def copy() -> None:
            self._menu = menu, self._lists.tables[self.view].row_key
            deed = await choose_and_copy(self.app, self._services, menu)
            if deed is Deed.OPEN_TUNNEL:
                await self.run_action("tunnel")
            elif deed is not None and database is not None and deed in _PASSWORDS:
                await self._credentials.copy(database, _PASSWORDS[deed])

        title, lines, database = *self._copies(), self._lists.database(self.view)
        menu = CopyMenu(title, lines)
        if lines:
            self._flow(copy())

    def _show_state(self) -> None:
        super()._show_state()
        self._contexts.look()
        # An open copy menu tells of its row as it is now: its tunnel may have become ready.
        if self._menu is not None:
            menu, key = self._menu
            if menu.is_current and self._lists.tables[self.view].row_key == key:
                menu.show(self._copies()[1])

    def _copies(self) -> tuple[str, tuple[Copyable, ...]]:
        """The title and the lines of the copy menu."""
        return self._lists.copies(self.view, self._services.trust())

    def action_refresh(self) -> None:
        self._notices_hidden = ()
        self._knowledge.refresh()
        self._changed()

    def action_contexts(self) -> None:
        self._choose(self._contexts.show_list())

    def action_profiles(self) -> None:
        self._choose(self._contexts.pick_profiles())

    def action_regions(self) -> None:
        self._choose(self._contexts.pick_regions())

    @on(ContextBar.Clicked)
    def _contexts_clicked(self) -> None:
        self.action_contexts()

    def action_sign_in(self) -> None:
        """For the highlighted tunnel or node where its profile waits, else for whichever profile is waited for."""
        status, node = self._lists.running_tunnel(self.view), self._lists.node if self.view is View.NODES else None
        context = status.request.context if status is not None else node.context if node is not None else None
        wanted, waiting = context and context.profile, self._sign_in.waiting()
        if wanted in waiting or waiting:
            self._flow(self._sign_in.start(wanted if wanted in waiting else next(iter(waiting))))

    def _sign_in_to(self, context: Context) -> None:
        if context.profile in self._sign_in.waiting():
            self._flow(self._sign_in.start(context.profile))

    def action_left_over(self) -> None:
        self._flow(self._left_over.ask())

    def action_why(self) -> None:
        self._settle()
        if (target := self._lists.target(self.view)) is not None:
            self._choose(self._why.show(target))

    def action_help(self) -> None:
        from ssm_tui.ui.dialogs.help import HelpDialog

        async def show() -> None:
            await self.app.push_screen_wait(HelpDialog())

        self._choose(show())

    def action_commands(self) -> None:
        self.app.action_command_palette()

    def action_leave(self) -> None:
        async def go() -> None:
            if await leave(self.app, self._tunnels):
                self.app.exit()

        self._flow(go())

    def _flow(self, work: Coroutine[Any, Any, None]) -> Worker[None]:
        """Runs an action that takes its time, then shows what it changed."""

        async def run() -> None:
            await work
            self._changed()

        return self.run_worker(run(), group=FLOW)

    def _choose(self, work: Coroutine[Any, Any, None]) -> None:
        """The same for a choice among many: one at a time, since a key that is held down comes again before its dialog
        is there to take it."""
        if self._choosing is not None and not self._choosing.is_finished:
            work.close()
        else:
            self._choosing = self._flow(work)
