"""IAM's policy simulation over the principal's live policies: the query calls that moto does not have.

As in AWS, the simulator knows only what it is told: tags of a resource and facts about the caller come as context
entries, of what a role's session was narrowed by it knows nothing, and service control policies that have conditions
it leaves out. Sources: API reference of SimulatePrincipalPolicy and GetContextKeysForPrincipalPolicy; "Testing IAM
policies with the IAM policy simulator" in the IAM user guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.demo.answers import Answer, AwsFault, query_answer
from ssm_tui.demo.policy import (
    Decision,
    Limit,
    Policy,
    PolicyError,
    Request,
    Verdict,
    evaluate,
    parse_policy,
    referenced_keys,
)
from ssm_tui.demo.principals import Principal, find_principal, set_user_boundary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.policy import Limits, Statement
    from ssm_tui.demo.policy_conditions import Values
    from ssm_tui.demo.wire import WireRequest

_SEVERITY = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY, Decision.ALLOWED)


def simulate_principal_policy(request: WireRequest, _caller: Principal) -> Answer:
    """SimulatePrincipalPolicy: one result an action, with one specific result for each resource that was named."""
    form = request.form
    principal = _source(form)
    policies = principal.policies + _inputs(form, "PolicyInputList")
    boundaries = _inputs(form, "PermissionsBoundaryPolicyInputList")
    limits: dict[Limit, tuple[Policy, ...]] = {
        limit: policies for limit, policies in principal.limits.items() if limit is not Limit.SESSION
    }
    if Limit.ORGANIZATION in limits:
        limits[Limit.ORGANIZATION] = tuple(each for each in principal.guardrails if not each.conditional)
    if boundaries:
        limits[Limit.BOUNDARY] = boundaries[:1]
    actions = _members(form, "ActionNames")
    if not actions:
        raise AwsFault("ValidationError", "1 validation error detected: Value null at 'actionNames' failed to satisfy "
                       "constraint: Member must not be null")  # fmt: skip
    for action in actions:
        if ":" not in action:
            raise AwsFault("InvalidInput", f"Invalid action: {action}. Actions must be prefixed with a vendor.")
    context = _context(form)
    resources = _members(form, "ResourceArns") or ("*",)
    first, size = _page(form)
    chosen = actions[first : first + size]
    results = [_result(policies, limits, action, resources, context) for action in chosen]
    more = first + size < len(actions)
    answer: dict[str, Any] = {"EvaluationResults": results, "IsTruncated": more}
    if more:
        answer["Marker"] = str(first + size)
    return _xml("SimulatePrincipalPolicy", answer)


def context_keys_for_principal_policy(request: WireRequest, _caller: Principal) -> Answer:
    """GetContextKeysForPrincipalPolicy: every key the policies' conditions and variables name."""
    principal = _source(request.form)
    policies = list(principal.policies) + list(_inputs(request.form, "PolicyInputList"))
    if principal.boundary is not None:
        policies.append(principal.boundary)
    return _xml("GetContextKeysForPrincipalPolicy", {"ContextKeyNames": list(referenced_keys(policies))})


def put_user_permissions_boundary(request: WireRequest, caller: Principal) -> Answer:
    """PutUserPermissionsBoundary, which moto lacks for users."""
    return _boundary(request, caller, request.form.get("PermissionsBoundary"))


def delete_user_permissions_boundary(request: WireRequest, caller: Principal) -> Answer:
    """DeleteUserPermissionsBoundary."""
    return _boundary(request, caller, None)


def _boundary(request: WireRequest, caller: Principal, policy_arn: str | None) -> Answer:
    name = request.form.get("UserName", "")
    try:
        set_user_boundary(caller.account, caller.partition, name, policy_arn)
    except KeyError:
        raise AwsFault("NoSuchEntity", f"The user with name {name} cannot be found.", 404) from None
    return _xml(request.operation, {})


def _source(form: Mapping[str, str]) -> Principal:
    arn = form.get("PolicySourceArn", "")
    principal = find_principal(arn)
    if principal is None:
        # AWS refuses the ARN of a role's session here: it wants the role's own.
        if ":assumed-role/" in arn or not arn.startswith("arn:"):
            raise AwsFault("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
        raise AwsFault("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404)
    return principal


def _inputs(form: Mapping[str, str], name: str) -> tuple[Policy, ...]:
    try:
        return tuple(
            parse_policy(f"PolicyInputList.{number}", "none", text)
            for number, text in enumerate(_members(form, name), start=1)
        )
    except PolicyError as error:
        raise AwsFault("InvalidInput", f"Invalid policy document: {error}") from None


def _members(form: Mapping[str, str], name: str) -> tuple[str, ...]:
    found: list[str] = []
    while (value := form.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return tuple(found)


def _context(form: Mapping[str, str]) -> dict[str, Values]:
    entries: dict[str, Values] = {}
    number = 1
    while (key := form.get(f"ContextEntries.member.{number}.ContextKeyName")) is not None:
        entries[key] = _members(form, f"ContextEntries.member.{number}.ContextKeyValues")
        number += 1
    return entries


def _page(form: Mapping[str, str]) -> tuple[int, int]:
    marker, size = form.get("Marker", "0"), form.get("MaxItems", "100")
    if not marker.isdecimal() or not size.isdecimal():
        raise AwsFault("InvalidInput", "Invalid Marker or MaxItems.")
    return int(marker), max(1, min(1000, int(size)))


def _result(
    policies: tuple[Policy, ...],
    limits: Limits,
    action: str,
    resources: tuple[str, ...],
    context: Mapping[str, Values],
) -> dict[str, Any]:
    verdicts = [(each, evaluate(policies, Request(action, each, context), limits)) for each in resources]
    worst = min((verdict for _, verdict in verdicts), key=lambda each: _SEVERITY.index(each.decision))
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resources[0] if len(resources) == 1 else "*",
        "EvalDecision": worst.decision.value,
        "MatchedStatements": _statements(worst),
    }
    result |= _details(worst)
    if Limit.ORGANIZATION in limits:
        allows = all(verdict.limits[Limit.ORGANIZATION] for _, verdict in verdicts)
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allows}
    if resources == ("*",):
        result["MissingContextValues"] = sorted(worst.missing)
    else:
        result["MissingContextValues"] = []
        result["ResourceSpecificResults"] = [_specific(resource, verdict) for resource, verdict in verdicts]
    return result


def _specific(resource: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "EvalResourceName": resource,
        "EvalResourceDecision": verdict.decision.value,
        "MatchedStatements": _statements(verdict),
        "MissingContextValues": sorted(verdict.missing),
        **_details(verdict),
    }


def _details(verdict: Verdict) -> dict[str, Any]:
    if Limit.BOUNDARY not in verdict.limits:
        return {}
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": verdict.limits[Limit.BOUNDARY]}}


def _statements(verdict: Verdict) -> list[dict[str, Any]]:
    """What decided; the simulation names no statement of an organization's."""
    if verdict.limit is Limit.ORGANIZATION:
        return []
    return [_statement(each) for each in verdict.matched]


def _statement(statement: Statement) -> dict[str, Any]:
    named: dict[str, Any] = {"SourcePolicyId": statement.source, "SourcePolicyType": statement.source_kind}
    if statement.span is not None:
        for name, place in (("StartPosition", statement.span.start), ("EndPosition", statement.span.end)):
            named[name] = {"Line": place.line, "Column": place.column}
    return named


def _xml(operation: str, result: dict[str, Any]) -> Answer:
    return query_answer("iam", operation, result)
