"""IAM's simulation of StartSession for one principal: which context keys matter, and what IAM answers for resources.

Source: API reference of GetContextKeysForPrincipalPolicy and SimulatePrincipalPolicy. The simulator knows only what it
is told: a resource's tags and the caller's own attributes are handed to it as context entries.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.domain.access import Answer, Verdict
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Caller

ACTION = "ssm:StartSession"
DOCUMENT_CHECK = "ssm:SessionDocumentAccessCheck"
# How a node's tags are named in conditions. ec2: is there for instances alone, the others for hybrid nodes too.
TAG_PREFIXES = ("ssm:resourceTag/", "aws:ResourceTag/", "ec2:ResourceTag/")
# Resources of one call. AWS documents no bound; this many ARNs are some 10 kB of form.
CHUNK = 100


class Simulator:
    """The policies of one principal, as IAM judges them. Raises AwsError from both of its calls."""

    def __init__(self, gateway: Gateway, caller: Caller, user_id: str, region: str) -> None:
        self._gateway = gateway
        self._principal = _principal_arn(gateway, caller)
        self._own_names = _own_policy_names(self._principal)
        asked = gateway.call("iam", "get_context_keys_for_principal_policy", PolicySourceArn=self._principal)
        # Keys are compared without regard to case, the tag's own part included.
        self._keys = {key.casefold(): key for key in decode.texts(asked.get("ContextKeyNames"))}
        self._facts = _facts(caller, self._principal, user_id, region)

    def relevant(self, tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The tags that a policy's conditions look at, sorted: nodes that have the same are treated the same."""
        prefixes = tuple(prefix.casefold() for prefix in TAG_PREFIXES)
        wanted = {key.removeprefix(prefix) for prefix in prefixes for key in self._keys if key.startswith(prefix)}
        return tuple(sorted((key, value) for key, value in tags.items() if key.casefold() in wanted))

    @property
    def looks_at_tags(self) -> bool:
        """Whether any condition is about tags of the resource."""
        return any(key.startswith(prefix.casefold()) for key in self._keys for prefix in TAG_PREFIXES)

    def judge(self, arns: Sequence[str], tags: Iterable[tuple[str, str]], *, hybrid: bool = False) -> dict[str, Answer]:
        """IAM's answer for each resource that carries the tags, in one call."""
        tags = tuple(tags)
        entries = self._entries(tags, hybrid=hybrid)
        answers: dict[str, Answer] = {}
        # One action, so the pages that may come split its resources.
        for page in self._gateway.pages(
            "iam",
            "simulate_principal_policy",
            PolicySourceArn=self._principal,
            ActionNames=[ACTION],
            ResourceArns=list(arns),
            ContextEntries=entries,
        ):
            for result in decode.entries(page.get("EvaluationResults")):
                answers.update(self._answers(result, arns, tags))
        return answers

    def _entries(self, tags: tuple[tuple[str, str], ...], *, hybrid: bool) -> list[dict[str, Any]]:
        known = {DOCUMENT_CHECK: ("boolean", "true"), **self._facts}
        for prefix in TAG_PREFIXES[: 2 if hybrid else 3]:
            known |= {prefix + key: ("string", value) for key, value in tags}
        return [
            {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}
            for key, (kind, value) in known.items()
            if key.casefold() in self._keys
        ]

    def _answers(
        self, result: Mapping[str, Any], arns: Sequence[str], tags: tuple[tuple[str, str], ...]
    ) -> dict[str, Answer]:
        specific = {
            arn: self._answer(result, str(each.get("EvalResourceDecision")), each, tags)
            for each in decode.entries(result.get("ResourceSpecificResults"))
            if (arn := decode.text(each.get("EvalResourceName")))
        }
        if specific:
            return specific
        overall = self._answer(result, str(result.get("EvalDecision")), result, tags)
        return dict.fromkeys(arns, overall)

    def _answer(
        self, result: Mapping[str, Any], decision: str, details: Mapping[str, Any], tags: tuple[tuple[str, str], ...]
    ) -> Answer:
        policies = self._policies(details)
        with_tags = "".join(f", tag {key}={value}" for key, value in tags)
        if decision == "allowed":
            return Answer(Verdict.ALLOWED, f"{policies}{with_tags}" if policies else "allowed by your policies")
        if decision == "explicitDeny":
            return Answer(Verdict.DENIED, f"forbidden by {policies or 'a policy'}{with_tags}")
        missing = self._missing(details)
        if missing:
            return Answer(Verdict.UNKNOWN, f"your policies look at {missing}, which only AWS knows at the time")
        return Answer(Verdict.DENIED, _limit(details) or _limit(result) or f"no policy of yours allows it{with_tags}")

    def _policies(self, details: Mapping[str, Any]) -> str:
        names = dict.fromkeys(
            self._own_names(name)
            for each in decode.entries(details.get("MatchedStatements"))
            if (name := decode.text(each.get("SourcePolicyId")))
        )
        return f"polic{'y' if len(names) == 1 else 'ies'} {', '.join(names)}" if names else ""

    def _missing(self, details: Mapping[str, Any]) -> str:
        """The keys that were not known; a tag that is not told is one that the resource has not."""
        prefixes = tuple(prefix.casefold() for prefix in (*TAG_PREFIXES, DOCUMENT_CHECK))
        keys = decode.texts(details.get("MissingContextValues"))
        return ", ".join(key for key in keys if not key.casefold().startswith(prefixes))


def _limit(result: Mapping[str, Any]) -> str:
    """What stands above the caller's own policies and does not allow it, if that is why."""
    boundary = decode.entry(result.get("PermissionsBoundaryDecisionDetail")).get("AllowedByPermissionsBoundary")
    organization = decode.entry(result.get("OrganizationsDecisionDetail")).get("AllowedByOrganizations")
    if organization is False:
        return "your organization's policies do not allow it"
    return "your permissions boundary does not allow it" if boundary is False else ""


def _principal_arn(gateway: Gateway, caller: Caller) -> str:
    """The ARN whose policies decide, with a role's path: an assumed role's session ARN does not carry it."""
    arn = caller.principal
    if arn == caller.arn:
        return arn
    try:
        role = gateway.call("iam", "get_role", RoleName=arn.rsplit("/", 1)[-1])
    except AwsError:
        # Most roles have no path; where this one does, the simulation will say that it cannot be found.
        return arn
    return decode.text(decode.entry(role.get("Role")).get("Arn")) or arn


def _own_policy_names(principal: str) -> Any:
    """Inline policies are reported as `user_NAME_POLICY`; the user knows theirs as POLICY."""
    kind, _, name = principal.rsplit(":", 1)[-1].partition("/")
    prefix = f"{kind}_{name.rsplit('/', 1)[-1]}_"
    return lambda policy: policy.removeprefix(prefix)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _facts(caller: Caller, principal: str, user_id: str, region: str) -> dict[str, tuple[str, str]]:
    """What every request of this caller carries, as far as it can be known here."""
    facts = {
        "aws:PrincipalArn": ("string", principal),
        "aws:PrincipalAccount": ("string", caller.account),
        "aws:userid": ("string", user_id),
        "aws:RequestedRegion": ("string", region),
        "aws:CurrentTime": ("date", _now()),
        "aws:SecureTransport": ("boolean", "true"),
        "aws:ViaAWSService": ("boolean", "false"),
    }
    if ":user/" in principal:
        facts["aws:username"] = ("string", principal.rsplit("/", 1)[-1])
    return facts
