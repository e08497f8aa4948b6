"""STS's and IAM's answers as AWS writes them: who calls, and that they may. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tests.wire.ec2 import xml
from tests.wire.fleet import ACCOUNT

USER = f"arn:aws:iam::{ACCOUNT}:user/developer"


def answer(operation: str, inside: str = "") -> bytes:
    """Any answer of a service that speaks AWS's query protocol."""
    return (
        f'<{operation}Response xmlns="https://example.amazonaws.com/doc/">\n  <{operation}Result>{inside}'
        f"</{operation}Result>\n  <ResponseMetadata><RequestId>8f7724cf-496f</RequestId></ResponseMetadata>\n"
        f"</{operation}Response>"
    ).encode()


def caller() -> bytes:
    """GetCallerIdentity."""
    inside = f"<Arn>{USER}</Arn><UserId>AIDA4XVQ7W2JZCEXAMPLE</UserId><Account>{ACCOUNT}</Account>"
    return answer("GetCallerIdentity", inside)


def context_keys() -> bytes:
    """GetContextKeysForPrincipalPolicy: the policies look at one tag."""
    inside = "<ContextKeyNames><member>ssm:resourceTag/team</member></ContextKeyNames>"
    return answer("GetContextKeysForPrincipalPolicy", inside)


def simulated(resources: Iterable[str]) -> bytes:
    """SimulatePrincipalPolicy: everything is allowed."""
    members = "".join(
        f"<member><EvalActionName>ssm:StartSession</EvalActionName><EvalResourceName>{xml(each)}</EvalResourceName>"
        "<EvalDecision>allowed</EvalDecision><MatchedStatements><member><SourcePolicyId>Sessions</SourcePolicyId>"
        "<SourcePolicyType>IAM Policy</SourcePolicyType></member></MatchedStatements><MissingContextValues/></member>"
        for each in resources
    )
    inside = f"<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>"
    return answer("SimulatePrincipalPolicy", inside)


def aliases() -> bytes:
    """ListAccountAliases: there is one."""
    inside = "<IsTruncated>false</IsTruncated><AccountAliases><member>fleet-prod</member></AccountAliases>"
    return answer("ListAccountAliases", inside)
