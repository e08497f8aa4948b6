"""STS's and IAM's answers as AWS writes them: who calls, and that they may. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tests.wire.ec2 import xml
from tests.wire.fleet import ACCOUNT

USER = f"arn:aws:iam::{ACCOUNT}:user/developer"

_MATCHED = (
    "<member><SourcePolicyId>Sessions</SourcePolicyId><SourcePolicyType>user-managed</SourcePolicyType>"
    "<StartPosition><Line>3</Line><Column>16</Column></StartPosition>"
    "<EndPosition><Line>9</Line><Column>6</Column></EndPosition></member>"
)


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


def context_keys(tag: str) -> bytes:
    """GetContextKeysForPrincipalPolicy: the policies look at one tag."""
    inside = f"<ContextKeyNames><member>ssm:resourceTag/{tag}</member></ContextKeyNames>"
    return answer("GetContextKeysForPrincipalPolicy", inside)


def simulated(decisions: Mapping[str, str]) -> bytes:
    """SimulatePrincipalPolicy: IAM's words by resource, a result each."""
    members = "".join(
        f"<member><EvalActionName>ssm:StartSession</EvalActionName><EvalResourceName>{xml(each)}</EvalResourceName>"
        f"<EvalDecision>{decision}</EvalDecision><MatchedStatements>{_MATCHED if decision != 'implicitDeny' else ''}"
        "</MatchedStatements><MissingContextValues/></member>"
        for each, decision in decisions.items()
    )
    inside = f"<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>"
    return answer("SimulatePrincipalPolicy", inside)


def aliases() -> bytes:
    """ListAccountAliases: there is one."""
    inside = "<IsTruncated>false</IsTruncated><AccountAliases><member>fleet-prod</member></AccountAliases>"
    return answer("ListAccountAliases", inside)
