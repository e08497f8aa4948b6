"""SQL Server's formats: Microsoft's clients can be told what name the certificate must bear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Format
from ssm_tui.domain.connection.quoting import (
    assignment,
    braces,
    given,
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
_ODBC: Final = "ODBC Driver 18 for SQL Server"


def _sqlcmd(at: Endpoint) -> str:
    """-Nm encrypts, -F is the name to check, -C checks nothing ("sqlcmd utility"). On Linux both of Microsoft's sqlcmd
    take further authorities from SSL_CERT_FILE, as OpenSSL and Go do."""
    login = options([("-U", at.user), ("-d", at.database)])
    tls = ["-Nm", *(["-F", at.server] if at.ca else ["-C"])] if at.tls else []
    known = [("SSL_CERT_FILE", at.ca)] if at.tls else []
    return words(["sqlcmd", "-S", f"tcp:{at.host},{at.port}", *login, *tls], known)


def _ado(at: Endpoint) -> str:
    pairs: Pairs = [("Server", f"tcp:{at.host},{at.port}"), ("Database", at.database), ("User ID", at.user)]
    return semicolons([*pairs, *_properties(at, "Encrypt", "HostNameInCertificate", "TrustServerCertificate")])


def _jdbc(at: Endpoint) -> str:
    pairs: Pairs = [("databaseName", at.database), ("user", at.user)]
    pairs += _properties(at, "encrypt", "hostNameInCertificate", "trustServerCertificate")
    return f"jdbc:sqlserver://{at.address};" + ";".join(f"{key}={braces(value)}" for key, value in given(pairs))


def _properties(at: Endpoint, encrypt: str, named: str, trusting: str) -> Pairs:
    if not at.tls:
        return []
    return [(encrypt, "true"), (named, at.server)] if at.ca else [(encrypt, "true"), (trusting, "true")]


def _odbc(at: Endpoint) -> Pairs:
    if not at.tls:
        return [("Encrypt", "optional")]
    if not at.ca:
        return [("Encrypt", "yes"), ("TrustServerCertificate", "yes")]
    return [("Encrypt", "yes"), ("HostNameInCertificate", at.server)]


def _sqlalchemy(at: Endpoint) -> str:
    return url("mssql+pyodbc", at, pairs=[("driver", _ODBC), *_odbc(at)])


def _django(at: Endpoint) -> str:
    values = {
        "ENGINE": "mssql",
        "NAME": at.database or "",
        "USER": at.user or "",
        "HOST": at.host,
        "PORT": str(at.port),
        "OPTIONS": {
            "driver": _ODBC,
            "extra_params": ";".join(f"{key}={braces(value)}" for key, value in given(_odbc(at))),
        },
    }
    return f"DATABASES = {literal({'default': values})}"


def go_url(at: Endpoint) -> str:
    """go-mssqldb's: the database stands in the query, the path would be an instance."""
    pairs: Pairs = [("database", at.database)]
    if at.verifiable:
        pairs += [("encrypt", "true"), ("certificate", at.ca), ("hostNameInCertificate", at.server)]
    elif at.tls:
        pairs += [("encrypt", "true"), ("TrustServerCertificate", "true")]
    user = f"{percent(at.user)}@" if at.user else ""
    return f"sqlserver://{user}{at.address}{query(pairs)}"


_STORE: Final = "the bundle must be in the system's trust store"
_FILE: Final = "the bundle is read from SSL_CERT_FILE on Linux, elsewhere it must be in the system's trust store"

FORMATS: Final[Mapping[str, Format]] = {
    "url": Format(go_url),
    "sqlcmd": Format(_sqlcmd, why=_FILE),
    "ado.net": Format(_ado, why=_STORE),
    "jdbc": Format(_jdbc, why="the bundle must be in Java's trust store"),
    "env": Format(lambda at: assignment("DATABASE_URL", go_url(at))),
    "sqlalchemy": Format(_sqlalchemy, why=_STORE),
    "django": Format(_django, why=_STORE),
    "go": Format(go_url),
}
