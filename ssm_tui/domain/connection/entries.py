"""Entries for the files in which database clients keep their connections: `pg_service.conf`, `my.cnf`. No password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.mysql import sends_tokens, tls_options
from ssm_tui.domain.connection.postgres import libpq_pairs
from ssm_tui.domain.connection.quoting import given, unwritable, words
from ssm_tui.domain.databases import Family
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssm_tui.domain.connection.endpoint import Endpoint
    from ssm_tui.domain.databases import Database


class ClientFile(StrEnum):
    """A file that a client reads."""

    PG_SERVICE = "pg-service"
    """libpq's connection service file (PostgreSQL manual, 34.17)."""
    MY_CNF = "my-cnf"
    """The user's option file of MySQL and MariaDB ("Using Option Files")."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in such a file for one database: its sections, each with its heading's name and its lines. `use` is
    the command that goes by it."""

    file: ClientFile
    name: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    use: str

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(line for heading, body in self.sections for line in (f"[{heading}]", *body))


_FILES: Final = {
    Family.POSTGRES: ClientFile.PG_SERVICE,
    Family.REDSHIFT: ClientFile.PG_SERVICE,
    Family.MYSQL: ClientFile.MY_CNF,
}
_NOT_IN_HEADINGS: Final = re.compile(r"[^\w.-]+")
_PLAIN_OPTION: Final = re.compile(r"[\w./:@%+,~-]+", re.ASCII)


def client_file(database: Database) -> ClientFile | None:
    """The file that the database's clients read; None where there is none."""
    return _FILES.get(database.family)


def entry(database: Database, file: ClientFile, at: Endpoint) -> Entry:
    """What is to stand in the file. Raises UsageError where the database's clients do not read it, or for a name that
    it cannot hold."""
    wanted = client_file(database)
    if wanted is not file:
        hint = f"write {wanted} instead" if wanted else "copy a connection string: --show"
        raise UsageError(f"clients of {database.engine} do not read {file}", hint)
    name = _NOT_IN_HEADINGS.sub("-", at.name).strip("-") or "database"
    return _pg_service(name, at) if file is ClientFile.PG_SERVICE else _my_cnf(name, at)


def _pg_service(name: str, at: Endpoint) -> Entry:
    """A value there is the rest of its line, as it is, without the spaces at its end."""
    pairs = given(libpq_pairs(at))
    if any(value != value.rstrip() or len(value.splitlines()) > 1 for _, value in pairs):
        raise unwritable("line ends, or spaces at the end,", "pg_service.conf")
    lines = tuple(f"{key}={value}" for key, value in pairs)
    return Entry(ClientFile.PG_SERVICE, name, ((name, lines),), words(["psql", f"service={name}"]))


def _my_cnf(name: str, at: Endpoint) -> Entry:
    """`client` is read by every program, and some know no `database`; MariaDB's know no `ssl-mode`, which `loose-`
    forgives, and take no value for the last."""
    client = [("host", at.host), ("port", str(at.port)), ("user", at.user)]
    client += [("loose-ssl-mode" if key == "ssl-mode" else key, value) for key, value in tls_options(at)]
    lines = (*_options(client), *(["loose-enable-cleartext-plugin"] if sends_tokens(at) else []))
    database = _options([("database", at.database)])
    sections = ((f"client_{name}", lines), *([(f"mysql_{name}", database)] if database else []))
    return Entry(ClientFile.MY_CNF, name, sections, words(["mysql", f"--defaults-group-suffix=_{name}", "-p"]))


def _options(pairs: Iterable[tuple[str, str | None]]) -> tuple[str, ...]:
    return tuple(f"{key}={_option(value)}" for key, value in given(pairs))


def _option(value: str) -> str:
    """Other than plain values within ", with \\ before what means something there ("Option File Syntax")."""
    if _PLAIN_OPTION.fullmatch(value):
        return value
    for sign, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\b", "\\b")):
        value = value.replace(sign, written)
    return f'"{value}"'
