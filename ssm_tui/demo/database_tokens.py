"""Whether a token lets somebody in at a database: a request that IAM would have to allow, signed and never sent.

The database sees the token as a password. It must be signed for the very endpoint, port and user, be 15 minutes old at
most, and its signer's policies must allow the connection. Sources: RDS User Guide, "IAM database authentication";
ElastiCache User Guide, "Authenticating with IAM"; Signature Version 4, "Query parameters".
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ssm_tui.demo.authorization import decide
from ssm_tui.demo.principals import find_credential, partition_of
from ssm_tui.demo.wire import presigned_signature

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ssm_tui.demo.servers import Far

_LIFE = timedelta(minutes=15)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Token:
    """A presigned request in its parts."""

    host: str
    """With its port where it was signed with one."""
    query: tuple[tuple[str, str], ...] = field(repr=False)
    access_key: str
    day: str
    region: str
    service: str

    def said(self, name: str) -> str:
        """A parameter of the query; empty where there is none."""
        return next((value for key, value in self.query if key.lower() == name.lower()), "")

    def signed_with(self, secret: str) -> bool:
        given = self.said("X-Amz-Signature")
        return hmac.compare_digest(presigned_signature(self.host, self.query, secret).encode(), given.encode())

    def timely(self, now: datetime) -> bool:
        """Whether it is neither too old nor from the future."""
        try:
            made = datetime.strptime(self.said("X-Amz-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            life = min(timedelta(seconds=int(self.said("X-Amz-Expires"))), _LIFE)
        except (ValueError, OverflowError):
            return False
        return made.strftime("%Y%m%d") == self.day and made - _SKEW <= now <= made + life


def read_token(text: str) -> Token | None:
    """The token in a password; None for any other password."""
    host, mark, rest = text.partition("/?")
    query = tuple(parse_qsl(rest, keep_blank_values=True))
    scope = dict(query).get("X-Amz-Credential", "").split("/")
    if not mark or len(scope) != 5 or scope[4] != "aws4_request":
        return None
    return Token(host, query, *scope[:4])


@dataclass(frozen=True, slots=True)
class DatabaseTokens:
    """The check of one cloud, against its live users and policies."""

    state: threading.Lock
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __call__(self, far: Far, user: str, token: str) -> bool:
        """Whether `token` lets `user` in at the endpoint; False for a password that is no token, too. Blocks."""
        read = read_token(token)
        if read is None or not far.terms.resource:
            return False
        of_cache = far.engine == "redis"
        partition = partition_of(far.region)
        place = f"{far.region}:{far.account}"
        fits = (
            read.host == (far.terms.resource if of_cache else f"{far.host}:{far.port}")
            and read.service == ("elasticache" if of_cache else "rds-db")
            and read.region == far.region
            and read.said("Action") == "connect"
            and read.said("User" if of_cache else "DBUser") == user
            and read.timely(self.now())
        )
        if of_cache:
            prefix = f"arn:{partition}:elasticache:{place}"
            resources = [f"{prefix}:replicationgroup:{far.terms.resource}", f"{prefix}:user:{user}"]
            return fits and self._signer_may(read, "elasticache:Connect", *resources)
        return fits and self._signer_may(
            read, "rds-db:connect", f"arn:{partition}:rds-db:{place}:dbuser:{far.terms.resource}/{user}"
        )

    def _signer_may(self, token: Token, action: str, *resources: str) -> bool:
        with self.state:
            credential = find_credential(token.access_key, partition_of(token.region))
            if credential is None or (credential.token or "") != token.said("X-Amz-Security-Token"):
                return False
            if credential.expires is not None and credential.expires <= self.now():
                return False
            allowed = (decide(credential.principal, action, each, token.region, {}).allowed for each in resources)
            return token.signed_with(credential.secret) and all(allowed)
