"""AWS's sentences of refusal, as the IAM user guide has them ("Troubleshoot access denied error messages")."""

from __future__ import annotations

import pytest

from ssm_tui.domain.access import Cause, Verdict
from ssm_tui.domain.refusals import read_refusal

NODE = "arn:aws:ec2:us-east-1:123456789012:instance/i-02573cafcfEXAMPLE"
WHO = "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_1/ana@example.com is not authorized to perform:"
DENY = "with an explicit deny in"


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        ("because no identity-based policy allows the ssm:StartSession action", Cause.IMPLICIT),
        ("because no session policy allows the ssm:StartSession action", Cause.IMPLICIT),
        ("because no VPC endpoint policy allows the ssm:StartSession action", Cause.IMPLICIT),
        ("because no permissions boundary allows the ssm:StartSession action", Cause.BOUNDARY),
        ("because no service control policy allows the ssm:StartSession action", Cause.ORGANIZATION),
        ("because no resource control policy allows the ssm:StartSession action", Cause.ORGANIZATION),
        (f"{DENY} an identity-based policy", Cause.EXPLICIT),
        (f"{DENY} an identity-based policy: arn:aws:iam::123456789012:policy/Limits", Cause.EXPLICIT),
        (f"{DENY} a session policy", Cause.EXPLICIT),
        (f"{DENY} a permissions boundary", Cause.BOUNDARY),
        (f"{DENY} a service control policy", Cause.ORGANIZATION),
        (
            f"{DENY} a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
            Cause.ORGANIZATION,
        ),
        (f"{DENY} a resource control policy", Cause.ORGANIZATION),
        ("", None),
    ],
)
def test_the_cause_is_read_from_the_sentence(ending: str, cause: Cause | None) -> None:
    refusal = read_refusal(f"{WHO} ssm:StartSession on resource: {NODE} {ending}".rstrip())
    assert refusal is not None
    assert (refusal.action, refusal.resource, refusal.cause) == ("ssm:StartSession", NODE, cause)
    answer = refusal.answer
    assert (answer.verdict, answer.cause, answer.resource) == (Verdict.DENIED, cause, NODE)


def test_the_aws_clis_line_is_read_too() -> None:
    line = "An error occurred (AccessDeniedException) when calling the StartSession operation: "
    document = "arn:aws-us-gov:ssm:us-gov-west-1::document/AWS-StartSSHSession"
    refusal = read_refusal(f"{line}{WHO} ssm:StartSession on resource: {document}.")
    assert refusal is not None
    assert (refusal.resource, refusal.reason) == (document, "")


def test_what_is_no_refusal_is_none() -> None:
    assert read_refusal("i-1 is not connected.") is None
