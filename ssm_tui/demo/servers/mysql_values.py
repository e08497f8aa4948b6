"""What a MySQL server without a table knows: constants, its variables, who is connected. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ssm_tui.demo.servers.mysql_packets import Refusal

_VARIABLES = {
    "autocommit": "1",
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4",
    "collation_connection": "utf8mb4_0900_ai_ci",
    "collation_server": "utf8mb4_0900_ai_ci",
    "init_connect": "",
    "interactive_timeout": "28800",
    "license": "GPL",
    "lower_case_table_names": "0",
    "max_allowed_packet": "67108864",
    "net_write_timeout": "60",
    "performance_schema": "0",
    "sql_mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION",
    "system_time_zone": "UTC",
    "time_zone": "SYSTEM",
    "transaction_isolation": "REPEATABLE-READ",
    "transaction_read_only": "0",
    "version_comment": "the demo cloud's: it keeps no tables",
    "wait_timeout": "28800",
}
# One column: a number, a text, a variable, a function without arguments; each may be named.
_COLUMN = re.compile(
    r"""\s*(?P<text>(?P<number>-?\d+(?:\.\d+)?)
    |'(?P<quoted>(?:[^'\\]|''|\\.)*)'
    |@@(?:session\.|global\.)?(?P<variable>\w+)
    |(?P<function>\w+)\s*\(\s*\)
    |(?P<null>null))\s*(?:as\s+)?`?(?P<name>\w+)?`?\s*(?:,|$)""",
    re.VERBOSE | re.IGNORECASE,
)
_SELECT = re.compile(r"(?is)\s*select\s+(.*?)(?:\s+from\s+dual)?(?:\s+limit\s+\d+)?\s*;?\s*")
_WITHOUT_ROWS = re.compile(r"(?i)\s*(set|begin|start|commit|rollback|use)\b")
_COMMENT = re.compile(r"(?s)/\*.*?\*/")
_NO_TABLES = "the demo cloud's MySQL keeps no tables: it knows constants, its variables and who you are"


@dataclass(frozen=True, slots=True)
class Seat:
    """One client's connection."""

    number: int
    user: str
    client: str
    database: str
    version: str
    cipher: str


def select(seat: Seat, statement: str) -> tuple[list[str], list[str | None]] | None:
    """Names and values of a statement's one row; None where it is done without one. Raises Refusal."""
    plain = _COMMENT.sub(" ", statement)
    if _WITHOUT_ROWS.match(plain):
        return None
    wanted = _SELECT.fullmatch(plain)
    names: list[str] = []
    values: list[str | None] = []
    rest = wanted[1] if wanted else ""
    while rest:
        column = _COLUMN.match(rest)
        if column is None:
            raise Refusal(1235, "42000", _NO_TABLES)
        names.append(column["name"] or column["text"])
        values.append(_value(seat, column))
        rest = rest[column.end() :]
    if not names:
        if re.match(r"(?is)\s*show\s+(session\s+)?status\s+like\s+'ssl_cipher'", plain):
            return ["Variable_name", "Value"], ["Ssl_cipher", seat.cipher]
        raise Refusal(1235, "42000", _NO_TABLES)
    return names, values


def _value(seat: Seat, column: re.Match[str]) -> str | None:
    if column["number"] is not None:
        return column["number"]
    if column["quoted"] is not None:
        return re.sub(r"\\(.)|''", lambda match: match[1] or "'", column["quoted"])
    if column["null"] is not None:
        return None
    if (variable := column["variable"]) is not None:
        known = {**_VARIABLES, "version": seat.version}
        if variable.lower() not in known:
            raise Refusal(1193, "HY000", f"Unknown system variable '{variable}'")
        return known[variable.lower()]
    whoever = f"{seat.user}@{seat.client}"
    functions = {
        "version": seat.version,
        "user": whoever,
        "current_user": f"{seat.user}@%",
        "session_user": whoever,
        "database": seat.database or None,
        "schema": seat.database or None,
        "connection_id": str(seat.number),
    }
    name = column["function"].lower()
    if name not in functions:
        raise Refusal(1305, "42000", f"FUNCTION {column['function']} does not exist")
    return functions[name]
