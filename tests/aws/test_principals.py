"""Whom IAM judges: users and roles with their paths, and what is known of a session by how it signs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ssm_tui.aws.arns import document_arn, node_arn
from ssm_tui.aws.principals import entities, known_principal
from ssm_tui.aws.signature import NO_SIGNATURE, Signature
from ssm_tui.aws.simulation import Simulator
from ssm_tui.domain.access import SessionKind, documents
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.domain.nodes import Node
from ssm_tui.errors import AccessDeniedError, AwsError

ACCOUNT = "123456789012"
USER = Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/teams/ana")
SESSION = Caller(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/ana@example.com")
RESERVED = Caller(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ana")
DENIED = AccessDeniedError("you may not call iam:GetRole", action="iam:GetRole")
UNKNOWN = AwsError("the entity cannot be found", code="NoSuchEntity")
KEY = Signature(temporary=False, mfa=False, tagged=False)


class Iam:
    """Answers by operation; what is not there is denied. `known` are the principals whose keys are told."""

    def __init__(self, *known: str, signed: Signature = NO_SIGNATURE, **answers: Mapping[str, Any]) -> None:
        self._known, self._signed, self._answers = known, signed, answers
        self.asked: list[str] = []

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        self.asked.append(operation)
        if operation == "get_context_keys_for_principal_policy":
            if parameters["PolicySourceArn"] not in self._known:
                raise UNKNOWN
            return {"ContextKeyNames": ["aws:PrincipalTag/team"]}
        if operation not in self._answers:
            raise DENIED
        return self._answers[operation]

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        raise AssertionError(operation)

    def endpoint(self, service: str) -> str:
        raise AssertionError(service)

    def signature(self) -> Signature:
        return self._signed

    def presigned(self, service: str, url: str, *, seconds: int) -> str:
        raise AssertionError(service)


def role(path: str, **more: Any) -> Mapping[str, Any]:
    return {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role{path}dev", "RoleName": "dev", **more}}


def test_a_role_is_looked_up_for_its_path() -> None:
    told = Iam(get_role=role("/teams/pay/", Tags=[{"Key": "team", "Value": "pay"}]))
    first = next(entities(told, SESSION, "us-east-1"))
    assert (first.arn, first.tags) == (f"arn:aws:iam::{ACCOUNT}:role/teams/pay/dev", {"team": "pay"})
    assert [each.arn for each in entities(Iam(), SESSION, "us-east-1")] == [f"arn:aws:iam::{ACCOUNT}:role/dev"]
    assert [each.arn for each in entities(told, USER, "us-east-1")] == [USER.arn]


@pytest.mark.parametrize("folder", ["", "eu-west-1/"])
def test_a_role_of_identity_center_is_found_without_being_looked_up(folder: str) -> None:
    name = "AWSReservedSSO_Dev_0123456789abcdef"
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{folder}{name}"
    assert Simulator(Iam(arn), RESERVED, "AROA:ana", "eu-west-1").principal == arn


def test_a_role_that_cannot_be_found_is_said_to_be() -> None:
    with pytest.raises(AwsError, match="cannot be found"):
        Simulator(Iam(), SESSION, "AROA:ana", "eu-west-1")


TAGGED = {"User": {"Arn": USER.arn, "Tags": [{"Key": "team", "Value": "pay"}]}}


@pytest.mark.parametrize(
    ("iam", "caller", "tag", "lacks"),
    [
        (Iam(signed=KEY, get_user=TAGGED), USER, "pay", True),
        (Iam(signed=KEY, list_user_tags={"Tags": [{"Key": "team", "Value": "web"}]}), USER, "web", True),
        (Iam(signed=KEY), USER, None, False),  # nobody tells the tags
        (
            Iam(signed=Signature(True, False, False), get_role=role("/", Tags=[{"Key": "team", "Value": "ops"}])),
            SESSION,
            "ops",
            True,
        ),
        # Tags of the session's own would stand before the role's.
        (Iam(signed=Signature(True, None, None), get_role=role("/", Tags=[])), SESSION, None, False),
    ],
)
def test_tags_are_known_where_a_session_can_have_no_others(
    iam: Iam, caller: Caller, tag: str | None, lacks: bool
) -> None:
    entity = next(entities(iam, caller, "us-east-1"))
    found = known_principal(iam, caller, "id", entity, ["aws:principaltag/team"])
    assert found.facts.get("aws:PrincipalTag/team") == (("string", tag) if tag else None)
    assert found.lacks("aws:PrincipalTag/other") is lacks


def test_tags_are_not_asked_for_where_no_policy_looks_at_them() -> None:
    iam = Iam(signed=KEY, get_user=TAGGED)
    known_principal(iam, USER, "id", next(entities(iam, USER, "us-east-1")), ["ssm:resourcetag/team"])
    assert not iam.asked


@pytest.mark.parametrize(
    ("signed", "told", "lacks"),
    [
        (KEY, None, True),  # a key of long standing never shows MFA: what asks for it refuses
        (Signature(True, True, False), "true", False),
        (Signature(True, False, False), "false", False),
        (Signature(True, None, None), None, False),
        (NO_SIGNATURE, None, False),
    ],
)
def test_mfa_is_known_by_the_way_of_signing(signed: Signature, told: str | None, lacks: bool) -> None:
    iam = Iam(signed=signed)
    found = known_principal(iam, USER, "id", next(entities(iam, USER, "us-east-1")), [])
    assert found.facts.get("aws:MultiFactorAuthPresent") == (("boolean", told) if told else None)
    assert found.lacks("aws:MultiFactorAuthPresent") is lacks


@pytest.mark.parametrize(
    ("key", "lacks"),
    [
        ("aws:SourceIp", False),
        ("aws:SourceVpce", False),
        ("aws:PrincipalOrgID", False),
        ("aws:RequestTag/team", True),
        ("aws:SourceArn", True),
        ("aws:CalledVia", True),
        ("s3:prefix", True),
    ],
)
def test_what_a_request_never_has_is_told_from_what_aws_alone_knows(key: str, lacks: bool) -> None:
    iam = Iam(signed=KEY)
    found = known_principal(iam, USER, "id", next(entities(iam, USER, "us-east-1")), [])
    assert found.lacks(key) is lacks


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "us-east-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_resources_are_of_the_callers_partition(partition: str, region: str) -> None:
    caller = Caller(ACCOUNT, f"arn:{partition}:sts::{ACCOUNT}:assumed-role/dev/ana")
    context = Context(None, region)
    named: Callable[[str], str] = lambda id_: node_arn(Node(id=id_, context=context), caller)  # noqa: E731
    assert caller.principal == f"arn:{partition}:iam::{ACCOUNT}:role/dev"
    assert named("i-1") == f"arn:{partition}:ec2:{region}:{ACCOUNT}:instance/i-1"
    assert named("mi-1") == f"arn:{partition}:ssm:{region}:{ACCOUNT}:managed-instance/mi-1"
    own = f"arn:{partition}:ssm:{region}:{ACCOUNT}:document/"
    assert [document_arn(name, caller, region) for name in documents().values()] == [
        f"{own}SSM-SessionManagerRunShell",
        f"arn:{partition}:ssm:{region}::document/AWS-StartPortForwardingSession",
        f"arn:{partition}:ssm:{region}::document/AWS-StartPortForwardingSessionToRemoteHost",
        f"arn:{partition}:ssm:{region}::document/AWS-StartSSHSession",
    ]
    assert document_arn(documents("TeamShell")[SessionKind.SHELL], caller, region) == f"{own}TeamShell"
    shared = f"arn:{partition}:ssm:{region}:999999999999:document/Theirs"
    assert document_arn(shared, caller, region) == shared
