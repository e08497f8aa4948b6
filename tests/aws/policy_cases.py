"""Policy cases as data: who calls with which policies, and what each of four nodes then takes.

Expectations are a text a node, in the order of NODES: `s` a shell, `f` a forward, `r` a remote one, `h` ssh; `?` says
that nobody but AWS can know, `why` names what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.aws.conftest import allow, deny

START = "ssm:StartSession"
SHELL, SSH = "SSM-SessionManagerRunShell", "AWS-StartSSHSession"
FORWARD, REMOTE = "AWS-StartPortForwardingSession", "AWS-StartPortForwardingSessionToRemoteHost"
NODES = ("결제-api-1", "결제-정산-1", "web-1", "온프레미스-db-1")
"""team=pay; team=pay and frozen=yes; team=web; hybrid with team=pay."""
ALL = "sfrh"
EVERY, NONE = (ALL,) * 4, ("",) * 4
PAY = (ALL, ALL, "", ALL)
UNKNOWN = ("?",) * 4
Statements = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One caller. A user, unless `role` says otherwise; `own` are its policy's statements.

    `profile`: a role's session is begun by way of a profile rather than found as keys, with an MFA code where `code`
    says so. An organization's policies that only deny stand beside AWS's own, which allows everything.
    """

    own: Statements
    expected: tuple[str, ...]
    why: str = ""
    role: bool = False
    profile: bool = False
    code: bool = False
    path: str = "/"
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    session_tags: Mapping[str, str] = field(default_factory=dict)
    session: Statements | None = None
    boundary: Statements | None = None
    organization: Statements | None = None
    group: Statements | None = None
    managed: Statements | str | None = None
    region: str = "ap-northeast-2"


def document(name: str, partition: str = "aws") -> str:
    owner = "" if name.startswith("AWS-") else "*"
    return f"arn:{partition}:ssm:*:{owner}:document/{name}"


def documents(*names: str, partition: str = "aws") -> Mapping[str, Any]:
    return allow(START, resource=[document(each, partition) for each in names or (SHELL, "AWS-Start*")])


def nodes(condition: Mapping[str, Any] | None = None, partition: str = "aws") -> Mapping[str, Any]:
    more = {"Condition": condition} if condition else {}
    return allow(START, resource=[instances(partition), managed(partition)], **more)


def instances(partition: str = "aws") -> str:
    return f"arn:{partition}:ec2:*:*:instance/*"


def managed(partition: str = "aws") -> str:
    return f"arn:{partition}:ssm:*:*:managed-instance/*"


