"""Just-in-time node access: requests for nodes, the approvers' word on them, and the keys that an approval earns.

The approver's side of AWS is an automation that people signal; here it is an order of whoever may
`demo:DecideAccessRequest`. An approval earns a session of the role that AWS sets up for it, narrowed to one node's
shells by AWS's own session policy. Sources: API reference of StartAccessRequest and GetAccessToken; the managed
policies AWSSystemsManagerJustInTimeAccessTokenPolicy and …TokenSessionPolicy; "Setting up just-in-time access with
Systems Manager" in the user guide: requests come from sessions of roles, for nodes of their account and region, and
access by hand lasts as long as the policy says (an hour here, unless the approver says otherwise).
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.sts.models import sts_backends

from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.authorization import check, node_arn
from ssm_tui.demo.callers import TOKEN_ROLE
from ssm_tui.demo.principals import partition_of
from ssm_tui.demo.role_sessions import narrowed
from ssm_tui.demo.ssm_sessions import tag_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.registry import Registry
    from ssm_tui.demo.wire import WireRequest

START_REQUEST = "ssm:StartAccessRequest"
GET_TOKEN = "ssm:GetAccessToken"  # noqa: S105 -- an action's name
LIST_REQUESTS = "demo:ListAccessRequests"
DECIDE_REQUEST = "demo:DecideAccessRequest"
SWITCH_ACCESS = "demo:SwitchNodeAccess"
TOKEN_POLICY = "AWSSystemsManagerJustInTimeAccessTokenPolicy"  # noqa: S105
_SESSION_POLICY = "AWSSystemsManagerJustInTimeAccessTokenSessionPolicy"
_DECISIONS = ("Approved", "Rejected", "Revoked", "Expired")
_HOUR = 3600
# AWS's sentence (a user's report of it); its code is in no public source we know.
_NOT_ENABLED = "Just-In-Time Node Access service is not enabled in this account."
# In the manner of the above: AWS's own words for it are in no public source we know.
_ROLES_ALONE = "Just-In-Time Node Access supports only credentials of AssumeRole."


@dataclass(slots=True)
class AccessRequest:
    """One request; mutable, since approvers change it."""

    id: str
    account: str
    region: str
    node: str
    requester: str
    reason: str
    status: str = "Pending"
    ends: datetime | None = None

    @property
    def state(self) -> str:
        """An approval whose time is over has expired."""
        over = self.status == "Approved" and self.ends is not None and self.ends <= datetime.now(UTC)
        return "Expired" if over else self.status


@dataclass(slots=True)
class AccessCalls:
    """The calls and orders of one cloud. Moto's state is guarded by whoever calls them."""

    registry: Registry
    enabled: bool = True
    _requests: dict[str, AccessRequest] = field(default_factory=dict)

    def start_access_request(self, request: WireRequest, caller: Principal) -> Answer:
        """StartAccessRequest, authorised on the node with its tags."""
        parameters = request.json()
        node = _named_node(parameters["Targets"])
        tags = tag_keys(node, self.registry.resource_tags(caller.account, request.region, node))
        check(request, caller, START_REQUEST, node_arn(node, request.region, caller.account), tags)
        if not self.enabled:
            raise AwsFault("ValidationException", _NOT_ENABLED)
        if not caller.session_name:
            raise AwsFault("ValidationException", _ROLES_ALONE)
        if self.registry.find(caller.account, request.region, node) is None:
            raise AwsFault("ResourceNotFoundException", f"Managed node {node} does not exist.")
        asked = AccessRequest(
            f"oi-{secrets.token_hex(6)}", caller.account, request.region, node, caller.arn, parameters["Reason"]
        )
        self._requests[asked.id] = asked
        return json_answer({"AccessRequestId": asked.id})

    def get_access_token(self, request: WireRequest, caller: Principal) -> Answer:
        """GetAccessToken: the request's status, and once it was approved new keys for what is left of its time."""
        asked = self._find(request, caller)
        if asked.requester != caller.arn:
            raise AwsFault("AccessDeniedException", f"Access request {asked.id} is another's.")
        answer: dict[str, Any] = {"AccessRequestStatus": asked.state}
        if asked.state == "Approved" and asked.ends is not None:
            answer["Credentials"] = _keys(asked, asked.ends, caller)
        return json_answer(answer)

    def list_requests(self, request: WireRequest, caller: Principal) -> Answer:
        """Every request of the account and region, oldest first."""
        place = (caller.account, request.region)
        found = [each for each in self._requests.values() if (each.account, each.region) == place]
        listed = [
            {"AccessRequestId": each.id, "Node": each.node, "Requester": each.requester, "Reason": each.reason,
             "Status": each.state}
            for each in found
        ]  # fmt: skip
        return json_answer({"AccessRequests": listed})

    def decide_request(self, request: WireRequest, caller: Principal) -> Answer:
        """An approver's word: `Decision`, and for an approval how many `Seconds` it lasts."""
        parameters = request.json()
        decision = str(parameters.get("Decision", ""))
        if decision not in _DECISIONS:
            raise AwsFault("ValidationException", f"A decision is one of {', '.join(_DECISIONS)}.")
        asked = self._find(request, caller)
        asked.status = decision
        asked.ends = datetime.now(UTC) + timedelta(seconds=float(parameters.get("Seconds") or _HOUR))
        return json_answer({"AccessRequestId": asked.id, "Status": asked.state})

    def switch_access(self, request: WireRequest, _caller: Principal) -> Answer:
        """Whether the account has just-in-time access set up."""
        self.enabled = bool(request.json().get("Enabled"))
        return json_answer({})

    def _find(self, request: WireRequest, caller: Principal) -> AccessRequest:
        wanted = str(request.json().get("AccessRequestId", ""))
        asked = self._requests.get(wanted)
        if asked is None or (asked.account, asked.region) != (caller.account, request.region):
            raise AwsFault("ResourceNotFoundException", f"Access request {wanted} does not exist.")
        return asked


def _named_node(targets: list[Mapping[str, Any]]) -> str:
    """The one node that is named by its id. (Tags would do at AWS too.)"""
    named = [value for each in targets if each.get("Key") in ("InstanceIds", "InstanceId") for value in each["Values"]]
    if len(named) != 1 or len(targets) != 1:
        raise AwsFault("ValidationException", "Exactly one managed node must be targeted by InstanceIds.")
    return str(named[0])


def _keys(asked: AccessRequest, ends: datetime, caller: Principal) -> dict[str, Any]:
    partition = partition_of(asked.region)
    session = sts_backends[asked.account][partition].assume_role(
        region_name=asked.region,
        role_session_name=caller.session_prefix,
        role_arn=f"arn:{partition}:iam::{asked.account}:role/{TOKEN_ROLE}",
        policy=_one_node(asked),
        duration=_HOUR,
        external_id="",
    )
    session.expiration = ends
    narrowed(session, tags={}, policy_arns=(f"arn:{partition}:iam::aws:policy/{_SESSION_POLICY}",), with_code=False)
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "ExpirationTime": ends,
    }


def _one_node(asked: AccessRequest) -> str:
    """What the service adds for the node; AWS does not publish it. The managed session policy has the document alone,
    and nothing of what every session needs."""
    node = node_arn(asked.node, asked.region, asked.account)
    own = ["ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:OpenDataChannel"]
    statements = [
        {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": node},
        {"Effect": "Allow", "Action": own, "Resource": f"arn:{partition_of(asked.region)}:ssm:*:*:session/*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
