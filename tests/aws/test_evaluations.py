"""IAM's evaluation results, as its API reference has them, read as answers."""

from __future__ import annotations

from typing import Any

import pytest

from ssm_tui.aws.evaluations import Evaluations
from ssm_tui.aws.principals import Principal
from ssm_tui.domain.access import Cause, Decider, Verdict

NODE = "arn:aws:ec2:us-east-1:1:instance/i-1"
OTHER = "arn:aws:ec2:us-east-1:1:instance/i-2"
TAGS = (("team", "pay"),)
PRINCIPAL = Principal("arn:aws:iam::1:user/teams/ana", {}, frozenset({"aws:multifactorauthpresent"}), True, "Limits")
OWN = {
    "SourcePolicyId": "user_ana_Own",
    "SourcePolicyType": "user",
    "StartPosition": {"Line": 3, "Column": 5},
    "EndPosition": {"Line": 9, "Column": 6},
}
LIMITS = {"SourcePolicyId": "Limits", "SourcePolicyType": "user-managed"}
OUTSIDE_BOUNDARY = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}
WITHIN_BOUNDARY = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": True}}
OUTSIDE_ORGANIZATION = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}


def result(decision: str, *matched: Any, **more: Any) -> dict[str, Any]:
    return {
        "EvalActionName": "ssm:StartSession",
        "EvalResourceName": NODE,
        "EvalDecision": decision,
        "MatchedStatements": list(matched),
        **more,
    }


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (result("implicitDeny"), Cause.IMPLICIT),
        (result("explicitDeny", OWN), Cause.EXPLICIT),
        (result("implicitDeny", OWN, **OUTSIDE_BOUNDARY), Cause.BOUNDARY),
        (result("implicitDeny", **WITHIN_BOUNDARY), Cause.IMPLICIT),
        (result("explicitDeny", LIMITS, **OUTSIDE_BOUNDARY), Cause.BOUNDARY),
        (result("explicitDeny", OWN, **OUTSIDE_BOUNDARY), Cause.EXPLICIT),
        (result("implicitDeny", OWN, **OUTSIDE_ORGANIZATION), Cause.ORGANIZATION),
        (result("explicitDeny", **OUTSIDE_ORGANIZATION), Cause.ORGANIZATION),
        (result("explicitDeny", OWN, **OUTSIDE_ORGANIZATION), Cause.EXPLICIT),
        (result("implicitDeny", **OUTSIDE_ORGANIZATION, **OUTSIDE_BOUNDARY), Cause.ORGANIZATION),
    ],
)
def test_what_a_denial_comes_from(found: dict[str, Any], cause: Cause) -> None:
    answer = Evaluations(PRINCIPAL).answers(found, [NODE], TAGS)[NODE]
    assert (answer.verdict, answer.cause, answer.resource, answer.tags) == (Verdict.DENIED, cause, NODE, TAGS)
    assert bool(answer.deciders) is (found["EvalDecision"] == "explicitDeny" and bool(found["MatchedStatements"]))


def test_the_statement_is_named_as_its_owner_knows_it() -> None:
    answer = Evaluations(PRINCIPAL).answers(result("allowed", OWN, OWN, LIMITS), [NODE], TAGS)[NODE]
    assert answer.deciders == (Decider("Own", "user", (3, 9)), Decider("Limits", "user-managed"))
    assert answer.reason == "policies Own, Limits, tag team=pay"


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [
        (("aws:SourceIp",), Verdict.UNKNOWN),
        (("aws:MultiFactorAuthPresent",), Verdict.DENIED),  # known not to be there
        (("ssm:resourceTag/owner", "aws:ResourceTag/x"), Verdict.DENIED),  # a tag that the node has not
        (("aws:PrincipalTag/team",), Verdict.DENIED),  # a tag that the caller has not
        (("s3:prefix", "aws:RequestTag/x"), Verdict.DENIED),  # none of these calls has it
        (("ssm:resourceTag/owner", "aws:SourceVpce"), Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("decision", ["implicitDeny", "explicitDeny"])
def test_what_is_missing_counts_where_only_aws_knows_it(
    decision: str, missing: tuple[str, ...], verdict: Verdict
) -> None:
    answer = Evaluations(PRINCIPAL).answers(result(decision, MissingContextValues=list(missing)), [NODE], ())[NODE]
    assert answer.verdict is verdict
    assert ("which only AWS knows" in answer.reason) is (verdict is Verdict.UNKNOWN)


def test_results_come_for_each_resource_or_for_all_together() -> None:
    evaluations = Evaluations(PRINCIPAL)
    apart = evaluations.answers(result("allowed", OWN), [NODE, OTHER], ())
    assert list(apart) == [NODE]  # another result is about the other
    together = {
        **result("implicitDeny"),
        "EvalResourceName": "*",
        "ResourceSpecificResults": [
            {"EvalResourceName": NODE, "EvalResourceDecision": "allowed", "MatchedStatements": [OWN]},
            {"EvalResourceName": OTHER, "EvalResourceDecision": "implicitDeny", **OUTSIDE_BOUNDARY},
        ],
    }
    found = evaluations.answers(together, [NODE, OTHER], ())
    assert [each.verdict for each in found.values()] == [Verdict.ALLOWED, Verdict.DENIED]
    assert found[OTHER].cause is Cause.BOUNDARY


def test_odd_results_are_no_verdicts() -> None:
    evaluations = Evaluations(PRINCIPAL)
    assert evaluations.answers({"EvalDecision": None}, [NODE], ())[NODE].verdict is Verdict.UNKNOWN
    assert evaluations.answers({"EvalDecision": "allowed", "MatchedStatements": "?"}, [NODE], ())[NODE].deciders == ()
    odd = result("allowed", {"SourcePolicyId": 7}, {"SourcePolicyId": "Own", "StartPosition": {"Line": "x"}})
    assert evaluations.answers(odd, [NODE], ())[NODE].deciders == (Decider("Own"),)
