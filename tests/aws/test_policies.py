"""Texts of policies are found wherever the simulation's name for them may lead: inline, of a group, under a path."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.aws.policies import PolicyReader, trouble
from ssm_tui.domain.access import Decider
from ssm_tui.errors import AccessDeniedError, AwsError
from tests.aws.conftest import Administrator, allow, cloud_of, deny

READING = ("iam:GetUserPolicy", "iam:GetGroupPolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetUser")
LISTING = ("iam:ListGroupsForUser", "iam:ListAttachedUserPolicies", "iam:ListAttachedGroupPolicies")
WRITTEN = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:StartSession")]}, indent=4)


class Desk:
    """A user in a group, with policies of every kind."""

    def __init__(self, admin: Administrator, user: str) -> None:
        self.admin, self.iam, self.user = admin, admin.client("iam"), user
        self.group = f"on_call_{uuid.uuid4().hex[:6]}"
        self.managed: list[str] = []
        self.iam.create_group(GroupName=self.group)
        self.iam.add_user_to_group(GroupName=self.group, UserName=user)

    def reader(self) -> PolicyReader:
        """With the user's own rights."""
        return PolicyReader(LiveGateway(cloud_of(self.user).context), f"arn:aws:iam::123456789012:user/{self.user}")

    def manage(self, path: str) -> str:
        """A customer-managed policy under the path; its name."""
        name = f"Team-{uuid.uuid4().hex[:6]}"
        arn = self.iam.create_policy(PolicyName=name, Path=path, PolicyDocument=WRITTEN)["Policy"]["Arn"]
        self.iam.attach_group_policy(GroupName=self.group, PolicyArn=arn)
        self.managed.append(arn)
        return name

    def clear(self) -> None:
        """Takes it all away."""
        for arn in self.managed:
            self.iam.detach_group_policy(GroupName=self.group, PolicyArn=arn)
            self.iam.delete_policy(PolicyArn=arn)
        for name in self.iam.list_group_policies(GroupName=self.group)["PolicyNames"]:
            self.iam.delete_group_policy(GroupName=self.group, PolicyName=name)
        self.iam.remove_user_from_group(GroupName=self.group, UserName=self.user)
        self.iam.delete_group(GroupName=self.group)


@pytest.fixture
def desk(admin: Administrator) -> Iterator[Desk]:
    made = Desk(admin, admin.profile(allow(*READING, *LISTING)))
    yield made
    made.clear()


@pytest.mark.parametrize("name", ["Own", "user_{user}_Own"])
@pytest.mark.parametrize("kind", ["user", "IAM Policy", ""])
def test_an_inline_policy(desk: Desk, name: str, kind: str) -> None:
    text = desk.reader().text(Decider(name.format(user=desk.user), kind))
    assert json.loads(text)["Statement"] == [allow(*READING, *LISTING)]


@pytest.mark.parametrize("listing", [True, False])
@pytest.mark.parametrize("kind", ["group", "IAM Policy"])
def test_a_policy_of_a_group(desk: Desk, kind: str, listing: bool) -> None:
    """Also where the user may not ask for the groups, and its name has underscores like those that part it."""
    desk.iam.put_group_policy(GroupName=desk.group, PolicyName="enter_nodes", PolicyDocument=WRITTEN)
    if not listing:
        desk.admin.put_policy(desk.user, allow(*READING))
    assert desk.reader().text(Decider(f"group_{desk.group}_enter_nodes", kind)) == WRITTEN


@pytest.mark.parametrize("path", ["/", "/teams/pay/"])
def test_a_managed_policy(desk: Desk, path: str) -> None:
    """As it was written: the simulation names statements by their lines."""
    assert desk.reader().text(Decider(desk.manage(path), "user-managed")) == WRITTEN


def test_a_policy_of_awss(desk: Desk) -> None:
    text = desk.reader().text(Decider("AmazonSSMManagedInstanceCore", "aws-managed"))
    assert "ssmmessages:OpenDataChannel" in text


def test_what_is_refused_is_said_by_the_permission(desk: Desk) -> None:
    desk.admin.put_policy(desk.user, allow(*READING, *LISTING), deny("iam:GetPolicyVersion"))
    with pytest.raises(AccessDeniedError) as refused:
        desk.reader().text(Decider(desk.manage("/"), "user-managed"))
    assert trouble(refused.value) == "iam:GetPolicyVersion is denied"


def test_a_policy_that_is_nowhere(desk: Desk) -> None:
    with pytest.raises(AwsError) as gone:
        desk.reader().text(Decider("Nothing", "user-managed"))
    assert trouble(gone.value) == "no policy was found by that name"
