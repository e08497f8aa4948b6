"""One rule for each grammar that values are written in."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ssm_tui.domain.connection.endpoint import Endpoint

_PLAIN: Final = re.compile(r"[\w./:@%+,~-]+", re.ASCII)


def given(pairs: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """Those that have a value."""
    return [(key, value) for key, value in pairs if value]


def percent(value: str) -> str:
    """For every part of a URL (RFC 3986)."""
    return quote(value, safe="")


def query(pairs: Iterable[tuple[str, str | None]]) -> str:
    """`?key=value&…`, empty where there are none. Slashes are allowed there (RFC 3986, 3.4) and read better."""
    text = "&".join(f"{key}={quote(value, safe='/')}" for key, value in given(pairs))
    return f"?{text}" if text else ""


def url(scheme: str, at: Endpoint, *, host: str = "", pairs: Iterable[tuple[str, str | None]] = ()) -> str:
    """`scheme://user@host:port/database?…`; by default the host that is dialled."""
    user = f"{percent(at.user)}@" if at.user else ""
    database = f"/{percent(at.database)}" if at.database else ""
    return f"{scheme}://{user}{host or at.host}:{at.port}{database}{query(pairs)}"


def words(argv: Sequence[str], environment: Iterable[tuple[str, str | None]] = ()) -> str:
    """A command line for a POSIX shell, with assignments before it."""
    assignments = (f"{key}={shlex.quote(value)}" for key, value in given(environment))
    return " ".join((*assignments, shlex.join(argv)))


def options(pairs: Iterable[tuple[str, str | None]]) -> list[str]:
    """`-x value` for each that has a value."""
    return [word for pair in given(pairs) for word in pair]


def keywords(pairs: Iterable[tuple[str, str | None]]) -> str:
    """libpq's keyword/value string (PostgreSQL manual, 34.1.1.1): other than plain values stand within ', with a \\
    before ' and \\."""
    return " ".join(f"{key}={_keyword_value(value)}" for key, value in given(pairs))


def _keyword_value(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def semicolons(pairs: Iterable[tuple[str, str | None]]) -> str:
    """ADO.NET's `Key=Value;…` as .NET's DbConnectionStringBuilder writes it: values with other signs stand within ", or
    within ' where they have a " and no '; a " within " is doubled."""
    return ";".join(f"{key}={_semicolon_value(value)}" for key, value in given(pairs))


def _semicolon_value(value: str) -> str:
    if "\x00" in value:
        raise unwritable("a NUL", "ADO.NET")
    if _PLAIN.fullmatch(value):
        return value
    if '"' in value and "'" not in value:
        return f"'{value}'"
    doubled = value.replace('"', '""')
    return f'"{doubled}"'


def braces(value: str) -> str:
    """A property's value in a URL of Microsoft's JDBC driver ("Building the connection URL"), or in an ODBC string:
    other than plain ones within {}, with } doubled."""
    return value if _PLAIN.fullmatch(value) else "{" + value.replace("}", "}}") + "}"


def assignment(name: str, value: str) -> str:
    """A line of a `.env` file that shells, dotenv libraries and docker compose read alike. `value` is a URL: its signs
    are quoted already, but & means something to shells."""
    return f"{name}={value}" if _PLAIN.fullmatch(value) else f'{name}="{value}"'


def literal(value: Mapping[str, Any]) -> str:
    """A dictionary of texts as Python and JSON write it alike."""
    return json.dumps(value, ensure_ascii=False)


def unwritable(what: str, format_: str) -> UsageError:
    """For a value that a format has no way to say."""
    return UsageError(f"{format_} cannot hold {what} in a name", "take another format: --show url, or jdbc")
