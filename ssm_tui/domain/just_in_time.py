"""Just-in-time node access: a request for one node, what becomes of it, and the keys that it earns. Pure.

Source: "Just-in-time node access using Systems Manager" in the Systems Manager user guide; API reference of
StartAccessRequest and GetAccessToken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ssm_tui.domain.credentials import Secret

LONGEST_REASON: Final = 256
"""Characters of a reason (StartAccessRequest)."""
SHELLS_ALONE: Final = "just-in-time access is for shells: AWS's policy for it has no port forwards"
"""Source: AWSSystemsManagerJustInTimeAccessTokenSessionPolicy, by which AWS narrows the keys."""
FIRST_LOOK, LONGEST_WAIT = 2.0, 15.0
"""Seconds between two looks at a request, at first and at last."""

_ID: Final = r"oi-[0-9a-f]{12}"


class RequestState(StrEnum):
    """AWS's own words."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    REVOKED = "Revoked"
    EXPIRED = "Expired"

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS: Final = {
    RequestState.PENDING: "waits for an approval",
    RequestState.APPROVED: "was approved",
    RequestState.REJECTED: "was rejected",
    RequestState.REVOKED: "was revoked",
    RequestState.EXPIRED: "has expired",
}


@dataclass(frozen=True, slots=True)
class TemporaryKeys:
    """An access key with its session token, good for shells on one node until `expires`. Not shown."""

    access_key: Secret
    secret: Secret
    token: Secret
    expires: datetime

    def hold(self, now: datetime) -> bool:
        """Whether they are good for a session that begins now."""
        return now < self.expires

    def environment(self, profile: str | None) -> Mapping[str, str]:
        """What a child's environment must have so that it signs with these keys; the profile still says the rest.

        botocore looks for a token by two names, and takes keys of a past expiry for unusable.
        """
        token = self.token.reveal()
        named = {"AWS_PROFILE": profile} if profile else {}
        return named | {
            "AWS_ACCESS_KEY_ID": self.access_key.reveal(),
            "AWS_SECRET_ACCESS_KEY": self.secret.reveal(),
            "AWS_SESSION_TOKEN": token,
            "AWS_SECURITY_TOKEN": token,
            "AWS_CREDENTIAL_EXPIRATION": "",
        }


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """What has become of a request; `keys` once it was approved."""

    state: RequestState
    keys: TemporaryKeys | None = None


def is_request(text: str) -> bool:
    """Whether this is the id of a request."""
    return re.fullmatch(_ID, text) is not None


def next_wait(wait: float) -> float:
    """Seconds until the look after the next one: approvers are people, and looks are calls."""
    return min(wait * 1.5, LONGEST_WAIT)
