"""The home screen: views as tabs over one list each. It takes in messages: for the catalog, the lists, the flows.

What keys do is in the modules beside this one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.worker import WorkerError

from ssm_tui.ui import reads
from ssm_tui.ui.actions import View
from ssm_tui.ui.flows.codes import CodeWanted
from ssm_tui.ui.presentation.tunnels import tunnel_rows
from ssm_tui.ui.screens.acting import FLOW
from ssm_tui.ui.screens.board import TICK
from ssm_tui.ui.screens.database_actions import DatabaseActions
from ssm_tui.ui.screens.node_actions import NodeActions
from ssm_tui.ui.screens.tunnel_actions import TunnelActions
from ssm_tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.presentation.contexts import Notice
    from ssm_tui.ui.presentation.tunnels import TunnelRow
    from ssm_tui.ui.services import Services

SECOND = 1.0  # seconds between looks at what tunnels carry, while they are shown


@dataclass
class TunnelChanged(Message):
    """Something about a tunnel is different."""

    status: TunnelStatus


class Home(NodeActions, DatabaseActions, TunnelActions):
    """Nodes, databases, tunnels."""

    def __init__(self, services: Services, filter_text: str) -> None:
        super().__init__(services, filter_text)
        self._looking = False
        self._seconds: Timer | None = None

    def on_mount(self) -> None:
        self._tunnels.subscribe(self._tunnel_news)
        self._contexts.begin()
        self._codes.begin()
        if remembered := self._knowledge.recall():
            self._lists.show_contexts(remembered)
        self.set_interval(TICK, self._tick)
        self._seconds = self.set_interval(SECOND, self._second, pause=True)
        self.action_view(self.view)
        # Threads take their time from the first frame: they begin, and load what AWS needs, once it is out.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._knowledge.begin()
        self._flow(self._left_over.look())

    async def close(self) -> None:
        """Ends what runs behind the screen."""
        self._codes.end()
        self._knowledge.close()
        flows = [worker for worker in self.workers if worker.group == FLOW]
        for worker in flows:
            worker.cancel()
        for worker in flows:
            with suppress(WorkerError):
                await worker.wait()
        self._clients.close()
        await self._lending.close()
        await asyncio.to_thread(self._choices.close)
        await self._tunnels.close()

    # What is read

    @on(reads.ContextsFound)
    def _contexts_found(self, message: reads.ContextsFound) -> None:
        if not message.counts:
            return  # others have been chosen meanwhile
        self._failure, self._lists.failed = None, False
        self._lists.show_contexts(message.contexts)
        self._knowledge.found(message.contexts)
        self._changed()

    @on(reads.ContextsFailed)
    def _contexts_failed(self, message: reads.ContextsFailed) -> None:
        if not message.counts:
            return
        self._failure, self._lists.failed = message.error, True
        self._knowledge.not_found()
        self._changed()

    @on(reads.CallerKnown)
    def _caller_known(self, message: reads.CallerKnown) -> None:
        if message.counts:
            self._knowledge.belongs_to(message.context, message.account)

    @on(reads.Read)
    def _something_read(self, message: reads.Read) -> None:
        self._knowledge.look_at(self._lists.looked_at)
        if not message.taken_in(self._catalog):
            return  # its context is not chosen any more
        if isinstance(message, reads.PartEnded):
            self._knowledge.part_ended(message.context)
            self._lists.pass_time()  # and what was old may be so no more
            self._look_elsewhere()
        self._changed()

    @on(reads.AccessLearned)
    def _access_learned(self, message: reads.AccessLearned) -> None:
        self._knowledge.learned(message.context)

    @on(CodeWanted)
    def _code_wanted(self, message: CodeWanted) -> None:
        def answer(code: str | None) -> None:
            self._knowledge.step_back(profile)
            message.answer(code)

        profile = message.question.profile
        self._knowledge.step_aside(profile)
        self._codes.ask(CodeWanted(message.question, answer))

    @property
    def reading(self) -> bool:
        """Something is being read."""
        return any(each.busy for each in self._catalog.readings.values())

    def touched(self) -> None:
        """The user is there: a key, the mouse."""
        self._knowledge.touched()

    def _tick(self) -> None:
        # Not while a shell has the terminal: nobody sees the list, and its calls would be the user's.
        if not (self._given_away and self._given_away.now) and self._knowledge.refresh_when_due():
            self._changed()
        self._knowledge.look_at(self._lists.looked_at)
        self._look_elsewhere()
        super()._tick()

    def _look_elsewhere(self) -> None:
        """For sign-ins by other programs, and what they let go on."""
        self._sign_in.look()
        if self._sign_in.waiting():
            self.run_worker(self._sign_in.look_elsewhere(), group=FLOW)

    # What becomes of tunnels

    def _tunnel_news(self, status: TunnelStatus) -> None:
        self.post_message(TunnelChanged(status))

    @on(TunnelChanged)
    def _tunnel_changed(self, message: TunnelChanged) -> None:
        self._news.take(message.status)
        self._left_over.take(message.status)
        self._clients.take(message.status)
        self._sign_in.look()
        if self._desktops.due(message.status):
            self._flow(self._desktops.show(message.status))
        self._changed()

    def _tunnel_rows(self) -> Sequence[TunnelRow]:
        now = self._services.clock()
        return tunnel_rows(self._tunnels.statuses(), self._services.saved, self._saved.looked_up, now)

    def _more_notices(self) -> tuple[Notice, ...]:
        return (*self._sign_in.notices(), *self._left_over.notice())

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
        if self._seconds is None:
            return  # typed ahead of the screen, which looks at it once it is there
        if self.view is View.TUNNELS:
            self._seconds.resume()
        else:
            self._seconds.pause()
