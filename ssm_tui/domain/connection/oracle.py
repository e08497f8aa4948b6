"""Oracle's formats. RDS names a database by its SID; TLS stands on a port of its own, if it is set up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.quoting import percent, query, semicolons, unwritable, url, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint

_SID: Final = re.compile(r"[\w$#.]*", re.ASCII)


def descriptor(at: Endpoint) -> str:
    """Net Services' own form (RDS User Guide, "Connecting to your Oracle DB instance"): nothing in it can be escaped.
    ORCL is the name that RDS gives where none was chosen."""
    sid = at.database or "ORCL"
    if not _SID.fullmatch(sid):
        raise unwritable("other signs than letters, digits, $, # and .", "an Oracle descriptor")
    protocol = "TCPS" if at.tls else "TCP"
    security = "(SECURITY=(SSL_SERVER_DN_MATCH=FALSE))" if at.tls else ""
    address = f"(ADDRESS=(PROTOCOL={protocol})(HOST={at.host})(PORT={at.port}))"
    return f"(DESCRIPTION={address}(CONNECT_DATA=(SID={sid})){security})"


def _sqlplus(at: Endpoint) -> str:
    """Asks for the password. A name in quotes keeps its signs and its case."""
    user = at.user or ""
    if '"' in user:
        raise unwritable("a quote", "SQL*Plus")
    name = user if _SID.fullmatch(user) else f'"{user}"'
    return words(["sqlplus", f"{name}@{descriptor(at)}"])


def _sqlalchemy(at: Endpoint) -> str:
    """A database in the path is a SID to SQLAlchemy; TLS takes a whole descriptor for a host name."""
    if not at.tls:
        return url("oracle+oracledb", at)
    user = f"{percent(at.user)}@" if at.user else ""
    return f"oracle+oracledb://{user}{percent(descriptor(at))}"


def _go(at: Endpoint) -> str:
    pairs = [("SID", at.database or "ORCL"), *([("SSL", "true"), ("SSL VERIFY", "false")] if at.tls else [])]
    user = f"{percent(at.user)}@" if at.user else ""
    return f"oracle://{user}{at.address}/{query((percent(key), value) for key, value in pairs)}"


def _format(write: Format) -> Format:
    return Format(write.write, Check.NOTHING, "Oracle's clients want the bundle in a wallet of theirs")


FORMATS: Final[Mapping[str, Format]] = {
    name: _format(each)
    for name, each in {
        "sqlplus": Format(_sqlplus),
        "jdbc": Format(lambda at: f"jdbc:oracle:thin:@{descriptor(at)}"),
        "sqlalchemy": Format(_sqlalchemy),
        "go": Format(_go),
        "ado.net": Format(lambda at: semicolons([("User Id", at.user), ("Data Source", descriptor(at))])),
    }.items()
}
