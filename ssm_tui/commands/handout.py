"""What is handed out of a tunnel that is ready: the connection string that was asked for, an entry in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.connection import NO_TRUST, Endpoint, Trust, checked, endpoint, render
from ssm_tui.domain.connection.entries import ClientFile, entry
from ssm_tui.domain.sessions import LOOPBACK
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from ssm_tui.domain.databases import Database
    from ssm_tui.store.client_files import ClientFiles


@dataclass(frozen=True, slots=True)
class Handout:
    """`show` is the format of a string, `write` a client's file, which `files` keeps; `trust` is what certificates are
    known by. Empty where nothing was asked for."""

    show: str = ""
    write: ClientFile | None = None
    trust: Trust = NO_TRUST
    files: ClientFiles | None = None

    def check(self, database: Database | None, name: str) -> None:
        """Raises UsageError for what this end of a tunnel cannot have, before anything starts."""
        if database is None:
            for option in ("--show" if self.show else "", "--write" if self.write else ""):
                if option:
                    raise UsageError(f"{name} leads to no database", f"a connection string ({option}) is for databases")
            return
        at = self._at(database, database.port, name)
        if self.show:
            render(database, self.show, at)
        if self.write is not None:
            entry(database, self.write, at)

    def lines(self, database: Database, port: int, name: str) -> tuple[str, str]:
        """The string, and what a client that reads it checks; both empty where none was asked for."""
        at = self._at(database, port, name)
        return (render(database, self.show, at), checked(database, self.show, at)) if self.show else ("", "")

    def keep(self, database: Database, port: int, name: str) -> str:
        """Writes the entry, if one was asked for, and says so. Raises SsmTuiError."""
        if self.write is None or self.files is None:
            return ""
        written = entry(database, self.write, self._at(database, port, name))
        return f"{written.name} is in {self.files.write(written)}: {written.use}"

    def _at(self, database: Database, port: int, name: str) -> Endpoint:
        return endpoint(database, LOOPBACK, port, self.trust, name)


NO_HANDOUT = Handout()
