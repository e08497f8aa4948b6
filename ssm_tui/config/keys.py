"""The keys of the settings files: what each may hold, and what is said of a value that it may not. Opens no file."""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from ssm_tui.domain.accounts import ALL
from ssm_tui.domain.filters import check_saved
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.own import OTHER, PORTS, OwnDatabase
from ssm_tui.domain.production import parse_mark
from ssm_tui.domain.saved import SavedTunnel
from ssm_tui.errors import ConfigError, FilterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WIDEST = 8
"""How many sessions a tunnel may have at most, whatever the user wishes: AWS limits how many may be started."""


@dataclass(frozen=True, slots=True)
class _Key:
    """How one key is read: its type, what else must hold of the value, and what is allowed in words."""

    type: Any
    allowed: str
    holds: Callable[[Any], bool] = lambda _value: True


def _names(values: tuple[str, ...]) -> bool:
    return all(value and value == value.strip() and value.isprintable() for value in values)


def _region(value: str) -> bool:
    # us-east-1, ap-northeast-2, us-gov-west-1: AWS adds some every year, so only the form is checked.
    parts = value.split("-")
    return len(parts) >= 3 and all(part.isalnum() and part.islower() for part in parts[:-1]) and parts[-1].isdigit()


def _name(value: str) -> bool:
    # What begins with a dash could not be given on the command line.
    return _names((value,)) and not value.startswith("-")


def _spaced(value: str) -> bool:
    return any(char.isspace() for char in value)


def _port(value: int) -> bool:
    return 1 <= value <= 65535


def _address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _file(value: str) -> bool:
    return Path(value).expanduser().is_file()


def _document(value: str) -> bool:
    return re.fullmatch(r"[\w.:/-]{3,128}", value, re.ASCII) is not None


_PORT = _Key(int, "a port number from 1 to 65535", _port)
_WIDTH = _Key(int, f"a number of sessions from 1 to {WIDEST}", lambda value: 1 <= value <= WIDEST)
_ANY_TABLE = dict[str, Any]

_KEYS: Mapping[str, _Key] = {
    "profiles": _Key(tuple[str, ...], 'a list of profile names, such as ["dev", "prod"]', _names),
    "regions": _Key(
        tuple[str, ...],
        'a list of regions, such as ["ap-northeast-2"], or ["all"]',
        lambda values: all(value == ALL or _region(value) for value in values),
    ),
    "columns": _Key(tuple[str, ...], 'a list of tag or field names, such as ["env", "team"]', _names),
    "theme": _Key(str, "a theme's name, such as ssm-light", lambda value: _names((value,))),
    "launcher": _Key(str, "one of auto, aws, direct", ("auto", "aws", "direct").__contains__),
    "plugin": _Key(str, "one of auto, aws, ours", ("auto", "aws", "ours").__contains__),
    # What StartSession takes (API reference, DocumentName): a name, or the ARN of one that another account shares.
    "shell_document": _Key(str, "the name or ARN of a session document", _document),
    "sessions_per_tunnel": _WIDTH,
    "relays": _Key(tuple[str, ...], 'a list of names or ids of nodes, with * for any, such as ["bastion-*"]', _names),
    "wait_seconds": _Key(float, "a number of seconds from 0 to 600", lambda value: 0 <= value <= 600),
    "refresh_seconds": _Key(
        float, "a number of seconds from 10 up, or 0 for never", lambda value: value == 0 or 10 <= value <= 86400
    ),
    "production": _Key(str, 'a filter of nodes and databases alike, such as "env=prod"', lambda v: bool(v.strip())),
    "clipboard_seconds": _Key(
        float, "a number of seconds from 5 to 3600, or 0 for never", lambda value: value == 0 or 5 <= value <= 3600
    ),
    "clients": _Key(dict[str, str], 'a table of programs by protocol, such as { postgres = "pgcli" }'),
    "client_linger_seconds": _Key(float, "a number of seconds from 0 to 86400", lambda value: 0 <= value <= 86400),
    "ca_bundle": _Key(str, "the path of a file of CA certificates (PEM) that is there", _file),
    "databases": _Key(_ANY_TABLE, 'tables, such as [databases.legacy] with host = "db.internal", engine = "postgres"'),
    "tunnels": _Key(_ANY_TABLE, 'tables, such as [tunnels.orders] with database = "orders"'),
    "groups": _Key(_ANY_TABLE, 'a table of lists of saved tunnels, such as pay = ["orders", "cache"]'),
    "filters": _Key(_ANY_TABLE, 'a table of filters, such as prod = "env=prod ping:online"'),
}

