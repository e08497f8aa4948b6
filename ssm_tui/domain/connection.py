"""Connection strings for a database behind a local port, each quoted as its format demands. Never a password."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from ssm_tui.domain.databases import Database, Family
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client dials and what it says there."""

    host: str
    port: int
    user: str | None = None
    database: str | None = None

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"


def endpoint(database: Database, host: str, port: int) -> Endpoint:
    """The database as a client on this machine sees it through a tunnel."""
    return Endpoint(host, port, database.user, database.database)


def formats(database: Database) -> tuple[str, ...]:
    """The formats that make sense for the database's protocol, the most usual first."""
    return tuple(_FORMATS[database.family])


def render(database: Database, name: str, at: Endpoint) -> str:
    """One connection string. Raises UsageError for a format that this database does not have."""
    try:
        write = _FORMATS[database.family][name]
    except KeyError:
        known = ", ".join(formats(database))
        raise UsageError(f"{name!r} is not a format for {database.engine}", f"formats are {known}") from None
    return write(at)


def _url(scheme: str) -> Callable[[Endpoint], str]:
    def write(at: Endpoint) -> str:
        user = f"{quote(at.user, safe='')}@" if at.user else ""
        database = f"/{quote(at.database, safe='')}" if at.database else ""
        return f"{scheme}://{user}{at.address}{database}"

    return write


def _jdbc(scheme: str) -> Callable[[Endpoint], str]:
    def write(at: Endpoint) -> str:
        user = f"?user={quote(at.user, safe='')}" if at.user else ""
        return f"jdbc:{scheme}://{at.address}/{quote(at.database or '', safe='')}{user}"

    return write


def _env(scheme: str) -> Callable[[Endpoint], str]:
    return lambda at: f"DATABASE_URL={_url(scheme)(at)}"


def _libpq_value(value: str) -> str:
    """A keyword/value pair's value (libpq, 34.1.1.1): quoted always, with \\ and ' escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _libpq(at: Endpoint) -> str:
    pairs = {"host": at.host, "port": str(at.port), "user": at.user, "dbname": at.database}
    return " ".join(f"{key}={_libpq_value(value)}" for key, value in pairs.items() if value)


def _command(program: str, host: str, port: str, user: str = "", database: str = "") -> Callable[[Endpoint], str]:
    """A client's command line, from the options by which it takes each part; an empty option is a part it has not."""

    def write(at: Endpoint) -> str:
        parts = ((host, at.host), (port, str(at.port)), (user, at.user), (database, at.database))
        options = [word for option, value in parts if option and value for word in (option, value)]
        return shlex.join([program, *options])

    return write


_FORMATS: Mapping[Family, Mapping[str, Callable[[Endpoint], str]]] = {
    Family.POSTGRES: {
        "url": _url("postgresql"),
        "psql": _command("psql", "-h", "-p", "-U", "-d"),
        "libpq": _libpq,
        "jdbc": _jdbc("postgresql"),
        "env": _env("postgresql"),
        "address": lambda at: at.address,
    },
    Family.MYSQL: {
        "url": _url("mysql"),
        "mysql": _command("mysql", "-h", "-P", "-u", "-D"),
        "jdbc": _jdbc("mysql"),
        "env": _env("mysql"),
        "address": lambda at: at.address,
    },
    Family.REDIS: {
        "url": _url("redis"),
        "redis-cli": _command("redis-cli", "-h", "-p"),
        "address": lambda at: at.address,
    },
    Family.MEMCACHED: {"address": lambda at: at.address},
    Family.MONGO: {"address": lambda at: at.address},
    Family.SQLSERVER: {"address": lambda at: at.address},
    Family.ORACLE: {"address": lambda at: at.address},
    Family.REDSHIFT: {
        "url": _url("redshift"),
        "psql": _command("psql", "-h", "-p", "-U", "-d"),
        "libpq": _libpq,
        "jdbc": _jdbc("redshift"),
        "env": _env("redshift"),
        "address": lambda at: at.address,
    },
    Family.HTTPS: {"url": lambda at: f"https://{at.address}", "address": lambda at: at.address},
    Family.OTHER: {"address": lambda at: at.address},
}
