"""Connections in the forms that DBeaver and DataGrip import. Neither holds a password: both ask for it.

DBeaver takes one on its command line (`-con`, its wiki's "Command Line"), DataGrip from the clipboard: what it copies
there of a data source it also takes back ("Import from Clipboard").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection import oracle
from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.postgres import by_chain
from ssm_tui.domain.connection.quoting import braces, given, percent, unwritable, words
from ssm_tui.domain.databases import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint

Pairs = list[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One engine: its driver in DBeaver (by provider and id, or by name) and in DataGrip, the driver's class, its URL,
    and its properties for TLS, with what they have checked."""

    dbeaver: str
    datagrip: str
    driver: str
    url: Callable[[Endpoint], str]
    properties: Callable[[Endpoint], Pairs] = lambda _at: []
    check: Check = Check.NOTHING
    why: str = ""


def _url(scheme: str) -> Callable[[Endpoint], str]:
    return lambda at: f"jdbc:{scheme}://{at.address}/{percent(at.database or '')}"


def _sqlserver_url(at: Endpoint) -> str:
    return f"jdbc:sqlserver://{at.address}" + (f";databaseName={braces(at.database)}" if at.database else "")


def _sqlserver(at: Endpoint) -> Pairs:
    if not at.tls:
        return []
    return [("encrypt", "true"), ("hostNameInCertificate", at.server) if at.ca else ("trustServerCertificate", "true")]


def _mysql(at: Endpoint) -> Pairs:
    return [("sslMode", "REQUIRED")] if at.tls else []


_ONLY_DIALLED: Final = "the driver knows no name but the one dialled"
_KINDS: Final[Mapping[Family, _Kind]] = {
    Family.POSTGRES: _Kind(
        "postgresql:postgres-jdbc",
        "postgresql",
        "org.postgresql.Driver",
        _url("postgresql"),
        by_chain,
        Check.CHAIN,
        _ONLY_DIALLED,
    ),
    Family.REDSHIFT: _Kind(
        "Redshift",
        "redshift",
        "com.amazon.redshift.jdbc42.Driver",
        _url("redshift"),
        by_chain,
        Check.CHAIN,
        _ONLY_DIALLED,
    ),
    Family.MYSQL: _Kind(
        "mysql:mysql8",
        "mysql.8",
        "com.mysql.cj.jdbc.Driver",
        _url("mysql"),
        _mysql,
        why="the driver wants the bundle in a Java keystore",
    ),
    Family.SQLSERVER: _Kind(
        "sqlserver:microsoft",
        "sqlserver.ms",
        "com.microsoft.sqlserver.jdbc.SQLServerDriver",
        _sqlserver_url,
        _sqlserver,
        Check.NAME,
        "the bundle must be in Java's trust store",
    ),
    Family.ORACLE: _Kind(
        "oracle:oracle_thin",
        "oracle",
        "oracle.jdbc.OracleDriver",
        lambda at: f"jdbc:oracle:thin:@{oracle.descriptor(at)}",
        why="the driver wants the bundle in a wallet",
    ),
}


def _name(at: Endpoint) -> str:
    return f"{at.name or at.address} (ssm-tui)"


def dbeaver(family: Family) -> Format:
    """A command that adds the connection, to the DBeaver that runs or to a new one."""
    kind = _KINDS[family]

    def write(at: Endpoint) -> str:
        pairs: Pairs = [("driver", kind.dbeaver), ("name", _name(at))]
        if family is Family.ORACLE:
            pairs += [("url", kind.url(at))]
        else:
            pairs += [("host", at.host), ("port", str(at.port)), ("database", at.database)]
        pairs += [("user", at.user), *((f"prop.{key}", value) for key, value in kind.properties(at))]
        pairs += [("savePassword", "false"), ("save", "true"), ("connect", "false")]
        values = given(pairs)
        if any("|" in value for _, value in values):
            raise unwritable("a |", "DBeaver's command line")
        return words(["dbeaver", "-con", "|".join(f"{key}={value}" for key, value in values)])

    return Format(write, kind.check, kind.why)


# What XML 1.0 has no way to write.
_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def datagrip(family: Family) -> Format:
    """A data source for DataGrip's "Import from Clipboard"."""
    kind = _KINDS[family]

    def write(at: Endpoint) -> str:
        name = _name(at)
        from uuid import NAMESPACE_URL, uuid5  # 3 ms, and wanted here alone

        uuid = uuid5(NAMESPACE_URL, f"ssm-tui:{at.server or at.name}:{at.far}")
        properties = "".join(
            f"<property name={_quoted(key)} value={_quoted(value)}/>" for key, value in given(kind.properties(at))
        )
        parts: Pairs = [
            ("driver-ref", kind.datagrip),
            ("synchronize", "true"),
            ("jdbc-driver", kind.driver),
            ("jdbc-url", kind.url(at)),
            ("user-name", at.user),
        ]
        lines = [f"  <{key}>{value.translate(_ESCAPED)}</{key}>" for key, value in given(parts)]
        if properties:
            lines.append(f"  <driver-properties>{properties}</driver-properties>")
        text = "\n".join(
            (
                "#DataSourceSettings#",
                f"#LocalDataSource: {' '.join(name.split())}",
                "#BEGIN#",
                f'<data-source source="LOCAL" name={_quoted(name)} uuid="{uuid}">',
                *lines,
                "</data-source>",
                "#END#",
            )
        )
        if _NOT_XML.search(text):
            raise unwritable("control characters", "DataGrip's clipboard text")
        return text

    return Format(write, kind.check, kind.why)


# Line ends and tabs too, of which a reader of XML would make others. Python's own escapes load half of urllib.
_ESCAPED: Final = {ord(sign): f"&#{ord(sign)};" for sign in '&<>"\r\n\t'}


def _quoted(value: str) -> str:
    return f'"{value.translate(_ESCAPED)}"'
