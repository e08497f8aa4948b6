"""MySQL's and MariaDB's formats. No client of theirs checks another name than the one dialled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.quoting import (
    assignment,
    given,
    literal,
    options,
    percent,
    query,
    semicolons,
    unwritable,
    url,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint

Pairs = list[tuple[str, str | None]]


def tls_options(at: Endpoint) -> Pairs:
    """MySQL's own words (Reference Manual, "Command Options for Encrypted Connections"): VERIFY_IDENTITY would check
    the name 127.0.0.1."""
    if not at.tls:
        return []
    return [("ssl-mode", "VERIFY_CA"), ("ssl-ca", at.ca)] if at.ca else [("ssl-mode", "REQUIRED")]


def sends_tokens(at: Endpoint) -> bool:
    """Whether a client is to send what it has for a password as it is, within TLS: a token counts in no other form (RDS
    User Guide, "Connecting to your DB instance using IAM authentication"). MariaDB's clients always do."""
    return bool(at.iam and at.tls)


def _command(program: str, at: Endpoint, *tls: str) -> str:
    pairs = [("-h", at.host), ("-P", str(at.port)), ("-u", at.user), ("-D", at.database)]
    return words([program, *options(pairs), *tls, "-p"])  # -p asks for the password; without it none is sent


def _mysql(at: Endpoint) -> str:
    clear = ["--enable-cleartext-plugin"] if sends_tokens(at) else []
    return _command("mysql", at, *(f"--{key}={value}" for key, value in given(tls_options(at))), *clear)


def _mariadb(at: Endpoint) -> str:
    """MariaDB's client knows no --ssl-mode. Without --ssl-verify-server-cert it has never checked the name for
    127.0.0.1, and with a bundle always the chain before 11.4 (Connector/C 3.4)."""
    tls = () if not at.tls else ("--ssl", f"--ssl-ca={at.ca}") if at.ca else ("--ssl",)
    return _command("mariadb", at, *tls)


def plain_url(at: Endpoint) -> str:
    """In MySQL Shell's words ("Connecting to the Server Using URI-Like Strings")."""
    return url("mysql", at, pairs=tls_options(at))


def _jdbc(at: Endpoint) -> str:
    """Connector/J reads trusted certificates from Java's own stores alone."""
    pairs = query([("user", at.user), ("sslMode", "REQUIRED" if at.tls else None)])
    return f"jdbc:mysql://{at.address}/{percent(at.database or '')}{pairs}"


def _jdbc_mariadb(at: Endpoint) -> str:
    tls: Pairs = [("sslMode", "verify-ca"), ("serverSslCert", at.ca)] if at.ca else [("sslMode", "trust")]
    pairs = query([("user", at.user), *(tls if at.tls else [])])
    return f"jdbc:mariadb://{at.address}/{percent(at.database or '')}{pairs}"


def _sqlalchemy(at: Endpoint) -> str:
    """PyMySQL checks the chain where there is a CA, and the name unless told not to."""
    pairs: Pairs = [("ssl_ca", at.ca), ("ssl_check_hostname", "false")] if at.tls else []
    return url("mysql+pymysql", at, pairs=pairs)


def _django(at: Endpoint) -> str:
    extra = {"ssl_mode": "VERIFY_CA" if at.ca else "REQUIRED", **({"ssl": {"ca": at.ca}} if at.ca else {})}
    values = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": at.database or "",
        "USER": at.user or "",
        "HOST": at.host,
        "PORT": str(at.port),
        **({"OPTIONS": extra} if at.tls else {}),
    }
    return f"DATABASES = {literal({'default': values})}"


def _go(at: Endpoint) -> str:
    """`user@tcp(host:port)/database?…`; only the name of the database can be escaped there."""
    if at.user and ":" in at.user:
        raise unwritable("a colon", "Go's DSN for MySQL")
    user = f"{at.user}@" if at.user else ""
    clear = "true" if sends_tokens(at) else None
    extra = query([("tls", "skip-verify" if at.tls else None), ("allowCleartextPasswords", clear)])
    return f"{user}tcp({at.address})/{percent(at.database or '')}{extra}"


def _ado(at: Endpoint) -> str:
    pairs: Pairs = [("Server", at.host), ("Port", str(at.port)), ("User ID", at.user), ("Database", at.database)]
    if at.verifiable:
        pairs += [("SSL Mode", "VerifyCA"), ("SSL CA", at.ca)]
    elif at.tls:
        pairs += [("SSL Mode", "Required")]
    return semicolons(pairs)


_ONLY_DIALLED: Final = "it knows no name but the one dialled"

FORMATS: Final[Mapping[str, Format]] = {
    "url": Format(plain_url, Check.CHAIN, "in MySQL Shell's words; others spell TLS otherwise"),
    "mysql": Format(_mysql, Check.CHAIN, _ONLY_DIALLED),
    "mariadb": Format(_mariadb, Check.CHAIN, "and from 11.4 on the client takes 127.0.0.1 for safe"),
    "jdbc": Format(_jdbc, Check.NOTHING, "Connector/J would, with the bundle in a Java keystore"),
    "jdbc-mariadb": Format(_jdbc_mariadb, Check.CHAIN, "the driver knows no name but the one dialled"),
    "env": Format(
        lambda at: assignment("DATABASE_URL", plain_url(at)),
        Check.CHAIN,
        "in MySQL Shell's words; others spell TLS otherwise",
    ),
    "sqlalchemy": Format(_sqlalchemy, Check.CHAIN, "PyMySQL knows no name but the one dialled"),
    "django": Format(_django, Check.CHAIN, "mysqlclient knows no name but the one dialled"),
    "go": Format(_go, Check.NOTHING, "a tls.Config registered in code would, with RootCAs and ServerName"),
    "ado.net": Format(_ado, Check.CHAIN, "MySqlConnector knows no name but the one dialled"),
}