_ENGINES = (*PORTS, OTHER)
_DATABASE_KEYS: Mapping[str, _Key] = {
    "host": _Key(str, "a host name or address as the relay sees it", lambda value: _name(value) and not _spaced(value)),
    "port": _PORT,
    "engine": _Key(str, f"one of {', '.join(_ENGINES)}", _ENGINES.__contains__),
    "vpc": _Key(str, "the id of the VPC that it stands in, such as vpc-0e1f2a3b", _name),
    "relay": _Key(str, "a node's id or name", _name),
    "user": _Key(str, "a user's name", _name),
    "database": _Key(str, "a database's name", _name),
    "profile": _Key(str, "a profile's name", _name),
    "region": _Key(str, "a region, such as ap-northeast-2", _region),
    "tls": _Key(bool, "true where it takes nothing but TLS, else false"),
    "secret": _Key(str, "the name or ARN of the secret that holds its password", _name),
}
_TUNNEL_KEYS: Mapping[str, _Key] = {
    "database": _Key(str, "a database's id or endpoint", _name),
    "target": _Key(str, "a node's id or name", _name),
    "port": _PORT,
    "host": _Key(str, "a host name or address as the target sees it", _name),
    "profile": _Key(str, "a profile's name", _name),
    "region": _Key(str, "a region, such as ap-northeast-2", _region),
    "relay": _Key(str, "a node's id or name", _name),
    "local_port": _PORT,
    "on_demand": _Key(bool, "true or false"),
    "width": _WIDTH,
    "probe_every": _Key(
        float, "a number of seconds from 5 up, or 0 for none", lambda value: value == 0 or 5 <= value <= 86400
    ),
    "bind": _Key(str, "an address of this machine, such as 192.168.1.20 or 0.0.0.0", _address),
}
_GROUP = _Key(
    tuple[str, ...],
    'a list of saved tunnels, such as ["orders", "cache"]',
    lambda values: bool(values) and _names(values),
)
_FILTER = _Key(str, 'a filter, such as "env=prod ping:online"', lambda value: bool(value.strip()))


def setting(key: str, value: Any, *, where: str, shown: str = "") -> Any:
    """A setting's value, checked: what has names of the user's becomes a dictionary. `shown` is the key as the
    user wrote it, where that is another. Raises ConfigError."""
    checked = _checked(shown or key, key, value, where=where)
    if key == "databases":
        return {name: _database(name, table, where=where) for name, table in checked.items()}
    if key == "tunnels":
        return {name: _tunnel(name, table, where=where) for name, table in checked.items()}
    if key == "groups":
        for name in checked:
            _check_name("groups", name, where=where)
        return {name: _converted(f"groups.{name}", members, _GROUP, where=where) for name, members in checked.items()}
    if key == "filters":
        return {name: _filter(name, text, where=where) for name, text in checked.items()}
    if key == "production":
        _check_mark(checked, where=where)
    if key == "clients":
        _check_clients(checked, where=where)
    return checked


