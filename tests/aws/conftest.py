"""Callers of their own for each test: users made on the demo cloud by its administrator, with just the policy given."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ssm_tui.aws.live import AwsCloud
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.contexts import Context
from tests.demo_cloud import Caller

REGION = "ap-northeast-2"
CONTAINERS = ("ecs:ListClusters", "ecs:ListTasks", "ecs:DescribeTasks", "ec2:DescribeNetworkInterfaces")
NETWORKS = (
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcPeeringConnections",
    "ec2:DescribeTransitGateways",
    "ec2:DescribeTransitGatewayAttachments",
    "ec2:DescribeTransitGatewayVpcAttachments",
    "ec2:SearchTransitGatewayRoutes",
    "ec2:GetManagedPrefixListEntries",
)
LISTING = (
    "ssm:DescribeInstanceProperties",
    "ssm:DescribeInstanceInformation",
    "ssm:ListTagsForResource",
    "ec2:DescribeInstances",
    *NETWORKS,
    "rds:Describe*",
    "elasticache:Describe*",
    "memorydb:Describe*",
    "redshift:Describe*",
    "redshift-serverless:List*",
    "es:List*",
    "es:Describe*",
    "ec2:DescribeSubnets",
    "tag:GetResources",
    *CONTAINERS,
)
SIMULATING = ("iam:SimulatePrincipalPolicy", "iam:GetContextKeysForPrincipalPolicy", "iam:GetRole")


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows the actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies the actions."""
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource, **more}


@functools.cache
def _administrator(environment: frozenset[tuple[str, str]]) -> Caller:
    """One for all tests on a cloud: its clients take some 20 ms each to make."""
    variables = dict(environment)
    return Caller(variables, variables["DEMO_ADMIN_ACCESS_KEY_ID"], variables["DEMO_ADMIN_SECRET_ACCESS_KEY"])


class Administrator:
    """The demo's administrator: makes callers and looks at what there is, by ordinary AWS calls."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._caller = _administrator(frozenset(environment.items()))
        self._config = folder / "aws-config"
        self._config.write_text("", encoding="utf-8")
        self._users: list[str] = []
        self._roles: list[str] = []

    def client(self, service: str, region: str = REGION) -> Any:
        """A client with everything allowed."""
        return self._caller.client(service, region)

    def profile(self, *statements: Mapping[str, Any]) -> str:
        """A user with these statements as the only policy; the profile by which it calls."""
        iam, name = self.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        self._users.append(name)
        self.put_policy(name, *statements)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.write_profile(name, key["AccessKeyId"], key["SecretAccessKey"])
        return name

    def put_policy(self, user: str, *statements: Mapping[str, Any]) -> None:
        """Replaces the user's policy."""
        self.client("iam").put_user_policy(UserName=user, PolicyName="Own", PolicyDocument=document(statements))

    def role_profile(self, path: str, *statements: Mapping[str, Any], session: Sequence[Mapping[str, Any]] = ()) -> str:
        """The session of a role that stands under a path, with a policy of its own where one is given; the profile by
        which it calls."""
        iam, name = self.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        trust = document([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}])
        arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self._roles.append(name)
        iam.put_role_policy(RoleName=name, PolicyName="Own", PolicyDocument=document(statements))
        more = {"Policy": document(session)} if session else {}
        answer = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="tests", **more)["Credentials"]
        self.write_profile(name, answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        return name

    def write_profile(self, name: str, key: str, secret: str, token: str = "") -> None:
        """A profile in the file that AWS_CONFIG_FILE names during tests."""
        lines = [f"[profile {name}]", f"aws_access_key_id = {key}", f"aws_secret_access_key = {secret}"]
        lines += [f"aws_session_token = {token}"] if token else []
        with self._config.open("a", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))

    def write_role_profile(self, name: str, role: str, source: str, mfa_serial: str = "") -> None:
        """A profile whose session is begun by way of another, with an MFA device's code where one is named."""
        lines = [f"[profile {name}]", f"role_arn = {role}", f"source_profile = {source}"]
        lines += [f"mfa_serial = {mfa_serial}"] if mfa_serial else []
        with self._config.open("a", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))

    def variables(self) -> dict[str, str | None]:
        """What the environment must say for the profiles to be used on the demo cloud."""
        return {
            "AWS_ENDPOINT_URL": self._environment["AWS_ENDPOINT_URL"],
            "AWS_CONFIG_FILE": str(self._config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._config.with_name("no-credentials")),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PROFILE": None,
            "AWS_REGION": None,
            "AWS_DEFAULT_REGION": None,
            "AWS_ACCESS_KEY_ID": None,
            "AWS_SECRET_ACCESS_KEY": None,
            "AWS_SESSION_TOKEN": None,
        }

    def clear(self) -> None:
        """Takes the callers away again."""
        iam = self.client("iam")
        for name in self._users:
            for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            iam.delete_user_policy(UserName=name, PolicyName="Own")
            iam.delete_user(UserName=name)
        for name in self._roles:
            iam.delete_role_policy(RoleName=name, PolicyName="Own")
            iam.delete_role(RoleName=name)


def document(statements: Any) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def admin(demo_cloud: DemoProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Administrator]:
    """The administrator, with this process's environment set so that its profiles work."""
    administrator = Administrator(demo_cloud.environment, tmp_path)
    for name, value in administrator.variables().items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    yield administrator
    administrator.clear()


def cloud_of(profile: str, region: str = REGION) -> AwsCloud:
    """AWS as the profile sees it."""
    return AwsCloud(Context(profile, region))
