"""PostgreSQL's formats. libpq alone can dial one address and check the certificate for another name: `hostaddr`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.quoting import (
    assignment,
    keywords,
    literal,
    options,
    percent,
    query,
    semicolons,
    url,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint

Pairs = list[tuple[str, str | None]]


def libpq_pairs(at: Endpoint) -> Pairs:
    """Everything by libpq's keywords (PostgreSQL manual, 34.1.2). `hostaddr` is dialled, `host` is what the certificate
    must bear and what a line of ~/.pgpass is found by."""
    return [*_where(at), ("user", at.user), ("dbname", at.database), *_tls(at)]


def _where(at: Endpoint) -> Pairs:
    if not at.tls:
        return [("host", at.host), ("port", str(at.port))]
    return [("host", at.server), ("hostaddr", at.host), ("port", str(at.port))]


def _tls(at: Endpoint) -> Pairs:
    if not at.tls:
        return []
    return [("sslmode", "verify-full"), ("sslrootcert", at.ca)] if at.ca else [("sslmode", "require")]


def by_chain(at: Endpoint) -> Pairs:
    """`sslmode` for those who know libpq's words but no hostaddr: verify-full would check the name 127.0.0.1."""
    if not at.tls:
        return []
    return [("sslmode", "verify-ca"), ("sslrootcert", at.ca)] if at.ca else [("sslmode", "require")]


def _libpq_url(scheme: str, at: Endpoint) -> str:
    if not at.tls:
        return url(scheme, at)
    return url(scheme, at, host=at.server, pairs=[("hostaddr", at.host), *_tls(at)])


def psql(at: Endpoint) -> str:
    """The command. psql asks for the password, or reads PGPASSWORD."""
    if not at.tls:
        pairs = [("-h", at.host), ("-p", str(at.port)), ("-U", at.user), ("-d", at.database)]
        return words(["psql", *options(pairs)])
    return words(["psql", keywords(libpq_pairs(at))])


def plain_url(at: Endpoint) -> str:
    """For who reads libpq's URLs without libpq: asyncpg, pgx."""
    return url("postgresql", at, pairs=by_chain(at))


def _node_url(at: Endpoint) -> str:
    """node-postgres takes `verify-ca` and `require` for more than they say, unless this is said first."""
    pairs = by_chain(at)
    return url("postgresql", at, pairs=[("uselibpqcompat", "true"), *pairs] if pairs else [])


def asyncpg_url(at: Endpoint) -> str:
    """SQLAlchemy hands a URL's query to asyncpg.connect as arguments; `sslrootcert` is none of them, but `dsn` is."""
    pairs = query(by_chain(at))
    return url("postgresql+asyncpg", at, pairs=[("dsn", f"postgresql://{pairs}")] if pairs else [])


def jdbc(scheme: str) -> Format:
    """pgjdbc and Redshift's driver, which is made from it: the name that is checked is the one dialled."""

    def write(at: Endpoint) -> str:
        pairs = query([("user", at.user), *by_chain(at)])
        return f"jdbc:{scheme}://{at.address}/{percent(at.database or '')}{pairs}"

    return Format(write, Check.CHAIN, "the driver knows no name but the one dialled")


def _django(at: Endpoint) -> str:
    where = dict(_where(at))
    extra = {key: value for key, value in (("hostaddr", where.get("hostaddr")), *_tls(at)) if value}
    values = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": at.database or "",
        "USER": at.user or "",
        "HOST": where["host"],
        "PORT": str(at.port),
        **({"OPTIONS": extra} if extra else {}),
    }
    return f"DATABASES = {literal({'default': values})}"


def _go(at: Endpoint) -> str:
    pairs = [("host", at.host), ("port", str(at.port)), ("user", at.user), ("dbname", at.database), *by_chain(at)]
    return keywords(pairs)


def _ado(at: Endpoint) -> str:
    """Npgsql's words ("Connection String Parameters")."""
    pairs: Pairs = [("Host", at.host), ("Port", str(at.port)), ("Username", at.user), ("Database", at.database)]
    if at.verifiable:
        pairs += [("SSL Mode", "VerifyCA"), ("Root Certificate", at.ca)]
    elif at.tls:
        pairs += [("SSL Mode", "Require")]
    return semicolons(pairs)


_ONLY_DIALLED: Final = "it knows no name but the one dialled"

LIBPQ_FORMATS: Final[Mapping[str, Format]] = {
    "url": Format(lambda at: _libpq_url("postgresql", at)),
    "psql": Format(psql),
    "libpq": Format(lambda at: keywords(libpq_pairs(at))),
}

FORMATS: Final[Mapping[str, Format]] = {
    **LIBPQ_FORMATS,
    "jdbc": jdbc("postgresql"),
    "env": Format(
        lambda at: assignment("DATABASE_URL", plain_url(at)),
        Check.CHAIN,
        "its readers know no hostaddr; node-postgres wants node",
    ),
    "sqlalchemy": Format(lambda at: _libpq_url("postgresql+psycopg", at)),
    "sqlalchemy-asyncpg": Format(asyncpg_url, Check.CHAIN, _ONLY_DIALLED),
    "asyncpg": Format(plain_url, Check.CHAIN, _ONLY_DIALLED),
    "node": Format(_node_url, Check.CHAIN, "node-postgres knows no name but the one dialled"),
    "django": Format(_django),
    "go": Format(_go, Check.CHAIN, "pgx and lib/pq know no name but the one dialled"),
    "ado.net": Format(_ado, Check.CHAIN, "Npgsql knows no name but the one dialled"),
}

REDSHIFT_FORMATS: Final[Mapping[str, Format]] = {
    **LIBPQ_FORMATS,
    "jdbc": jdbc("redshift"),
    "env": FORMATS["env"],
    "sqlalchemy": Format(lambda at: _libpq_url("redshift+psycopg2", at)),
    "go": FORMATS["go"],
    "ado.net": FORMATS["ado.net"],
}
