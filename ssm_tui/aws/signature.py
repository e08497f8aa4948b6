"""How a profile's requests are signed, as far as that tells what policies see of a session: MFA, tags of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# botocore's names of where sessions come from that have no tags of their own: botocore's AssumeRole passes none, and an
# instance's role has none.
_UNTAGGED = frozenset({"assume-role", "iam-role"})


@dataclass(frozen=True, slots=True)
class Signature:
    """None is what cannot be known. `temporary` is a session rather than an access key of long standing, `mfa` whether
    it was opened with an MFA code, `tagged` whether it may have tags beside its role's."""

    temporary: bool | None = None
    mfa: bool | None = None
    tagged: bool | None = None


NO_SIGNATURE = Signature()


def signature_of(session: Any) -> Signature:
    """That of a botocore session whose credentials have been used already. Raises what botocore raises."""
    credentials = session.get_credentials()
    if credentials is None:
        return NO_SIGNATURE
    if not credentials.get_frozen_credentials().token:
        return Signature(temporary=False, mfa=False, tagged=False)
    with_code = None
    if credentials.method == "assume-role":
        # Of a role that is assumed by way of another, the last step tells.
        with_code = bool(session.get_scoped_config().get("mfa_serial"))
    return Signature(temporary=True, mfa=with_code, tagged=False if credentials.method in _UNTAGGED else None)
