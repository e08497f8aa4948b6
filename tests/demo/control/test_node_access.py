"""Just-in-time access by the wire: who may ask for what, what approvers do, and how far the keys reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.demo.callers import TOKEN_ROLE
from ssm_tui.demo.order_client import OrderClient, OrderError
from tests.demo.control.conftest import refusal
from tests.demo.control.test_role_sessions import Roles, allow, roles
from tests.demo_cloud import Caller

if TYPE_CHECKING:
    from ssm_tui.demo.runner import DemoProcess

__all__ = ["roles"]
ASKING = allow("ssm:StartAccessRequest", "ssm:GetAccessToken")
PORTS = "AWS-StartPortForwardingSession"


@pytest.fixture
def orders(demo_cloud: DemoProcess) -> Iterator[OrderClient]:
    found = OrderClient(demo_cloud.environment, command="a test")
    yield found
    found.call("SwitchNodeAccess", {"Enabled": True})


def target(node: str) -> dict[str, Any]:
    return {"Reason": "the disk is full", "Targets": [{"Key": "InstanceIds", "Values": [node]}]}


def test_from_the_request_to_the_session(
    roles: Roles, orders: OrderClient, instance: Callable[..., str], administrator: Caller
) -> None:
    node, other = instance("검색-index-1"), instance("web-1")
    ann = roles.assume(roles.make(ASKING))
    ssm = ann.client("ssm")
    assert refusal(ssm.start_session, Target=node)[0] == "AccessDeniedException"
    request = ssm.start_access_request(**target(node))["AccessRequestId"]
    pending = ssm.get_access_token(AccessRequestId=request)
    assert (pending["AccessRequestStatus"], "Credentials" in pending) == ("Pending", False)
    known = {each["AccessRequestId"]: each for each in orders.call("ListAccessRequests", {})["AccessRequests"]}
    listed = known[request]
    assert (listed["Node"], listed["Reason"], listed["Status"]) == (node, "the disk is full", "Pending")
    orders.call("DecideAccessRequest", {"AccessRequestId": request, "Decision": "Approved"})
    approved = ssm.get_access_token(AccessRequestId=request)
    assert approved["AccessRequestStatus"] == "Approved"
    keys = approved["Credentials"]
    granted = roles.caller(keys)
    assert f"assumed-role/{TOKEN_ROLE}/" in granted.client("sts").get_caller_identity()["Arn"]
    session = granted.client("ssm").start_session(Target=node)["SessionId"]
    (seen,) = administrator.client("ssm").describe_sessions(
        State="Active", Filters=[{"key": "SessionId", "value": session}]
    )["Sessions"]
    assert seen["AccessType"] == "JustInTime"
    granted.client("ssm").terminate_session(SessionId=session)
    # One node, and shells alone: so AWS's own session policy has it.
    assert "no session policy" in refusal(granted.client("ssm").start_session, Target=other)[1]
    ports = refusal(granted.client("ssm").start_session, Target=node, DocumentName=PORTS)
    assert ports[0] == "AccessDeniedException"
    assert refusal(granted.client("ssm").describe_instance_information)[0] == "AccessDeniedException"


@pytest.mark.parametrize("decision", ["Rejected", "Revoked", "Expired"])
def test_what_is_not_approved_earns_no_keys(
    roles: Roles, orders: OrderClient, instance: Callable[..., str], decision: str
) -> None:
    ssm = roles.assume(roles.make(ASKING)).client("ssm")
    request = ssm.start_access_request(**target(instance("검색-index-1")))["AccessRequestId"]
    orders.call("DecideAccessRequest", {"AccessRequestId": request, "Decision": decision})
    answer = ssm.get_access_token(AccessRequestId=request)
    assert (answer["AccessRequestStatus"], "Credentials" in answer) == (decision, False)


def test_keys_and_approval_end_together(roles: Roles, orders: OrderClient, instance: Callable[..., str]) -> None:
    node = instance("검색-index-1")
    ssm = roles.assume(roles.make(ASKING)).client("ssm")
    request = ssm.start_access_request(**target(node))["AccessRequestId"]
    orders.call("DecideAccessRequest", {"AccessRequestId": request, "Decision": "Approved", "Seconds": 2})
    granted = roles.caller(ssm.get_access_token(AccessRequestId=request)["Credentials"]).client("ssm")
    granted.terminate_session(SessionId=granted.start_session(Target=node)["SessionId"])
    deadline = time.monotonic() + 20
    while ssm.get_access_token(AccessRequestId=request)["AccessRequestStatus"] != "Expired":
        assert time.monotonic() < deadline
    assert refusal(granted.start_session, Target=node)[0] == "ExpiredTokenException"


def test_policies_say_who_may_ask_for_which_node(roles: Roles, instance: Callable[..., str]) -> None:
    of_team = allow(
        "ssm:StartAccessRequest",
        Resource="arn:aws:ec2:*:*:instance/*",
        Condition={"StringEquals": {"aws:ResourceTag/team": "search"}},
    )
    ssm = roles.assume(roles.make(of_team)).client("ssm")
    request = ssm.start_access_request(**target(instance("검색-index-1")))["AccessRequestId"]
    code, message = refusal(ssm.start_access_request, **target(instance("web-1")))
    assert (code, "ssm:StartAccessRequest" in message) == ("AccessDeniedException", True)
    assert refusal(ssm.get_access_token, AccessRequestId=request)[0] == "AccessDeniedException"


def test_others_and_nobodys_requests(roles: Roles, instance: Callable[..., str]) -> None:
    first, second = (roles.assume(roles.make(ASKING)).client("ssm") for _ in range(2))
    request = first.start_access_request(**target(instance("검색-index-1")))["AccessRequestId"]
    assert refusal(second.get_access_token, AccessRequestId=request)[0] == "AccessDeniedException"
    assert refusal(first.get_access_token, AccessRequestId="oi-000000000000")[0] == "ResourceNotFoundException"
    assert refusal(first.get_access_token, AccessRequestId="oi-1")[0] == "ValidationException"


def test_what_is_not_taken(
    roles: Roles, orders: OrderClient, instance: Callable[..., str], administrator: Caller
) -> None:
    ssm, node = roles.assume(roles.make(ASKING)).client("ssm"), instance("검색-index-1")
    assert refusal(ssm.start_access_request, **target("i-00000000000000000"))[0] == "ResourceNotFoundException"
    assert refusal(ssm.start_access_request, Reason="x", Targets=[])[0] == "ValidationException"
    assert refusal(ssm.start_access_request, **(target(node) | {"Reason": "x" * 257}))[0] == "ValidationException"
    # Requests are taken from sessions of roles alone.
    assert refusal(administrator.client("ssm").start_access_request, **target(node))[0] == "ValidationException"
    orders.call("SwitchNodeAccess", {"Enabled": False})
    assert "service is not enabled in this account" in refusal(ssm.start_access_request, **target(node))[1]
    with pytest.raises(OrderError, match="A decision is one of"):
        orders.call("DecideAccessRequest", {"AccessRequestId": "oi-000000000000", "Decision": "Maybe"})
