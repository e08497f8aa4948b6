"""DocumentDB's formats, which are MongoDB's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.quoting import assignment, percent, query, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint

Pairs = list[tuple[str, str | None]]


def _pairs(at: Endpoint) -> Pairs:
    """MongoDB's "Connection String Options". Not a direct connection, the driver would go to the members' own
    addresses, which no tunnel leads to; retryable writes DocumentDB has not ("Functional differences")."""
    pairs: Pairs = [("directConnection", "true"), ("retryWrites", "false")]
    if at.verifiable:
        pairs += [("tls", "true"), ("tlsCAFile", at.ca), ("tlsAllowInvalidHostnames", "true")]
    elif at.tls:
        pairs += [("tls", "true"), ("tlsInsecure", "true")]
    return pairs


def mongo_url(at: Endpoint) -> str:
    """The slash is wanted before the query even without a database."""
    user = f"{percent(at.user)}@" if at.user else ""
    return f"mongodb://{user}{at.address}/{percent(at.database or '')}{query(_pairs(at))}"


def _mongosh(at: Endpoint) -> str:
    """Asks for the password of a user that has none in the URL."""
    return words(["mongosh", mongo_url(at)])


def _jdbc(at: Endpoint) -> str:
    """Amazon's driver for DocumentDB ("Connection String Syntax and Options"); it wants a database."""
    tls: Pairs = [("tls", "true"), ("tlsAllowInvalidHostnames", "true"), ("tlsCAFile", at.ca)] if at.tls else []
    pairs = query([("user", at.user), *(tls or [("tls", "false")])])
    return f"jdbc:documentdb://{at.address}/{percent(at.database or 'test')}{pairs}"


_ONLY_DIALLED: Final = "it knows no name but the one dialled"

FORMATS: Final[Mapping[str, Format]] = {
    "url": Format(mongo_url, Check.CHAIN, _ONLY_DIALLED),
    "mongosh": Format(_mongosh, Check.CHAIN, _ONLY_DIALLED),
    "jdbc": Format(_jdbc, Check.CHAIN, "the driver knows no name but the one dialled"),
    "env": Format(lambda at: assignment("MONGODB_URI", mongo_url(at)), Check.CHAIN, _ONLY_DIALLED),
}
