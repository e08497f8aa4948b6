"""Whose certificates a database shows, and the file by which a client knows them. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.databases import Kind

if TYPE_CHECKING:
    from ssm_tui.domain.databases import Database


class Authority(StrEnum):
    """Who has signed the certificate."""

    RDS = "rds"
    """Amazon RDS's own authorities, which no system knows: the global bundle holds them (RDS User Guide, "Using
    SSL/TLS to encrypt a connection to a DB instance or cluster"; DocumentDB's guide names the same bundle)."""
    PUBLIC = "public"
    """Amazon Trust Services by way of ACM, which systems know: RDS Proxy ("Using TLS/SSL with RDS Proxy"), ElastiCache,
    MemoryDB, Redshift, Neptune, OpenSearch."""
    OTHER = "other"
    """Nobody knows whose: hosts of the user's own."""


_RDS: Final = frozenset({Kind.RDS, Kind.MULTI_AZ, Kind.AURORA, Kind.DOCDB})


def authority(database: Database) -> Authority:
    """By the service that runs it."""
    if database.kind is Kind.OWN:
        return Authority.OTHER
    return Authority.RDS if database.kind in _RDS else Authority.PUBLIC


@dataclass(frozen=True, slots=True)
class Trust:
    """Files of trusted certificates on this machine, as PEM: the user's own choice, which holds for everything, RDS's
    global bundle, and the system's. Empty where there is none."""

    own: str = ""
    rds: str = ""
    system: str = ""

    def bundle(self, database: Database) -> str:
        """The file for this database; empty where none is known."""
        match authority(database):
            case Authority.RDS:
                return self.own or self.rds
            case Authority.PUBLIC:
                return self.own or self.system
            case Authority.OTHER:
                return self.own


NO_TRUST: Final = Trust()
