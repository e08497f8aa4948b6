"""STS by the wire: sessions with tags, session policies and MFA codes, and what each of them then may."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.demo.callers import MFA_CODE, mfa_serial
from ssm_tui.demo.order_client import OrderClient
from tests.demo.control.conftest import refusal
from tests.demo_cloud import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.demo.runner import DemoProcess

ACCOUNT = "123456789012"
START = "ssm:StartSession"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, **parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **parts}


def when(operator: str, key: str, value: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


class Roles:
    """Roles of a test, and callers in sessions of them."""

    def __init__(self, cloud: DemoProcess, administrator: Caller) -> None:
        self._cloud, self._administrator, self._names = cloud, administrator, list[str]()

    def make(self, *statements: dict[str, Any], actions: tuple[str, ...] = ("sts:AssumeRole",), **more: Any) -> str:
        name = f"role-{uuid.uuid4().hex[:8]}"
        trust = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": list(actions)})
        iam = self._administrator.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
        self._names.append(name)
        return str(role)

    def assume(self, role: str, **parts: Any) -> Caller:
        answer = self._administrator.client("sts").assume_role(RoleArn=role, RoleSessionName="ann", **parts)
        return self.caller(answer["Credentials"])

    def caller(self, keys: dict[str, str]) -> Caller:
        return Caller(self._cloud.environment, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def clear(self) -> None:
        iam = self._administrator.client("iam")
        for name in self._names:
            iam.delete_role_policy(RoleName=name, PolicyName="own")
            iam.delete_role(RoleName=name)


@pytest.fixture
def roles(demo_cloud: DemoProcess, administrator: Caller) -> Iterator[Roles]:
    found = Roles(demo_cloud, administrator)
    yield found
    found.clear()


def lists(caller: Caller) -> bool:
    """Whether the caller may list nodes, by a call that changes nothing."""
    ssm = caller.client("ssm")
    try:
        ssm.describe_instance_information()
    except ssm.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


LIST = "ssm:DescribeInstanceInformation"
BY_TEAM = when("StringEquals", "aws:PrincipalTag/team", "pay")


def test_the_tags_of_a_session_stand_before_its_roles(roles: Roles) -> None:
    both = ("sts:AssumeRole", "sts:TagSession")
    role = roles.make(allow(LIST, **BY_TEAM), actions=both, Tags=[{"Key": "team", "Value": "web"}])
    assert not lists(roles.assume(role))
    assert lists(roles.assume(role, Tags=[{"Key": "team", "Value": "pay"}]))


def test_tags_are_only_taken_where_the_role_lets_them_be_set(roles: Roles, administrator: Caller) -> None:
    role = roles.make(allow(LIST))
    sts = administrator.client("sts")
    tags = [{"Key": "team", "Value": "pay"}]
    code, message = refusal(sts.assume_role, RoleArn=role, RoleSessionName="ann", Tags=tags)
    assert (code, "sts:TagSession" in message) == ("AccessDenied", True)


def test_a_session_policy_narrows_and_grants_nothing(roles: Roles) -> None:
    role = roles.make(allow(LIST, "ec2:DescribeVpcs"))
    narrowed = roles.assume(role, Policy=policy(allow(LIST, "ssm:DescribeSessions")))
    assert lists(narrowed)
    code, message = refusal(narrowed.client("ec2").describe_vpcs)
    assert code == "UnauthorizedOperation"
    assert "because no session policy allows the ec2:DescribeVpcs action" in message
    assert "no identity-based policy" in refusal(narrowed.client("ssm").describe_sessions, State="Active")[1]


def test_managed_session_policies_narrow_alike(roles: Roles) -> None:
    role = roles.make(allow("*"))
    core = [{"arn": "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"}]
    narrowed = roles.assume(role, PolicyArns=core)
    assert narrowed.client("ec2").describe_vpcs()["Vpcs"]
    assert not lists(narrowed)


def test_the_principal_of_a_session_is_its_role(roles: Roles) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/teams/role-*"
    role = roles.make(allow(LIST, **when("ArnLike", "aws:PrincipalArn", arn)), Path="/teams/")
    caller = roles.assume(role)
    assert ":assumed-role/" in caller.client("sts").get_caller_identity()["Arn"]
    assert lists(caller)


@pytest.mark.parametrize(("operator", "plain"), [("Bool", False), ("BoolIfExists", True)])
def test_a_code_is_proven_by_temporary_credentials_alone(
    demo_cloud: DemoProcess, administrator: Caller, roles: Roles, operator: str, plain: bool
) -> None:
    iam, name = administrator.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    with_code = when(operator, "aws:MultiFactorAuthPresent", "true")
    document = policy(allow(LIST, **with_code), allow("sts:GetSessionToken"))
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = Caller(demo_cloud.environment, key["AccessKeyId"], key["SecretAccessKey"])
    shown = {"SerialNumber": mfa_serial(ACCOUNT), "TokenCode": MFA_CODE}
    sts = user.client("sts")
    try:
        assert lists(user) is plain
        assert not lists(roles.caller(sts.get_session_token()["Credentials"]))
        proven = roles.caller(sts.get_session_token(**shown)["Credentials"])
        assert lists(proven)
        assert proven.client("sts").get_caller_identity()["Arn"].endswith(f":user/{name}")
        assert refusal(proven.client("sts").get_session_token)[0] == "AccessDenied"
        assert refusal(sts.get_session_token, **(shown | {"TokenCode": "000000"}))[0] == "AccessDenied"
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="own")
        iam.delete_user(UserName=name)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ((allow("iam:*"),), "because no service control policy allows the ssm:DescribeInstanceInformation action"),
        (
            (allow("*"), allow(LIST) | {"Effect": "Deny"}),
            "with an explicit deny in a service control policy",
        ),
    ],
)
def test_an_organizations_policies_bind_the_account(
    demo_cloud: DemoProcess, administrator: Caller, statements: tuple[dict[str, Any], ...], words: str
) -> None:
    orders = OrderClient(demo_cloud.environment, command="a test")
    ssm, iam = administrator.client("ssm"), administrator.client("iam")
    source = administrator.client("sts").get_caller_identity()["Arn"]
    orders.call("PutServiceControlPolicy", {"Name": "limit", "Document": policy(*statements)})
    try:
        assert words in refusal(ssm.describe_instance_information)[1]
        answer = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=[LIST])
    finally:
        orders.call("PutServiceControlPolicy", {"Name": "limit"})
    (result,) = answer["EvaluationResults"]
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert result["EvalDecision"] != "allowed"
    assert result["MatchedStatements"] == []
    assert ssm.describe_instance_information()["InstanceInformationList"]


def test_keys_are_good_in_their_own_partition_alone(developer: Caller, administrator: Caller) -> None:
    assert refusal(developer.client("ssm", "cn-north-1").describe_instance_information)[0] == (
        "UnrecognizedClientException"
    )
    china = administrator.client("iam", "cn-north-1").get_user()["User"]["Arn"]
    assert china == f"arn:aws-cn:iam::{ACCOUNT}:user/administrator"


def test_a_simulation_names_the_lines(administrator: Caller) -> None:
    iam = administrator.client("iam")
    document = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
    {
      "Effect": "Allow",
      "Action": "ssm:*",
      "Resource": "*"
    }
  ]
}"""
    iam.create_user(UserName="lines")
    iam.put_user_policy(UserName="lines", PolicyName="own", PolicyDocument=document)
    try:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/lines", ActionNames=[START], ResourceArns=["*"]
        )
    finally:
        iam.delete_user_policy(UserName="lines", PolicyName="own")
        iam.delete_user(UserName="lines")
    (matched,) = answer["EvaluationResults"][0]["MatchedStatements"]
    assert (matched["StartPosition"]["Line"], matched["EndPosition"]["Line"]) == (5, 9)
