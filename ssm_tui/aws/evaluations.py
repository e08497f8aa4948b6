"""IAM's evaluation results as answers: verdict, cause, the statements that decided, and why in words. Pure.

Source: data types EvaluationResult, ResourceSpecificResult and Statement of the IAM API reference. IAM gives a result
for each resource, or one for all with the resources' own within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.domain.access import Answer, Cause, Decider, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ssm_tui.aws.principals import Principal

Tags = tuple[tuple[str, str], ...]
_TAGS = ("ssm:resourcetag/", "aws:resourcetag/", "ec2:resourcetag/", "ecs:resourcetag/")
_DECISIONS = frozenset({"allowed", "explicitDeny", "implicitDeny"})
_LIMITS = {
    Cause.ORGANIZATION: "your organization's policies do not allow it",
    Cause.BOUNDARY: "your permissions boundary does not allow it",
}


class Evaluations:
    """Reads results that are about one principal."""

    def __init__(self, principal: Principal) -> None:
        self._lacks = principal.lacks
        self._boundary = principal.boundary
        self._own_names = _own_policy_names(principal.arn)

    def answers(self, result: Mapping[str, Any], arns: Sequence[str], tags: Tags) -> dict[str, Answer]:
        """By resource: what one result says of those that were asked about under these tags."""
        specific = {
            arn: self._answer(result, str(each.get("EvalResourceDecision")), each, arn, tags)
            for each in decode.entries(result.get("ResourceSpecificResults"))
            if (arn := decode.text(each.get("EvalResourceName")))
        }
        if specific:
            return specific
        named = decode.text(result.get("EvalResourceName"))
        about = [named] if named is not None and named != "*" else arns
        decision = str(result.get("EvalDecision"))
        return {arn: self._answer(result, decision, result, arn, tags) for arn in about}

    def _answer(
        self, result: Mapping[str, Any], decision: str, details: Mapping[str, Any], arn: str, tags: Tags
    ) -> Answer:
        if decision not in _DECISIONS:
            return Answer(Verdict.UNKNOWN, "IAM's simulation did not say", None, arn, (), tags)
        # Where something stands above what allows it, that is named too; it has not decided.
        deciders = self._deciders(details) if decision != "implicitDeny" else ()
        missing = self._missing(details)
        with_tags = "".join(f", tag {key}={value}" for key, value in tags)
        policies = _named(deciders)
        if decision == "allowed":
            reason = f"{policies}{with_tags}" if policies else "allowed by your policies"
            return Answer(Verdict.ALLOWED, reason, None, arn, deciders, tags)
        if missing:
            # With that key a statement may allow it, or one that forbids it may not apply.
            reason = only_aws_knows(missing)
            return Answer(Verdict.UNKNOWN, reason, None, arn, deciders, tags)
        cause = self._cause(decision, result, details, deciders)
        if cause is Cause.EXPLICIT:
            reason = f"forbidden by {policies or 'a policy'}{with_tags}"
        else:
            reason = _LIMITS.get(cause) or f"no policy of yours allows it{with_tags}"
        return Answer(Verdict.DENIED, reason, cause, arn, deciders, tags)

    def _cause(
        self, decision: str, result: Mapping[str, Any], details: Mapping[str, Any], deciders: Sequence[Decider]
    ) -> Cause:
        """What stands above the caller's own policies and does not allow it; but a statement of theirs that forbids it
        comes first. Of several resources in one result IAM tells only whether the organization allows all of them."""
        limited = _no(result, details, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary")
        own = any(not limited or each.policy != self._boundary for each in deciders)
        if decision == "explicitDeny" and own:
            return Cause.EXPLICIT
        if _no(result, details, "OrganizationsDecisionDetail", "AllowedByOrganizations"):
            return Cause.ORGANIZATION
        if limited:
            return Cause.BOUNDARY
        return Cause.EXPLICIT if decision == "explicitDeny" else Cause.IMPLICIT

    def _deciders(self, details: Mapping[str, Any]) -> tuple[Decider, ...]:
        found = (
            Decider(self._own_names(name), decode.text(each.get("SourcePolicyType")) or "", _lines(each))
            for each in decode.entries(details.get("MatchedStatements"))
            if (name := decode.text(each.get("SourcePolicyId")))
        )
        return tuple(dict.fromkeys(found))

    def _missing(self, details: Mapping[str, Any]) -> str:
        """The keys that only AWS knows; a tag that is not told is one that the resource has not."""
        keys = decode.texts(details.get("MissingContextValues"))
        return ", ".join(key for key in keys if not key.casefold().startswith(_TAGS) and not self._lacks(key))


def only_aws_knows(keys: str) -> str:
    """Why a verdict is open."""
    return f"your policies look at {keys}, which only AWS knows at the time"


def _named(deciders: Sequence[Decider]) -> str:
    names = dict.fromkeys(each.policy for each in deciders)
    return f"polic{'y' if len(names) == 1 else 'ies'} {', '.join(names)}" if names else ""


def _lines(statement: Mapping[str, Any]) -> tuple[int, int] | None:
    first = decode.entry(statement.get("StartPosition")).get("Line")
    last = decode.entry(statement.get("EndPosition")).get("Line")
    return (first, last) if isinstance(first, int) and isinstance(last, int) else None


def _no(result: Mapping[str, Any], details: Mapping[str, Any], detail: str, name: str) -> bool:
    told = details if detail in details else result
    return decode.entry(told.get(detail)).get(name) is False


def _own_policy_names(principal: str) -> Callable[[str], str]:
    """Inline policies are reported as `user_NAME_POLICY`; the user knows theirs as POLICY."""
    kind, _, name = principal.rsplit(":", 1)[-1].partition("/")
    prefix = f"{kind}_{name.rsplit('/', 1)[-1]}_"
    return lambda policy: policy.removeprefix(prefix)