def by(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {operator: {key: list(values)}}


def team(operator: str, *values: str, tag: str = "ssm:resourceTag/team") -> Statements:
    return nodes(by(operator, tag, *values)), documents()


def when(operator: str, key: str, *values: str) -> Mapping[str, Any]:
    return allow(START, Condition=by(operator, key, *values))


CODED: Statements = (when("Bool", "aws:MultiFactorAuthPresent", "true"),)
UNCODED_DENIED: Statements = (
    allow(START),
    deny(START, Condition=by("BoolIfExists", "aws:MultiFactorAuthPresent", "false")),
)

ACTIONS_AND_RESOURCES: dict[str, Case] = {
    "nothing granted": Case((), NONE),
    "every action of the service": Case((allow("ssm:*"),), EVERY),
    "an action by wildcard": Case((allow("ssm:Start*"),), EVERY),
    "an action in another case": Case((allow("SSM:STARTSESSION"),), EVERY),
    "another action": Case((allow("ssm:SendCommand"),), NONE),
    "NotAction of another": Case(({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},), EVERY),
    "NotAction of this": Case(({"Effect": "Allow", "NotAction": START, "Resource": "*"},), NONE),
    "Deny of NotAction": Case(
        (allow(START), {"Effect": "Deny", "NotAction": ["ssm:Describe*", "iam:*"], "Resource": "*"}), NONE
    ),
    "NotResource": Case(({"Effect": "Allow", "Action": START, "NotResource": managed()},), (ALL, ALL, ALL, "")),
    "Deny of NotResource": Case(
        (
            allow(START),
            {"Effect": "Deny", "Action": START, "NotResource": [instances(), document("*"), document("AWS-*")]},
        ),
        (ALL, ALL, ALL, ""),
    ),
    "one node": Case((allow(START, resource="arn:aws:ec2:*:*:instance/{0}"), documents()), (ALL, "", "", "")),
    "one hybrid node": Case(
        (allow(START, resource="arn:aws:ssm:*:*:managed-instance/{3}"), documents()), ("", "", "", ALL)
    ),
    "instances alone": Case((allow(START, resource=instances()), documents()), (ALL, ALL, ALL, "")),
    "hybrid nodes alone": Case((allow(START, resource=managed()), documents()), ("", "", "", ALL)),
    "another account's nodes": Case(
        (allow(START, resource="arn:aws:ec2:*:999999999999:instance/*"), documents()), NONE
    ),
    "another region's nodes": Case((allow(START, resource="arn:aws:ec2:us-east-1:*:instance/*"), documents()), NONE),
    "this region's nodes": Case(
        (allow(START, resource="arn:aws:ec2:ap-northeast-2:*:instance/*"), documents()), (ALL, ALL, ALL, "")
    ),
    "a question mark": Case((allow(START, resource="arn:aws:ec2:*:*:instance/?-*"), documents()), (ALL, ALL, ALL, "")),
    "one node is denied": Case(
        (allow(START), deny(START, resource="arn:aws:ec2:*:*:instance/{2}")), (ALL, ALL, "", ALL)
    ),
    "everything is denied": Case((allow(START), deny(START)), NONE),
}

DOCUMENTS: dict[str, Case] = {
    "nodes without documents": Case((nodes(),), NONE),
    "documents without nodes": Case((documents(),), NONE),
    "the shell's document": Case((nodes(), documents(SHELL)), ("s",) * 4),
    "the documents of ports": Case((nodes(), documents(f"{FORWARD}*")), ("fr",) * 4),
    "the document of remote hosts": Case((nodes(), documents(REMOTE)), ("r",) * 4),
    "ssh's document": Case((nodes(), documents(SSH)), ("h",) * 4),
    "AWS's documents with an account": Case(
        (nodes(), allow(START, resource="arn:aws:ssm:*:123456789012:document/*")), ("s",) * 4
    ),
    "a document is denied": Case((allow(START), deny(START, resource=document(REMOTE))), ("sfh",) * 4),
    "the shell's document is denied": Case((allow(START), deny(START, resource=document(SHELL))), ("frh",) * 4),
    "the document check alone": Case((nodes(by("Bool", "ssm:SessionDocumentAccessCheck", "true")),), NONE),
    "the document check and documents": Case(
        (nodes(by("Bool", "ssm:SessionDocumentAccessCheck", "true")), documents()), EVERY
    ),
    "the document check if it exists": Case(
        (nodes(by("BoolIfExists", "ssm:SessionDocumentAccessCheck", "true")), documents(SHELL)), ("s",) * 4
    ),
    "no document check": Case((nodes(by("Bool", "ssm:SessionDocumentAccessCheck", "false")), documents()), NONE),
}

TAGS: dict[str, Case] = {
    "StringEquals": Case(team("StringEquals", "pay"), PAY),
    "StringEquals of several": Case(team("StringEquals", "pay", "web"), EVERY),
    "StringEquals with a wildcard": Case(team("StringEquals", "p*"), NONE),
    "StringEquals in another case": Case(team("StringEquals", "Pay"), NONE),
    "StringEqualsIgnoreCase": Case(team("StringEqualsIgnoreCase", "PAY"), PAY),
    "StringLike": Case(team("StringLike", "p*"), PAY),
    "StringNotEquals": Case(team("StringNotEquals", "pay"), ("", "", ALL, "")),
    "StringNotLike": Case(team("StringNotLike", "w*"), PAY),
    "StringEqualsIfExists": Case(team("StringEqualsIfExists", "no", tag="ssm:resourceTag/frozen"), (ALL, "", ALL, ALL)),
    "StringLikeIfExists": Case(team("StringLikeIfExists", "y*", tag="aws:ResourceTag/frozen"), EVERY),
    "StringNotEquals of a missing tag": Case(
        team("StringNotEquals", "yes", tag="ssm:resourceTag/frozen"), (ALL, "", ALL, ALL)
    ),
    "aws:ResourceTag": Case(team("StringEquals", "pay", tag="aws:ResourceTag/team"), PAY),
    "ec2:ResourceTag": Case(team("StringEquals", "pay", tag="ec2:ResourceTag/team"), (ALL, ALL, "", "")),
    "a key in another case": Case(team("StringEquals", "pay", tag="SSM:ResourceTag/team"), PAY),
    "a tag that nothing has": Case(team("StringEquals", "x", tag="ssm:resourceTag/nothing"), NONE),
    "Null: the tag is there": Case(team("Null", "false", tag="ssm:resourceTag/frozen"), ("", ALL, "", "")),
    "Null: the tag is not": Case(team("Null", "true", tag="ssm:resourceTag/frozen"), (ALL, "", ALL, ALL)),
    "two tags": Case(
        (
            nodes({"StringEquals": {"ssm:resourceTag/team": "pay", "ssm:resourceTag/frozen": "yes"}}),
            documents(),
        ),
        ("", ALL, "", ""),
    ),
    "a tag is wanted of the document too": Case((when("StringEquals", "ssm:resourceTag/team", "pay"),), NONE),
    "a tag is denied": Case(
        (allow(START), deny(START, Condition=by("StringEquals", "ssm:resourceTag/frozen", "yes"))), (ALL, "", ALL, ALL)
    ),
    "all without a tag are denied": Case(
        (
            allow(START),
            deny(
                START,
                resource=[instances(), managed()],
                Condition=by("StringNotEquals", "aws:ResourceTag/team", "pay"),
            ),
        ),
        PAY,
    ),
    "ForAnyValue": Case(team("ForAnyValue:StringEquals", "pay", "x"), PAY),
    "ForAnyValue of none": Case(team("ForAnyValue:StringEquals", "yes", tag="aws:TagKeys"), NONE),
    "ForAllValues": Case(team("ForAllValues:StringEquals", "pay"), PAY),
    "ForAllValues of none": Case(
        team("ForAllValues:StringEquals", "no", tag="ssm:resourceTag/frozen"), (ALL, "", ALL, ALL)
    ),
}

CALLERS: dict[str, Case] = {
    "${aws:username}": Case(team("StringEquals", "${aws:username}"), ("", "", ALL, ""), name="web"),
    "${aws:PrincipalTag/team}": Case(team("StringEquals", "${aws:PrincipalTag/team}"), PAY, tags={"team": "pay"}),
    "${aws:PrincipalTag/team} of none": Case(team("StringEquals", "${aws:PrincipalTag/team}"), NONE),
    "a variable's default": Case(team("StringEquals", "${aws:PrincipalTag/team, 'web'}"), ("", "", ALL, "")),
    "a variable in a resource": Case(
        (allow(START, resource="arn:aws:ec2:*:*:instance/${aws:PrincipalTag/node}"), documents()),
        ("", "", ALL, ""),
        tags={"node": "{2}"},
    ),
    "the caller's tag": Case((when("StringEquals", "aws:PrincipalTag/team", "pay"),), EVERY, tags={"team": "pay"}),
    "another tag of the caller's": Case(
        (when("StringEquals", "aws:PrincipalTag/team", "pay"),), NONE, tags={"team": "web"}
    ),
    "the caller's ARN": Case((when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"),), EVERY),
    "another's ARN": Case((when("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:user/x"),), NONE),
    "the caller's account": Case((when("StringEquals", "aws:PrincipalAccount", "123456789012"),), EVERY),
    "the region": Case((when("StringEquals", "aws:RequestedRegion", "ap-northeast-2"),), EVERY),
    "another region": Case((when("StringEquals", "aws:RequestedRegion", "eu-west-1"),), NONE),
    "TLS is insisted on": Case(
        (allow(START), deny(START, Condition=by("Bool", "aws:SecureTransport", "false"))), EVERY
    ),
    "after a date": Case((when("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"),), EVERY),
    "before a date": Case((when("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"),), NONE),
    "through another service": Case((when("Bool", "aws:ViaAWSService", "true"),), NONE),
    "a code, with long-term keys": Case(CODED, NONE),
    "a code if there may be one": Case((when("BoolIfExists", "aws:MultiFactorAuthPresent", "true"),), EVERY),
    "denied without a code": Case(UNCODED_DENIED, NONE),
}

POLICIES: dict[str, Case] = {
    "a boundary that allows": Case((allow(START),), EVERY, boundary=(allow("*"),)),
    "a boundary that is silent": Case((allow(START),), NONE, boundary=(allow("ec2:*", "iam:*"),)),
    "a boundary that grants nothing": Case((), NONE, boundary=(allow("*"),)),
    "a boundary that denies a tag": Case(
        (allow(START),),
        (ALL, "", ALL, ALL),
        boundary=(allow("*"), deny(START, Condition=by("StringEquals", "ssm:resourceTag/frozen", "yes"))),
    ),
    "a boundary of a team": Case((allow(START),), PAY, boundary=(*team("StringEquals", "pay"), allow("iam:*"))),
    "a boundary of documents": Case((allow(START),), ("s",) * 4, boundary=(nodes(), documents(SHELL), allow("iam:*"))),
    "a group's policy": Case((), PAY, group=team("StringEquals", "pay")),
    "a group that denies": Case((allow(START),), NONE, group=(deny(START),)),
    "a managed policy": Case((), PAY, managed=team("StringLike", "pa?")),
    "AWS's own policy": Case((), EVERY, managed="arn:aws:iam::aws:policy/AmazonSSMFullAccess"),
    "an organization that allows": Case((allow(START),), EVERY, organization=(allow("*"),)),
    "an organization that is silent": Case((allow(START),), NONE, organization=(allow("iam:*", "sts:*"),)),
    "an organization that denies": Case(
        (allow(START),),
        NONE,
        organization=(deny(START),),
    ),
    "an organization that denies a document": Case(
        (allow(START),), ("srh",) * 4, organization=(deny(START, resource=document(FORWARD)),)
    ),
    "an organization that grants nothing": Case((), NONE, organization=(allow("*"),)),
}

ROLES: dict[str, Case] = {
    "a role": Case((allow(START),), EVERY, role=True),
    "a role of a team": Case(team("StringEquals", "pay"), PAY, role=True),
    "a role with a path": Case(team("StringEquals", "pay"), PAY, role=True, path="/teams/pay/"),
    "a role's ARN": Case(
        (when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/teams/*"),), EVERY, role=True, path="/teams/"
    ),
    "no user's name": Case(team("StringLike", "${aws:username}"), NONE, role=True),
    "a session's name": Case((when("StringLike", "aws:userid", "*:ann"),), EVERY, role=True),
    "another session's name": Case((when("StringLike", "aws:userid", "*:bob"),), NONE, role=True),
    "the kind of caller": Case((when("StringEquals", "aws:PrincipalType", "AssumedRole"),), EVERY, role=True),
    "a role with a boundary": Case((allow(START),), PAY, role=True,
                                   boundary=(*team("StringEquals", "pay"), allow("iam:*"))),
    "a role's tag": Case(
        (when("StringEquals", "aws:PrincipalTag/team", "pay"),), EVERY, role=True, profile=True, tags={"team": "pay"}
    ),
    "a role without the tag": Case(
        (when("StringEquals", "aws:PrincipalTag/team", "pay"),), NONE, role=True, profile=True
    ),
    "a session with a code": Case(CODED, EVERY, role=True, profile=True, code=True),
    "a session without a code": Case(CODED, NONE, role=True, profile=True),
    "a code would not matter": Case(
        (allow(START), *CODED, deny("ssm:SendCommand", Condition=by("Bool", "aws:MultiFactorAuthPresent", "false"))),
        EVERY,
        role=True,
    ),
    "a session with a code is not denied": Case(UNCODED_DENIED, EVERY, role=True, profile=True, code=True),
    "a session without a code is denied": Case(UNCODED_DENIED, NONE, role=True, profile=True),
    "a role under an organization": Case(
        (allow(START),), NONE, role=True, organization=(deny("ssm:Start*"),)
    ),
}  # fmt: skip


def _abroad(region: str, partition: str) -> dict[str, Case]:
    """The first node alone is there, with its own partition's ARNs."""
    of_team = nodes(by("StringEquals", "ssm:resourceTag/team", "pay"), partition)
    of_others = nodes(by("StringEquals", "ssm:resourceTag/team", "web"), partition)
    return {
        f"{partition}: its ARNs": Case((of_team, documents(partition=partition)), (ALL,), region=region),
        f"{partition}: another's ARNs": Case(team("StringEquals", "pay"), ("",), region=region),
        f"{partition}: another's documents": Case((of_team, documents()), ("",), region=region),
        f"{partition}: another team": Case((of_others, documents(partition=partition)), ("",), region=region),
        f"{partition}: a document": Case((of_team, documents(SHELL, partition=partition)), ("s",), region=region),
        f"{partition}: the caller's ARN": Case(
            (when("ArnLike", "aws:PrincipalArn", f"arn:{partition}:iam::*:user/*"),), (ALL,), region=region
        ),
        f"{partition}: a role with a path": Case((allow(START),), (ALL,), role=True, path="/teams/", region=region),
    }


PARTITIONS = _abroad("cn-north-1", "aws-cn") | _abroad("us-gov-west-1", "aws-us-gov")

# What nobody but AWS can know before the call, each with its reason.
OPEN: dict[str, Case] = {
    "an address": Case((when("IpAddress", "aws:SourceIp", "127.0.0.0/8"),), UNKNOWN, "aws:SourceIp"),
    "an endpoint": Case((when("StringEquals", "aws:SourceVpce", "vpce-1"),), UNKNOWN, "aws:SourceVpce"),
    "denied from elsewhere": Case(
        (allow(START), deny(START, Condition=by("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"))), UNKNOWN, "aws:SourceIp"
    ),
    "a code, with keys of a session": Case(CODED, UNKNOWN, "aws:MultiFactorAuthPresent", role=True),
    "denied without a code, with keys of a session": Case(
        UNCODED_DENIED, UNKNOWN, "aws:MultiFactorAuthPresent", role=True
    ),
    "denied where no code was shown, with keys of a session": Case(
        (allow(START), deny(START, Condition=by("Bool", "aws:MultiFactorAuthPresent", "false"))),
        UNKNOWN,
        "aws:MultiFactorAuthPresent",
        role=True,
    ),
    "the tags of a session": Case(
        (when("StringEquals", "aws:PrincipalTag/team", "pay"),), UNKNOWN, "aws:PrincipalTag/team",
        role=True, session_tags={"team": "pay"},
    ),
    "the organization's id": Case(
        (when("StringEquals", "aws:PrincipalOrgID", "o-1"),), UNKNOWN, "aws:PrincipalOrgID"
    ),
}  # fmt: skip

# What IAM's simulation leaves out, so that the first refusal is what tells: conditional policies of an organization
# ("Testing IAM policies with the IAM policy simulator") and what a session was narrowed by when it was begun.
BEYOND: dict[str, Case] = {
    "an organization's policy with a condition": Case(
        (allow(START),),
        PAY,
        organization=(deny(START, resource=instances(), Condition=by("StringEquals", "ssm:resourceTag/team", "web")),),
    ),
    "a session's policy": Case((allow(START),), PAY, role=True, session=(*team("StringEquals", "pay"), allow("iam:*"))),
}

KNOWN = ACTIONS_AND_RESOURCES | DOCUMENTS | TAGS | CALLERS | POLICIES | ROLES | PARTITIONS
