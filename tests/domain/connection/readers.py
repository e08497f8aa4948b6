"""The other side: readers of the formats, each by its own grammar and apart from what writes them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, unquote_plus, urlsplit

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ssm_tui.domain.connection import Endpoint, Trust, endpoint
from ssm_tui.domain.databases import Kind
from tests.builders import database

RDS = "/home/me/rds bundle's.pem"
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TRUST = Trust(rds=RDS, system="/etc/ssl/cert.pem")
NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
FILES = NAMES.map(lambda name: f"/home/{name}.pem")
SERVER = "orders.c9akciq32.ap-northeast-2.rds.amazonaws.com"


@dataclass(frozen=True)
class Engine:
    """A database of one kind, and what it is to be called in a test."""

    engine: str
    kind: Kind = Kind.RDS
    tls: bool | None = None

    def database(self, **fields: Any) -> Any:
        return database(**{"engine": self.engine, "kind": self.kind, "tls": self.tls, **fields})


ENGINES = {
    "postgres": Engine("postgres"),
    "mysql": Engine("mysql"),
    "redis": Engine("valkey", Kind.ELASTICACHE, tls=True),
    "memcached": Engine("memcached", Kind.ELASTICACHE, tls=True),
    "mongo": Engine("docdb", Kind.DOCDB, tls=True),
    "sqlserver": Engine("sqlserver-se"),
    "oracle": Engine("oracle-ee"),
    "redshift": Engine("redshift", Kind.REDSHIFT),
    "opensearch": Engine("opensearch", Kind.OPENSEARCH),
    "neptune": Engine("neptune", Kind.NEPTUNE),
}


def seen(engine: str, trust: Trust = TRUST, **fields: Any) -> tuple[Any, Endpoint]:
    """A database of the engine, and how a client sees it through a tunnel on port 15432."""
    found = ENGINES[engine].database(**fields)
    return found, endpoint(found, "127.0.0.1", 15432, trust)


def read_url(text: str) -> dict[str, Any]:
    """RFC 3986: user, host, port, path and query, decoded."""
    parts = urlsplit(text)
    return {
        "scheme": parts.scheme,
        "user": unquote(parts.username or ""),
        "host": parts.hostname,
        "port": parts.port,
        "database": unquote(parts.path[1:]),
        **dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))),
    }


def read_jdbc(text: str) -> dict[str, Any]:
    """pgjdbc's Driver.parseURL and its likes: `jdbc:SCHEME://HOST:PORT/DATABASE?KEY=VALUE&…`, decoded by Java's
    URLDecoder, to which + is a space."""
    scheme, _, rest = text.removeprefix("jdbc:").partition("://")
    path, _, query = rest.partition("?")
    address, _, name = path.partition("/")
    pairs = [each.partition("=") for each in query.split("&") if each]
    return {
        "scheme": scheme,
        "address": address,
        "database": unquote_plus(name),
        **{key: unquote_plus(value) for key, _, value in pairs},
    }


def read_semicolons(text: str) -> dict[str, str]:
    """ADO.NET ("Connection String Syntax"): a value may stand within ' or ", where that sign doubled is one of it."""
    found: dict[str, str] = {}
    rest = text
    while rest:
        key, _, rest = rest.partition("=")
        if rest[:1] in ("'", '"'):
            quote, at, value = rest[0], 1, ""
            while rest[at] != quote or rest[at + 1 : at + 2] == quote:
                value += rest[at]
                at += 2 if rest[at] == quote else 1
            rest = rest[at + 1 :]
            assert rest[:1] in ("", ";")
            rest = rest[1:]
        else:
            value, _, rest = rest.partition(";")
            value = value.strip()
        found[key] = value
    return found


def read_braces(text: str) -> dict[str, str]:
    """Microsoft's JDBC driver and ODBC: `key=value;…`, where a value within {} ends at a } that is not doubled."""
    found: dict[str, str] = {}
    rest = text
    while rest:
        key, _, rest = rest.partition("=")
        if rest.startswith("{"):
            at, value = 1, ""
            while rest[at] != "}" or rest[at + 1 : at + 2] == "}":
                value += rest[at]
                at += 2 if rest[at] == "}" else 1
            rest = rest[at + 1 :].removeprefix(";")
        else:
            value, _, rest = rest.partition(";")
        found[key] = value
    return found


def read_go_mysql(text: str) -> dict[str, str]:
    """go-sql-driver/mysql's ParseDSN: the last / , before it the last @, of that the first colon; after it the name,
    path-escaped, and parameters, query-escaped."""
    left, _, right = text.rpartition("/")
    login, at, where = left.rpartition("@")
    user, _, password = login.partition(":")
    name, _, query = right.partition("?")
    assert not password
    assert where.startswith("tcp(")
    assert where.endswith(")")
    parameters = {key: values[0] for key, values in parse_qs(query).items()}
    return {"user": user if at else "", "address": where[4:-1], "database": unquote(name), **parameters}


def read_words(text: str) -> tuple[dict[str, str], list[str]]:
    """A POSIX shell: assignments, and the command after them."""
    words = shlex.split(text)
    count = next(at for at, word in enumerate(words) if "=" not in word)
    return dict(word.split("=", 1) for word in words[:count]), words[count:]


def read_options(words: list[str]) -> dict[str, str]:
    """`-x value` and `--key=value`; those without a value are there with an empty one."""
    found: dict[str, str] = {}
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and "=" in word:
            key, _, value = word.partition("=")
        else:
            key, value = word, rest.pop(0) if rest and not rest[0].startswith("-") else ""
        found[key] = value
    return found
