"""Just-in-time access from the list: a reason is asked for, the request followed, the shell started once it is granted.

Requests go on while the user does something else; what becomes of them is told. The keys are kept in memory alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.domain.access import Answer, Verdict
from ssm_tui.domain.just_in_time import RequestState, next_wait
from ssm_tui.errors import CredentialsError, NetworkError, SessionError, SsmTuiError, ThrottledError
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from ssm_tui.domain.just_in_time import TemporaryKeys
    from ssm_tui.domain.nodes import Node, NodeKey
    from ssm_tui.ui.catalog import Catalog
    from ssm_tui.ui.flows.shell import ShellFlow
    from ssm_tui.ui.services import Services

# What passes by itself, or by signing in again: the request is looked at again.
_PASSING = (CredentialsError, NetworkError, ThrottledError)


@dataclass(slots=True)
class Asked:
    """One request. `decided` is settled once it waits no longer: with keys, or with what speaks against them."""

    id: str
    node: Node
    decided: asyncio.Future[TemporaryKeys | None] = field(repr=False)
    state: RequestState = RequestState.PENDING
    watched: bool = True
    """Somebody waits for it before the screen."""


class GrantFlow:
    """The requests of this run, the last one of each node. `changed` shows what has changed."""

    def __init__(
        self, app: App[Any], services: Services, catalog: Catalog, shells: ShellFlow, changed: Callable[[], None]
    ) -> None:
        self._app, self._services, self._catalog, self._shells = app, services, catalog, shells
        self._changed = changed
        self._requests: dict[NodeKey, Asked] = {}

    def offered(self, node: Node | None) -> bool:
        """Whether there is something to ask for: a node that may not be entered as it is, or a request on its way."""
        if node is None or node.container:
            return False
        return node.key in self._requests or node.access.shell.verdict is not Verdict.ALLOWED

    def keys(self, node: Node) -> TemporaryKeys | None:
        """Those that were granted for the node and still hold."""
        asked = self._requests.get(node.key)
        if asked is None or not asked.decided.done() or asked.decided.exception() is not None:
            return None
        keys = asked.decided.result()
        return keys if keys is not None and keys.hold(self._services.clock()) else None

    async def start(self, node: Node) -> None:
        """From the key to the shell: asks, or goes on with what was asked for."""
        if (keys := self.keys(node)) is None:
            asked = self._requests.get(node.key)
            if asked is None or asked.decided.done():
                asked = await self._ask(node)
            if asked is None or not await self._watched(asked):
                return
            keys = self.keys(node)
        if keys is not None:
            await self._shells.start(node, keys)

    async def _ask(self, node: Node) -> Asked | None:
        from ssm_tui.ui.dialogs.reason import ReasonDialog

        reason = await self._app.push_screen_wait(ReasonDialog(node.label))
        if reason is None:
            return None
        grants = self._services.grants
        asking = in_background(lambda: grants.ask(node.context, node.id, reason), "ask for access")
        try:
            if not await wait_for(self._app, asking, f"Asking for access to {visible(node.label)} …"):
                return None
            request = await asking
        except SsmTuiError as error:
            tell_error(self._app, error)
            return None
        asked = Asked(request, node, asyncio.get_running_loop().create_future())
        self._requests[node.key] = asked
        self._app.run_worker(self._follow(asked), group="granting", exit_on_error=False)
        return asked

    async def _watched(self, asked: Asked) -> bool:
        """Waits for the decision; False where the user goes on without it, or where it is none to go on with."""
        asked.watched = True
        name = visible(asked.node.label)
        text = f"{asked.id} waits for an approval of access to {name} …"
        if not await wait_for(self._app, asked.decided, text, "Esc goes on without it"):
            asked.watched = False
            tell(self._app, f"{asked.id} goes on waiting.", "you are told what becomes of it; A waits for it again")
            return False
        try:
            return await asked.decided is not None
        except SsmTuiError as error:
            tell_error(self._app, error)
            return False

    async def _follow(self, asked: Asked) -> None:
        """Looks until the request is decided, tells of it where nobody waits, and puts the verdict back at its end."""
        keys = await self._decision(asked)
        if keys is None:
            return
        until = keys.expires.astimezone().strftime("%H:%M")
        self._catalog.grant(asked.node.key, Answer(Verdict.ALLOWED, f"granted just in time, until {until}"))
        self._changed()
        if not asked.decided.done():
            asked.decided.set_result(keys)
        if not asked.watched:
            tell(self._app, f"Access to {asked.node.label} is granted until {until}.", "Enter starts a shell on it")
        await asyncio.sleep(max(0.0, (keys.expires - self._services.clock()).total_seconds()))
        self._catalog.end_grant(asked.node.key)
        self._changed()

    async def _decision(self, asked: Asked) -> TemporaryKeys | None:
        grants, wait = self._services.grants, self._services.settings.look_seconds
        while True:
            try:
                progress = await in_background(lambda: grants.look(asked.node.context, asked.id), "look at a request")
            except _PASSING:
                pass
            except SsmTuiError as error:
                self._refused(asked, error)
                return None
            else:
                asked.state = progress.state
                if progress.state is not RequestState.PENDING:
                    break
            await asyncio.sleep(wait)
            wait = next_wait(wait)
        if progress.keys is None:
            words = f"{asked.id}: the request for {visible(asked.node.label)} {progress.state.words}"
            self._refused(asked, SessionError(words, "A asks anew"))
        return progress.keys

    def _refused(self, asked: Asked, error: SsmTuiError) -> None:
        if asked.watched:
            asked.decided.set_exception(error)
        else:
            asked.decided.set_result(None)
            tell_error(self._app, error)
