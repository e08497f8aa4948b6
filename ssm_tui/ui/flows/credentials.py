"""Passwords of databases, when a key asks for one: fetched behind the screen, lent to the clipboard or handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.domain.credentials import PasswordMeans, token_service, usual_user
from ssm_tui.errors import SsmTuiError
from ssm_tui.ui.flows.telling import tell, tell_error, wait_for
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from textual.app import App

    from ssm_tui.domain.credentials import Credentials
    from ssm_tui.domain.databases import Database
    from ssm_tui.ui.flows.lending import LendingFlow
    from ssm_tui.ui.flows.production import ProductionGate
    from ssm_tui.ui.services import Services

_NOUNS = {PasswordMeans.TOKEN: "token", PasswordMeans.SECRET: "password"}
_OWN_IDENTITY = "nobody: who you are to IAM"


class CredentialsFlow:
    """Remembers for whom a token was wanted last, database by database; a password never."""

    def __init__(self, app: App[Any], services: Services, production: ProductionGate, lending: LendingFlow) -> None:
        self._app, self._services, self._production, self._lending = app, services, production, lending
        self._users: dict[object, str] = {}

    async def copy(self, database: Database, means: PasswordMeans) -> None:
        """From the choice in the menu to the word that it is in the clipboard."""
        if not await self._production.admits(f"copy the {_NOUNS[means]}", database):
            return
        found = await self.obtain(database, means)
        if found is None:
            return
        how = await self._lending.lend(found.password)
        whose = f" of {found.user}" if found.user else ""
        lasts = f"good for {round(found.seconds / 60)} min, the same key makes another" if found.seconds else ""
        text = f"The {_NOUNS[means]}{whose} for {database.id} is {how}."
        if found.doubt:
            tell(self._app, text, found.doubt, severity="warning")
        else:
            tell(self._app, text, lasts)

    async def obtain(self, database: Database, means: PasswordMeans) -> Credentials | None:
        """A password, asking for whom where that is to be said; None where the user gave it up or there is none, which
        is told."""
        user: str | None = ""
        if means is PasswordMeans.TOKEN and token_service(database) != "redshift-serverless":
            user = await self._ask_user(database)
        if user is None:
            return None
        name = user
        future = in_background(
            lambda: self._services.clouds.open(database.context).credentials(database, means, name), "get a password"
        )
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if not await wait_for(self._app, future, f"Getting a {_NOUNS[means]} for {visible(database.id)} …"):
            return None
        try:
            return await future
        except SsmTuiError as error:
            tell_error(self._app, error)
            return None

    async def _ask_user(self, database: Database) -> str | None:
        from ssm_tui.ui.dialogs.login import LoginDialog

        redshift = token_service(database) == "redshift"
        known = self._users.get(database.key, "" if redshift else usual_user(database))
        dialog = LoginDialog(database.id, known, _OWN_IDENTITY if redshift else "")
        user = await self._app.push_screen_wait(dialog)
        if user is not None:
            self._users[database.key] = user
        return user
