"""Database clients of the terminal: which there are for a protocol, the command that each is, and where it reads a
password. The commands are those that can be copied; a password is never one of their words. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ssm_tui.domain.connection import environment, render
from ssm_tui.domain.credentials import PasswordMeans
from ssm_tui.domain.databases import Family
from ssm_tui.domain.sessions import Command
from ssm_tui.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.domain.connection import Endpoint
    from ssm_tui.domain.credentials import Credentials
    from ssm_tui.domain.databases import Database

    Write = Callable[[Database, Endpoint], str]

WITHOUT: Final = ("PGSERVICE", "PGHOSTADDR")
"""Variables of the user's by which libpq would go elsewhere than it is told (PostgreSQL manual, 34.15)."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program by its name on PATH, and its command as it is typed in a shell.

    `variables` are where it reads a password, in one version or another; none where it only asks for one. With a
    password `asks`, the words that make it ask, are left out, `told` is what it is started with instead, if there is
    such a thing, and `beside` what its environment must say too.
    """

    program: str
    write: Write
    variables: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoundClient:
    """A client of this machine, and the path that it is started by."""

    client: Client
    path: str

    @property
    def name(self) -> str:
        """What people call it."""
        return self.client.program


def _copied(name: str) -> Write:
    """The command that can be copied under this name."""
    return lambda database, at: render(database, name, at)


def _by_keywords(*words: str) -> Write:
    """For who takes libpq's keywords as one word."""
    return lambda database, at: shlex.join([*words, render(database, "libpq", at)])


def _mycli(_database: Database, at: Endpoint) -> str:
    """It checks the chain where it is given authorities, and no name; its --ssl-mode has words of its own."""
    pairs = (("-h", at.host), ("-P", str(at.port)), ("-u", at.user), ("-D", at.database))
    words = [word for option, value in pairs if value for word in (option, value)]
    return shlex.join(["mycli", *words, *(["--ssl-ca", at.ca] if at.verifiable else [])])


# pgcli and mycli may put a password that they were given into the desktop's keyring, unless this is said.
_NO_KEYRING: Final = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
_PGCLI: Final = Client("pgcli", _by_keywords("pgcli"), ("PGPASSWORD",), beside=_NO_KEYRING)
_PSQL: Final = Client("psql", _copied("psql"), ("PGPASSWORD",))
# mongosh has no variable for it, but scripts see them all ("Write scripts", MongoDB Shell documentation).
_MONGO_VARIABLE: Final = "MONGODB_URI"
_MONGO: Final = ("--nodb", "--quiet", "--shell", "--eval", f"db = connect(process.env.{_MONGO_VARIABLE})")

CLIENTS: Final[Mapping[Family, tuple[Client, ...]]] = {
    Family.POSTGRES: (
        _PGCLI,
        _PSQL,
        Client("harlequin", _by_keywords("harlequin", "--adapter", "postgres"), ("PGPASSWORD",)),
    ),
    Family.REDSHIFT: (_PSQL, _PGCLI),
    Family.MYSQL: (
        Client("mycli", _mycli, ("MYSQL_PWD",), beside=_NO_KEYRING),
        Client("mysql", _copied("mysql"), ("MYSQL_PWD",), ("-p",)),
        Client("mariadb", _copied("mariadb"), ("MYSQL_PWD",), ("-p",)),
    ),
    Family.REDIS: (
        Client("redis-cli", _copied("redis-cli"), ("REDISCLI_AUTH",), ("--askpass",)),
        Client("valkey-cli", _copied("valkey-cli"), ("VALKEYCLI_AUTH", "REDISCLI_AUTH"), ("--askpass",)),
    ),
    Family.MONGO: (Client("mongosh", _copied("mongosh"), (_MONGO_VARIABLE,), told=_MONGO),),
    Family.SQLSERVER: (Client("sqlcmd", _copied("sqlcmd"), ("SQLCMDPASSWORD",)),),
    Family.ORACLE: (Client("sqlplus", _copied("sqlplus")),),
}
"""By protocol, the most comfortable first."""


