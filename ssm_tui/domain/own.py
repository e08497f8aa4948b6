"""Databases of the user's own: a host and a port that the settings name, where no service of AWS's tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.databases import Database, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.domain.contexts import Context

PORTS: Final = {
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "valkey": 6379,
    "memcached": 11211,
    "mongodb": 27017,
    "sqlserver": 1433,
    "oracle": 1521,
    "redshift": 5439,
    "opensearch": 443,
    "neptune": 8182,
    "https": 443,
}
"""The engines that the settings may name, and the port of each where none is given."""
OTHER: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDatabase:
    """What the user wrote. `vpc` is where it stands, `relay` the node (its id or name) that reaches it.

    `profile` and `region` are None where those in force are meant. `secret` is the name or ARN of the secret that holds
    its password.
    """

    name: str
    host: str
    port: int
    engine: str = OTHER
    vpc: str | None = None
    relay: str | None = None
    user: str | None = None
    database: str | None = None
    profile: str | None = None
    region: str | None = None
    tls: bool | None = None
    secret: str | None = None

    def stands_in(self, context: Context, contexts: Sequence[Context]) -> bool:
        """Whether it is listed in the context: of those in force in the first that it may be of, so that it is listed
        once; and in one that is opened beside them."""
        if not self._may_be_of(context):
            return False
        return context not in contexts or context == next(filter(self._may_be_of, contexts))

    def _may_be_of(self, context: Context) -> bool:
        return self.profile in (None, context.profile) and self.region in (None, context.region)

    def seen_from(self, context: Context, account: str | None) -> Database:
        """The database as the lists have it."""
        return Database(
            id=self.name,
            context=context,
            account=account,
            kind=Kind.OWN,
            engine=self.engine,
            endpoint=self.host,
            port=self.port,
            vpc=self.vpc,
            database=self.database,
            user=self.user,
            tls=self.tls,
            secret_arn=self.secret,
            relay=self.relay,
        )
