"""IAM's simulation of starting sessions for one principal: which context keys matter, what IAM answers for resources.

Source: API reference of GetContextKeysForPrincipalPolicy and SimulatePrincipalPolicy. The simulator knows only what it
is told: a resource's tags and the caller's own attributes are handed to it as context entries.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ssm_tui.aws import decode
from ssm_tui.domain.access import Answer, Verdict
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Caller

ACTION = "ssm:StartSession"
EXECUTE = "ecs:ExecuteCommand"
DOCUMENT_CHECK = "ssm:SessionDocumentAccessCheck"
# How a node's tags are named in conditions: by every kind in two ways, by EC2 and ECS in one of their own too.
_EVERYWHERE = ("ssm:resourceTag/", "aws:ResourceTag/")
TAG_PREFIXES = (*_EVERYWHERE, "ec2:ResourceTag/", "ecs:ResourceTag/")
_PREFIXES = {
    NodeKind.EC2: (*_EVERYWHERE, "ec2:ResourceTag/"),
    NodeKind.HYBRID: _EVERYWHERE,
    NodeKind.ECS: (*_EVERYWHERE, "ecs:ResourceTag/"),
}
# Resources of one call. AWS documents no bound; this many ARNs are some 10 kB of form.
CHUNK = 100
Tags = tuple[tuple[str, str], ...]


class Subject(NamedTuple):
    """What policies see of resources beside their names: the kind, the tags, and other keys of the request (`facts`).
    Resources of one subject are treated the same, unless a policy names them."""

    kind: NodeKind = NodeKind.EC2
    tags: Tags = ()
    facts: Tags = ()


_NOTHING = Subject()


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

    @property
    def principal(self) -> str:
        """The ARN whose policies decide."""
        return self._principal

    def subject(self, kind: NodeKind, tags: Mapping[str, str], facts: Mapping[str, str]) -> Subject:
        """The part of these that a policy's conditions look at."""
        known = tuple((key, value) for key, value in facts.items() if key.casefold() in self._keys)
        return Subject(kind, self._relevant(tags), known)

    def _relevant(self, tags: Mapping[str, str]) -> Tags:
        prefixes = tuple(prefix.casefold() for prefix in TAG_PREFIXES)
        wanted = {key.removeprefix(prefix) for prefix in prefixes for key in self._keys if key.startswith(prefix)}
        return tuple(sorted((key, value) for key, value in tags.items() if key.casefold() in wanted))

    @property
    def looks_at_tags(self) -> bool:
        """Whether any condition is about tags of the resource."""
        return any(key.startswith(prefix.casefold()) for key in self._keys for prefix in TAG_PREFIXES)

    def judge(self, arns: Sequence[str], subject: Subject = _NOTHING) -> dict[str, Answer]:
        """IAM's answer to StartSession for each resource of the subject, in one call."""
        return {arn: answer for (_, arn), answer in self.judge_each((ACTION,), arns, subject).items()}

    def judge_each(
        self, actions: Sequence[str], arns: Sequence[str], subject: Subject
    ) -> dict[tuple[str, str], Answer]:
        """IAM's answer to each action on each resource of the subject, in one call."""
        answers: dict[tuple[str, str], Answer] = {}
        # The pages that may come split the results: a later one adds to what is known.
        for page in self._gateway.pages(
            "iam",
            "simulate_principal_policy",
            PolicySourceArn=self._principal,
            ActionNames=list(actions),
            ResourceArns=list(arns),
            ContextEntries=self._entries(subject),
        ):
            for result in decode.entries(page.get("EvaluationResults")):
                action = decode.text(result.get("EvalActionName")) or actions[0]
                for arn, answer in self._answers(result, arns, subject.tags).items():
                    answers[action, arn] = answer
        return answers

    def _entries(self, subject: Subject) -> list[dict[str, Any]]:
        known = {DOCUMENT_CHECK: ("boolean", "true"), **self._facts}
        known |= {key: ("string", value) for key, value in subject.facts}
        for prefix in _PREFIXES[subject.kind]:
            known |= {prefix + key: ("string", value) for key, value in subject.tags}
        return [
            {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}
            for key, (kind, value) in known.items()
            if key.casefold() in self._keys
        ]

    def _answers(self, result: Mapping[str, Any], arns: Sequence[str], tags: Tags) -> dict[str, Answer]:
        specific = {
            arn: self._answer(result, str(each.get("EvalResourceDecision")), each, tags)
            for each in decode.entries(result.get("ResourceSpecificResults"))
            if (arn := decode.text(each.get("EvalResourceName")))
        }
        if specific:
            return specific
        overall = self._answer(result, str(result.get("EvalDecision")), result, tags)
        return dict.fromkeys(arns, overall)

    def _answer(self, result: Mapping[str, Any], decision: str, details: Mapping[str, Any], tags: Tags) -> Answer:
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