def names(family: Family) -> tuple[str, ...]:
    """What the clients of a protocol are called."""
    return tuple(client.program for client in CLIENTS.get(family, ()))


def choose(
    family: Family, wanted: str, find: Callable[[str], str | None], resolve: Callable[[str], str]
) -> FoundClient:
    """The client that the user wants (a name or a path; empty for the best), if it is there.

    `find` gives a program's path, as `shutil.which` does, `resolve` the path behind links: Debian's `mysql` is
    MariaDB's client, which knows other options. Raises PrerequisiteError.
    """
    known = {client.program: client for client in CLIENTS.get(family, ())}
    for name in [wanted] if wanted else known:
        if path := find(name):
            meant, behind = PurePath(name).stem, PurePath(resolve(path)).stem
            return FoundClient(known.get(behind) or known[meant], path)
    if wanted:
        raise PrerequisiteError(f"{wanted} is not on PATH", f"install it, or change clients.{family} in the settings")
    if not known:
        raise PrerequisiteError(f"no client of the terminal is known for {family}", "y copies how to reach it")
    raise PrerequisiteError(
        f"no client for {family} is on PATH", f"install one of {', '.join(known)}; y copies connection strings"
    )


def client_command(
    found: FoundClient, database: Database, at: Endpoint, credentials: Credentials | None = None
) -> Command:
    """The client on its way through a tunnel, with a password in its environment where there is one. Raises UsageError
    where a name cannot be said to it."""
    client = found.client
    at = replace(at, user=credentials.user or at.user) if credentials else at
    written = shlex.split(client.write(database, at))
    # Some commands begin with assignments, as a shell would read them.
    start = next(place for place, word in enumerate(written) if word == client.program)
    assigned = dict(word.split("=", 1) for word in written[:start])
    words = written[start + 1 :]
    if credentials is None or not client.variables:
        return Command((found.path, *words), assigned, without=WITHOUT)
    words = list(client.told) or [word for word in words if word not in client.asks]
    told = with_password(database, environment(database, at), credentials)
    needed = {name: told[name] for name in (*client.variables, *_CLEARTEXT) if name in told}
    return Command((found.path, *words), {**assigned, **client.beside, **needed}, without=WITHOUT)


# By protocol: the variables that clients read a password from.
_VARIABLES: Final[Mapping[Family, tuple[str, ...]]] = {
    Family.POSTGRES: ("PGPASSWORD",),
    Family.REDSHIFT: ("PGPASSWORD",),
    Family.MYSQL: ("MYSQL_PWD", "MYSQL_PASSWORD"),
    Family.REDIS: ("REDISCLI_AUTH", "VALKEYCLI_AUTH"),
    Family.SQLSERVER: ("SQLCMDPASSWORD",),
}
_URLS: Final = ("DATABASE_URL", "REDIS_URL", _MONGO_VARIABLE)
# MySQL's client sends a token only where it is allowed to send a password as it is, within TLS (RDS User Guide,
# "Connecting to your DB instance using IAM authentication from the command line"). MariaDB's always may.
_CLEARTEXT: Final = {"LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN": "1"}


def with_password(database: Database, variables: Mapping[str, str], credentials: Credentials) -> dict[str, str]:
    """The variables of a program that is run beside a tunnel, with the password in all that hold one; URLs too, since
    many programs read nothing else."""
    password = credentials.password.reveal()
    told = dict.fromkeys(_VARIABLES.get(database.family, ("DATABASE_PASSWORD",)), password)
    told |= {name: _in_url(variables[name], password) for name in _URLS if name in variables}
    if database.family is Family.MYSQL and credentials.means is PasswordMeans.TOKEN:
        told |= _CLEARTEXT
    return {**variables, **told}


def _in_url(url: str, password: str) -> str:
    """The URL with a password for its user."""
    scheme, _, rest = url.partition("://")
    end = next((place for place, sign in enumerate(rest) if sign in "/?#"), len(rest))
    user, _, host = rest[:end].rpartition("@")
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}{rest[end:]}"
