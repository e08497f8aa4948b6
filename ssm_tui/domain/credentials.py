"""Passwords of databases: which there are to be had, and the value itself, which nothing shows. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ssm_tui.domain.databases import Family, Kind
from ssm_tui.domain.secrets import HIDDEN
from ssm_tui.errors import TargetError

if TYPE_CHECKING:
    from ssm_tui.domain.databases import Database

TOKEN_SECONDS: Final = 900
"""How long IAM's tokens are good for (RDS User Guide, "IAM database authentication"; ElastiCache's and MemoryDB's user
guides, "Authenticating with IAM"); Redshift's passwords too, unless more is asked for (GetClusterCredentials)."""
USER_TAG: Final = "ssm-tui:user"
"""The tag of a database that names who logs in."""


class Secret:
    """A text that nobody may see: no repr, no log and no file has it. Only `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the clipboard or a child's environment."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class PasswordMeans(StrEnum):
    """How a password is come by."""

    TOKEN = "token"  # noqa: S105 - the word for it
    """Made for one login by IAM, or by the service for the caller that IAM knows."""
    SECRET = "secret"  # noqa: S105
    """Kept in Secrets Manager."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password. `seconds` is how long it is good for, 0 where it does not end by itself; `doubt` what
    speaks against its being accepted, or why that is not known. An empty `user` is the database's default one."""

    user: str
    password: Secret
    means: PasswordMeans
    seconds: int = 0
    doubt: str = ""


# Who speaks AWS's own token as a password. Neptune and OpenSearch sign each request, DocumentDB has a mechanism of its
# driver's: there is no password to be copied.
_TOKENS: Final = {
    Kind.RDS: "rds-db",
    Kind.MULTI_AZ: "rds-db",
    Kind.AURORA: "rds-db",
    Kind.PROXY: "rds-db",
    Kind.ELASTICACHE: "elasticache",
    Kind.MEMORYDB: "memorydb",
    Kind.REDSHIFT: "redshift",
    Kind.REDSHIFT_SERVERLESS: "redshift-serverless",
}
_OF_RDS: Final = (Family.POSTGRES, Family.MYSQL)


def means_of(database: Database) -> tuple[PasswordMeans, ...]:
    """The ways to a password of this database, the one that ends by itself first."""
    token = (PasswordMeans.TOKEN,) if token_service(database) else ()
    return (*token, *((PasswordMeans.SECRET,) if database.secret_arn else ()))


def token_service(database: Database) -> str:
    """The service that tokens for the database are signed for or asked of; empty where it takes none.

    RDS says whether an engine takes them. Caches decide it user by user, and only within TLS from version 7 on; where
    that is not known a token is offered. Redshift gives passwords to whom IAM lets have them.
    """
    service = _TOKENS.get(database.kind, "")
    match service:
        case "rds-db":
            return service if database.iam_auth and database.family in _OF_RDS else ""
        case "elasticache" | "memorydb":
            takes = database.family is Family.REDIS and database.iam_auth is not False and database.tls
            return service if takes and _new_enough(database.version) else ""
    return service


def _new_enough(version: str | None) -> bool:
    first = (version or "").partition(".")[0]
    return not first.isdecimal() or int(first) >= 7


def cache_name(database: Database) -> str:
    """The cache or cluster that an endpoint belongs to, by the name that its service knows it by."""
    return database.parent or database.id.partition("/")[0]


def is_serverless(database: Database) -> bool:
    """Whether an endpoint is of a serverless cache: those stand under `serverless` in ElastiCache's zone."""
    return database.kind is Kind.ELASTICACHE and ".serverless." in database.endpoint


def usual_user(database: Database) -> str:
    """Who logs in where the caller does not say: by the tag, else the master user; empty where neither is known."""
    return database.tags.get(USER_TAG, "") or database.user or ""


def refuse(database: Database, means: PasswordMeans) -> None:
    """Raises TargetError where the database has no password of this kind."""
    offered = means_of(database)
    if means in offered:
        return
    if means is PasswordMeans.SECRET:
        message = f"no secret is known that holds a password of {database.id}"
        hint = "RDS manages it, or the tag ssm-tui:secret names it"
    else:
        message, hint = (
            f"{database.id} takes no token as a password",
            "IAM authentication is off, or its engine has none",
        )
    other = f"; it has a {offered[0]}" if offered else ""
    raise TargetError(message, f"{hint}{other}")


_USERS: Final = ("username", "user", "db_user")
_PASSWORDS: Final = ("password", "auth_token", "authtoken", "token", "passwd")


def read_secret(text: str, user: str) -> Credentials:
    """The login in a secret's text: JSON as RDS writes it (Secrets Manager User Guide, "JSON structure of Secrets
    Manager secrets") or the password alone; a `user` that is given comes before the secret's own.

    Raises TargetError where there is no password in it; what is in it stays out of the words.
    """
    found, password = "", text.removesuffix("\n").removesuffix("\r")
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        fields = {str(key).casefold(): each for key, each in value.items()}
        found, password = _first(fields, _USERS), _first(fields, _PASSWORDS)
    elif isinstance(value, list):
        password = ""
    elif isinstance(value, str):
        password = value
    if not password or "\0" in password:
        raise TargetError(
            "the secret holds no password", 'it should be JSON with "username" and "password", or the password alone'
        )
    return Credentials(user or found, Secret(password), PasswordMeans.SECRET)


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    texts = (fields.get(name) for name in names)
    return next((each for each in texts if isinstance(each, str) and each), "")
