"""A database as a client on this machine sees it: where it dials, whose name the certificate bears, who vouches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.trust import NO_TRUST
from ssm_tui.domain.databases import Family, Kind

if TYPE_CHECKING:
    from ssm_tui.domain.connection.trust import Trust
    from ssm_tui.domain.databases import Database


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client dials and what it says there.

    `server` is the name in the certificate, which is not the one dialled, and `far` its own port; `tls` whether it
    speaks that, None where it is not known; `ca` a file of trusted certificates, empty where there is none. `name` is
    what the connection is to be called where it is kept. `iam`: a token of IAM's is taken for a password.
    """

    host: str
    port: int
    user: str | None = None
    database: str | None = None
    server: str = ""
    far: int = 0
    tls: bool | None = None
    ca: str = ""
    name: str = ""
    iam: bool = False

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def verifiable(self) -> bool:
        """Whether a client can be told what to check."""
        return bool(self.tls and self.ca)


# These always speak TLS where AWS runs them, whether it is required or not ("Using SSL/TLS", per engine, in the guides
# of RDS, Redshift, OpenSearch and Neptune). Others do if they are set up so.
_ALWAYS: Final = frozenset({Family.POSTGRES, Family.MYSQL, Family.SQLSERVER, Family.REDSHIFT, Family.HTTPS})
# These do unless somebody has turned it off, which may not be known ("Encrypting data in transit", DocumentDB's guide).
_BY_DEFAULT: Final = frozenset({Kind.DOCDB})


def endpoint(database: Database, host: str, port: int, trust: Trust = NO_TRUST, name: str = "") -> Endpoint:
    """The database as a client on this machine sees it through a tunnel, which may have a name of its own."""
    usual = True if database.kind in _BY_DEFAULT else None
    always = database.family in _ALWAYS and database.kind is not Kind.OWN
    return Endpoint(
        host,
        port,
        database.user,
        database.database,
        server=database.endpoint,
        far=database.port,
        tls=True if always else usual if database.tls is None else database.tls,
        ca=trust.bundle(database),
        name=name or database.id,
        iam=bool(database.iam_auth),
    )
