"""Enter on a node: warn of what is known, prepare the session, hand the terminal over, say how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from ssm_tui.background import in_background
from ssm_tui.domain.access import Answer, SessionKind, Verdict
from ssm_tui.domain.lessons import STARTED
from ssm_tui.domain.refusals import Refusal
from ssm_tui.domain.sessions import shell_on
from ssm_tui.errors import AccessDeniedError, SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for
from ssm_tui.ui.presentation.obstacles import doubt
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    import asyncio

    from textual.app import App

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.just_in_time import TemporaryKeys
    from ssm_tui.domain.nodes import Node, NodeKey
    from ssm_tui.domain.sessions import Command, SessionSpec
    from ssm_tui.ui.catalog import Catalog
    from ssm_tui.ui.flows.production import ProductionGate
    from ssm_tui.ui.services import Services


class ShellFlow:
    """One shell at a time: the terminal can be given away only once."""

    def __init__(self, app: App[Any], services: Services, catalog: Catalog, production: ProductionGate) -> None:
        self._app, self._services, self._catalog, self._production = app, services, catalog, production
        self._warned: NodeKey | None = None
        self._running = False

    async def start(self, node: Node, keys: TemporaryKeys | None = None) -> None:
        """From the key to the list again; with `keys` that were granted for it, by these."""
        if self._running or not (keys or self._sure(node)):
            return
        self._running = True
        try:
            if await self._production.admits("start the shell", node):
                await self._start(node, keys)
        except SsmTuiError as error:
            if isinstance(error, AccessDeniedError) and keys is None:
                refusal = Refusal(error.action, error.resource, error.reason)
                self._catalog.learn_answer(node.key, SessionKind.SHELL, refusal.answer)
            tell_error(self._app, error)
        finally:
            self._running = False

    def _sure(self, node: Node) -> bool:
        """False after saying what speaks against it; the same key again goes on, for StartSession has the last word."""
        against = doubt(node, SessionKind.SHELL, self._services.clock())
        if against is None or self._warned == node.key:
            self._warned = None
            return True
        self._warned = node.key
        denied = node.access.shell.verdict is Verdict.DENIED and not node.container
        ask = "A asks for it just in time" if denied else ""
        hint = "; ".join(filter(None, (against.check, "press Enter again to try anyway", ask)))
        tell(self._app, f"{node.label}: {against.why}", hint, severity="warning")
        return False

    async def _start(self, node: Node, keys: TemporaryKeys | None) -> None:
        hand_over = self._services.hand_over
        if hand_over is None:
            tell(self._app, "There is no terminal here to run a shell in.", "start ssm-tui in one", severity="warning")
            return
        # Granted keys are good for the account's default document alone.
        spec = shell_on(node, document="" if keys else self._services.settings.shell_document)
        command = await self._prepared(spec, keys, f"Starting a shell on {visible(node.label)} …")
        if command is None:
            return
        try:
            status = await hand_over(self._app, command, node.label)
        except SuspendNotSupported:
            self._end_session(node.context, command, keys)
            tell(self._app, "This terminal cannot be handed to a shell.", severity="warning")
            return
        except SsmTuiError:
            self._end_session(node.context, command, keys)
            raise
        if status == 0 and keys is None and node.access.shell.verdict is not Verdict.ALLOWED:
            self._catalog.learn_answer(node.key, SessionKind.SHELL, Answer(Verdict.ALLOWED, STARTED))
        if status == 0 and keys is None and command.session_id is None:
            in_background(lambda: self._services.clouds.open(node.context).learn(spec, None), "learn")
        if status != 0:
            how = f"status {status}" if status > 0 else f"signal {-status}"
            tell(self._app, f"The shell on {node.label} ended with {how}.", severity="warning")

    async def _prepared(self, spec: SessionSpec, keys: TemporaryKeys | None, text: str) -> Command | None:
        """The command, or None where the user gave up; what comes after that is ended."""
        future = in_background(lambda: self._services.shells.prepare(spec, keys), "prepare a shell")
        if await wait_for(self._app, future, text):
            return await future

        def abandoned(late: asyncio.Future[Command]) -> None:
            if not late.cancelled() and late.exception() is None:
                self._end_session(spec.context, late.result(), keys)

        future.add_done_callback(abandoned)
        return None

    def _end_session(self, context: Context, command: Command, keys: TemporaryKeys | None) -> None:
        """A session that nobody will use is not left open. Its failure tells nobody anything: AWS ends it by itself."""
        session = command.session_id
        if session:
            clouds, grants = self._services.clouds, self._services.grants
            ended = in_background(
                lambda: (grants.opened(context, keys) if keys else clouds.open(context)).terminate_session(session),
                "end a session",
            )
            ended.add_done_callback(lambda future: future.cancelled() or future.exception())
