"""Just-in-time access to nodes for the rest of the program. What calls AWS is loaded when somebody asks for a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from ssm_tui.aws.live import AwsClouds
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.just_in_time import RequestProgress, TemporaryKeys
    from ssm_tui.domain.services import GrantedSessions


class AwsGrants:
    """Implements `Grants` (ssm_tui.domain.services)."""

    def __init__(self, clouds: AwsClouds) -> None:
        self._clouds = clouds

    def ask(self, context: Context, node_id: str, reason: str) -> str:
        """StartAccessRequest; the request's id. Raises AwsError."""
        from ssm_tui.aws.access_requests import explained, start_request

        cloud = self._clouds.open(context)
        try:
            return start_request(cloud.gateway, node_id, reason)
        except AwsError as error:
            raise explained(error, cloud.identify()) from None

    def look(self, context: Context, request: str) -> RequestProgress:
        """GetAccessToken. Raises AwsError."""
        from ssm_tui.aws.access_requests import read_progress

        return read_progress(self._clouds.open(context).gateway, request)

    def opened(self, context: Context, keys: TemporaryKeys) -> GrantedSessions:
        """Sessions under these keys."""
        from ssm_tui.aws.access_requests import SignedByGrant

        return SignedByGrant(context, keys)
