"""Which formats each wire protocol has, the most usual first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection import caches, https, mongo, mysql, oracle, postgres, sqlserver
from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.exports import datagrip, dbeaver
from ssm_tui.domain.databases import Family
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint
    from ssm_tui.domain.databases import Database

_OF_ALL: Final[Mapping[str, Format]] = {
    "address": Format(lambda at: at.address, Check.NOTHING, "that is up to the client")
}

_FORMATS: Final[Mapping[Family, Mapping[str, Format]]] = {
    Family.POSTGRES: {**postgres.FORMATS, "dbeaver": dbeaver(Family.POSTGRES), "datagrip": datagrip(Family.POSTGRES)},
    Family.MYSQL: {**mysql.FORMATS, "dbeaver": dbeaver(Family.MYSQL), "datagrip": datagrip(Family.MYSQL)},
    Family.REDIS: caches.REDIS_FORMATS,
    Family.MEMCACHED: caches.MEMCACHED_FORMATS,
    Family.MONGO: mongo.FORMATS,
    Family.SQLSERVER: {
        **sqlserver.FORMATS,
        "dbeaver": dbeaver(Family.SQLSERVER),
        "datagrip": datagrip(Family.SQLSERVER),
    },
    Family.ORACLE: {**oracle.FORMATS, "dbeaver": dbeaver(Family.ORACLE), "datagrip": datagrip(Family.ORACLE)},
    Family.REDSHIFT: {
        **postgres.REDSHIFT_FORMATS,
        "dbeaver": dbeaver(Family.REDSHIFT),
        "datagrip": datagrip(Family.REDSHIFT),
    },
    Family.HTTPS: https.FORMATS,
    Family.OTHER: {},
}


def formats(database: Database) -> tuple[str, ...]:
    """The formats that make sense for the database's protocol, the most usual first."""
    return (*_FORMATS[database.family], *_OF_ALL)


def render(database: Database, name: str, at: Endpoint) -> str:
    """One connection string. Raises UsageError for a format that this database does not have, and for one that has no
    way to say what the database or its user is called."""
    return _format(database, name).write(at)


def checked(database: Database, name: str, at: Endpoint) -> str:
    """What a client that reads this string checks of the server and what it does not, in one line. Raises UsageError
    for a format that this database does not have."""
    return _format(database, name).checked(at)


def _format(database: Database, name: str) -> Format:
    found = _FORMATS[database.family].get(name) or _OF_ALL.get(name)
    if found is None:
        known = ", ".join(formats(database))
        raise UsageError(f"{name!r} is not a format for {database.engine}", f"formats are {known}")
    return found
