"""Just-in-time node access at AWS: asking for a node, following the request, and sessions under the keys it earns.

Source: API reference of StartAccessRequest and GetAccessToken; "Start a just-in-time node access session" and the
questions about it in the Systems Manager user guide: requests are taken from sessions of roles, for nodes of the same
account and region.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ssm_tui.aws.decode import entry, text
from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.aws.login import Login
from ssm_tui.aws.starting import start_session, told
from ssm_tui.aws.translate import EXPIRED, not_aws
from ssm_tui.domain.credentials import Secret
from ssm_tui.domain.just_in_time import RequestProgress, RequestState, TemporaryKeys
from ssm_tui.errors import AwsError, CredentialsError, SessionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Caller, Context
    from ssm_tui.domain.sessions import SessionSpec, StartedSession


class GrantedLogin(Login):
    """Signs with granted keys; the profile says the rest, such as the endpoint."""

    def __init__(self, profile: str | None, keys: TemporaryKeys) -> None:
        super().__init__(profile)
        self._keys = keys

    def _open(self, region: str) -> Any:
        session, keys = super()._open(region), self._keys
        session.set_credentials(keys.access_key.reveal(), keys.secret.reveal(), keys.token.reveal())
        return session


class SignedByGrant:
    """StartSession and TerminateSession under the keys of a grant. Both block and raise AwsError."""

    def __init__(self, context: Context, keys: TemporaryKeys) -> None:
        self._gateway: Gateway = LiveGateway(context, GrantedLogin(context.profile, keys))

    def start_session(self, spec: SessionSpec) -> StartedSession:
        """StartSession, of which nothing is learned: it says nothing of the caller's own access. Raises SessionError
        where the keys' time is over."""
        try:
            return start_session(self._gateway, spec)
        except CredentialsError as error:
            if error.code not in EXPIRED:
                raise
            raise SessionError("the access that was granted is over", "ask for it anew") from None

    def terminate_session(self, session_id: str) -> None:
        """TerminateSession; one that has already ended is no error."""
        try:
            self._gateway.call("ssm", "terminate_session", SessionId=session_id)
        except AwsError as error:
            if error.code != "DoesNotExistException":
                raise


def start_request(gateway: Gateway, node_id: str, reason: str) -> str:
    """StartAccessRequest for one node, by its id; the request's id. Raises AwsError."""
    targets = [{"Key": "InstanceIds", "Values": [node_id]}]
    return told(gateway.call("ssm", "start_access_request", Reason=reason, Targets=targets), "AccessRequestId")


def read_progress(gateway: Gateway, request: str) -> RequestProgress:
    """GetAccessToken. Raises AwsError."""
    answer = gateway.call("ssm", "get_access_token", AccessRequestId=request)
    try:
        state = RequestState(told(answer, "AccessRequestStatus"))
    except ValueError:
        raise not_aws("ssm:GetAccessToken") from None
    credentials = entry(answer.get("Credentials"))
    return RequestProgress(state, _keys(credentials) if credentials and state is RequestState.APPROVED else None)


def _keys(credentials: Mapping[str, Any]) -> TemporaryKeys:
    parts = [text(credentials.get(name)) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    expires = credentials.get("ExpirationTime")
    if not all(parts) or not isinstance(expires, datetime):
        raise not_aws("ssm:GetAccessToken")
    access_key, secret, token = (Secret(part or "") for part in parts)
    return TemporaryKeys(access_key, secret, token, expires.astimezone(UTC))


def explained(error: AwsError, caller: Caller) -> AwsError:
    """AWS does not say in its own words that it takes requests of roles' sessions alone."""
    if error.code == "ValidationException" and caller.session is None:
        hint = "just-in-time access is for sessions of roles: choose a profile that signs in to one"
        return AwsError(error.message, hint, code=error.code)
    return error