def _filter(name: str, text: Any, *, where: str) -> str:
    _check_name("filters", name, where=where)
    checked: str = _converted(f"filters.{name}", text, _FILTER, where=where)
    try:
        check_saved(checked, NODE_FIELDS)
    except FilterError as error:
        message = f"{where}: filters.{name} = {checked!r} is not allowed: {error.message} (column {error.column + 1})"
        raise ConfigError(message, error.hint) from None
    return checked


def _check_mark(text: str, *, where: str) -> None:
    try:
        parse_mark(text)
    except FilterError as error:
        message = f"{where}: production = {text!r} is not allowed: {error.message} (column {error.column + 1})"
        raise ConfigError(message, error.hint) from None


def _check_clients(chosen: Mapping[str, str], *, where: str) -> None:
    from ssm_tui.domain.clients import CLIENTS, names

    for family, program in chosen.items():
        shown = f"{where}: clients.{family} = {program!r} is not allowed"
        known = next((names(each) for each in CLIENTS if each == family), None)
        if known is None:
            raise ConfigError(shown, f"protocols are {', '.join(CLIENTS)}")
        if PurePath(program).stem not in known:
            raise ConfigError(shown, f"clients.{family} is one of {', '.join(known)}, or the path of one")


def _tunnel(name: str, table: Any, *, where: str) -> SavedTunnel:
    shown = f"tunnels.{name}"
    _check_name("tunnels", name, where=where)
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: {shown} = {table!r} is not allowed", f'{shown} is a table: database = "…" or so')
    values = {
        key: _checked(f"{shown}.{key}", key, value, where=where, known=_TUNNEL_KEYS) for key, value in table.items()
    }
    wrong = _misfit(values)
    if wrong:
        raise ConfigError(
            f"{where}: [{shown}] {wrong}",
            "a tunnel has database (and relay, if you choose it), or target and port (and host, if that is another)",
        )
    return SavedTunnel(name=name, **values)


def _database(name: str, table: Any, *, where: str) -> OwnDatabase:
    shown = f"databases.{name}"
    _check_name("databases", name, where=where)
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: {shown} = {table!r} is not allowed", f'{shown} is a table: host = "…" and so on')
    values = {
        key: _checked(f"{shown}.{key}", key, value, where=where, known=_DATABASE_KEYS) for key, value in table.items()
    }
    if "host" not in values:
        raise ConfigError(f"{where}: [{shown}] has no host", "a database has host, and engine or port")
    port = values.pop("port", None) or PORTS.get(values.get("engine", OTHER))
    if port is None:
        raise ConfigError(f"{where}: [{shown}] has no port", "give its port, or an engine that has one of its own")
    return OwnDatabase(name=name, port=port, **values)


def _misfit(values: Mapping[str, Any]) -> str:
    """What does not go together in a tunnel's table, in words; empty where all does."""
    if "database" in values:
        extra = next((key for key in ("target", "port", "host") if key in values), None)
        return f"has both database and {extra}" if extra else ""
    if "relay" in values:
        return "has relay without database"
    missing = [key for key in ("target", "port") if key not in values]
    if len(missing) == 2:
        return "has neither database nor target and port"
    return f"has no {missing[0]}" if missing else ""


def _check_name(table: str, name: str, *, where: str) -> None:
    if not _name(name):
        raise ConfigError(
            f"{where}: {name!r} is not allowed as a name in {table}",
            "a name is printable, without spaces at its ends, and does not begin with a dash",
        )


def _checked(shown: str, key: str, value: Any, *, where: str, known: Mapping[str, _Key] = _KEYS) -> Any:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{where}: {shown!r} is not a setting", f"{meant}settings are {', '.join(known)}")
    return _converted(shown, value, known[key], where=where)


def _converted(shown: str, value: Any, key: _Key, *, where: str) -> Any:
    try:
        converted = msgspec.convert(value, key.type)
    except msgspec.ValidationError:
        converted = None
    if converted is None or not key.holds(converted):
        raise ConfigError(f"{where}: {shown} = {value!r} is not allowed", f"{shown} is {key.allowed}")
    return converted
