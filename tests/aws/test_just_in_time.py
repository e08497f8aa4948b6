"""Just-in-time access through the tool's own seam, on the demo cloud."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ssm_tui.aws.just_in_time import AwsGrants
from ssm_tui.aws.live import AwsClouds
from ssm_tui.demo.order_client import OrderClient
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain import sessions
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.just_in_time import RequestState, TemporaryKeys
from ssm_tui.errors import AccessDeniedError, AwsError, SessionError
from tests.aws.conftest import REGION, Administrator, allow

ASKING = allow("ssm:StartAccessRequest", "ssm:GetAccessToken")


@pytest.fixture
def orders(demo_cloud: DemoProcess) -> Iterator[OrderClient]:
    """The approver."""
    found = OrderClient(demo_cloud.environment, command="a test")
    yield found
    found.call("SwitchNodeAccess", {"Enabled": True})


@pytest.fixture
def node(admin: Administrator) -> str:
    """The id of a machine that is online."""
    wanted = [{"Name": "tag:Name", "Values": ["검색-index-1"]}]
    listed = admin.client("ec2").describe_instances(Filters=wanted)["Reservations"]
    return str(listed[0]["Instances"][0]["InstanceId"])


def asking(profile: str) -> tuple[AwsGrants, Context]:
    return AwsGrants(AwsClouds([profile], [REGION])), Context(profile, REGION)


def granted(
    grants: AwsGrants, context: Context, orders: OrderClient, node: str, seconds: float
) -> tuple[str, TemporaryKeys]:
    request = grants.ask(context, node, "a test")
    assert grants.look(context, request).state is RequestState.PENDING
    orders.call("DecideAccessRequest", {"AccessRequestId": request, "Decision": "Approved", "Seconds": seconds})
    keys = grants.look(context, request).keys
    assert keys is not None
    return request, keys


def test_granted_keys_start_and_end_shells_of_their_node(admin: Administrator, orders: OrderClient, node: str) -> None:
    grants, context = asking(admin.role_profile("/", ASKING))
    _, keys = granted(grants, context, orders, node, 60)
    opened = grants.opened(context, keys)
    started = opened.start_session(sessions.shell(context, node))
    opened.terminate_session(started.session_id)
    opened.terminate_session(started.session_id)
    with pytest.raises(AccessDeniedError, match="ssm:StartSession"):
        opened.start_session(sessions.forward(context, node, 22))


def test_keys_whose_time_is_over_say_so(admin: Administrator, orders: OrderClient, node: str) -> None:
    grants, context = asking(admin.role_profile("/", ASKING))
    request, keys = granted(grants, context, orders, node, 3)
    deadline = time.monotonic() + 30
    while grants.look(context, request).state is not RequestState.EXPIRED:
        assert time.monotonic() < deadline
    with pytest.raises(SessionError, match="the access that was granted is over") as caught:
        grants.opened(context, keys).start_session(sessions.shell(context, node))
    assert caught.value.hint == "ask for it anew"


def test_where_it_is_not_set_up(admin: Administrator, orders: OrderClient, node: str) -> None:
    grants, context = asking(admin.role_profile("/", ASKING))
    orders.call("SwitchNodeAccess", {"Enabled": False})
    with pytest.raises(AwsError, match="not set up in this account and region"):
        grants.ask(context, node, "a test")


def test_who_may_not_ask(admin: Administrator, node: str) -> None:
    grants, context = asking(admin.role_profile("/", allow("ssm:DescribeSessions")))
    with pytest.raises(AccessDeniedError, match="ssm:StartAccessRequest"):
        grants.ask(context, node, "a test")
    grants, context = asking(admin.profile(ASKING))
    with pytest.raises(AwsError) as caught:
        grants.ask(context, node, "a test")
    assert "sessions of roles" in caught.value.hint
