"""What a program that is run beside a tunnel finds in its environment. Never a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection import caches, mongo, mysql, postgres, sqlserver
from ssm_tui.domain.connection.quoting import given
from ssm_tui.domain.databases import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint
    from ssm_tui.domain.databases import Database

# libpq's own variables (PostgreSQL manual, 34.15), by its keywords.
_LIBPQ: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


def environment(database: Database, at: Endpoint) -> dict[str, str]:
    """Variables by name: `DATABASE_URL` for whoever reads that, and the client's own, by which libpq checks the name in
    the certificate too. What is not known has no variable. Raises UsageError where a name cannot be said."""
    return dict(given(_VARIABLES.get(database.family, _address)(at).items()))


Variables = dict[str, str | None]


def _libpq(at: Endpoint) -> Variables:
    pairs = postgres.libpq_pairs(at)
    return {"DATABASE_URL": postgres.plain_url(at), **{_LIBPQ[key]: value for key, value in pairs}}


def _mysql(at: Endpoint) -> Variables:
    """MYSQL_TCP_PORT is the one that MySQL's clients read; the others are what images and scripts go by."""
    named: Variables = {"MYSQL_HOST": at.host, "MYSQL_TCP_PORT": str(at.port)}
    return {"DATABASE_URL": mysql.plain_url(at), **named, "MYSQL_USER": at.user, "MYSQL_DATABASE": at.database}


def _redis(at: Endpoint) -> Variables:
    return dict.fromkeys(("DATABASE_URL", "REDIS_URL"), caches.redis_url(at))


def _mongo(at: Endpoint) -> Variables:
    return dict.fromkeys(("DATABASE_URL", "MONGODB_URI"), mongo.mongo_url(at))


def _address(at: Endpoint) -> Variables:
    return {"DATABASE_HOST": at.host, "DATABASE_PORT": str(at.port)}


_VARIABLES: Final[Mapping[Family, Callable[[Endpoint], Variables]]] = {
    Family.POSTGRES: _libpq,
    Family.REDSHIFT: _libpq,
    Family.MYSQL: _mysql,
    Family.REDIS: _redis,
    Family.MONGO: _mongo,
    Family.SQLSERVER: lambda at: {"DATABASE_URL": sqlserver.go_url(at), **_address(at)},
}
