"""IAM's simulation of starting sessions for one principal: which context keys matter, what IAM answers for resources.

Source: API reference of GetContextKeysForPrincipalPolicy and SimulatePrincipalPolicy. The simulator knows only what it
is told: a resource's tags and the caller's own attributes are handed to it as context entries.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ssm_tui.aws import decode
from ssm_tui.aws.evaluations import Evaluations, only_aws_knows
from ssm_tui.aws.principals import entities, known_principal
from ssm_tui.domain.access import Verdict
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.aws.principals import Entity, Fact
    from ssm_tui.domain.access import Answer
    from ssm_tui.domain.contexts import Caller

ACTION = "ssm:StartSession"
EXECUTE = "ecs:ExecuteCommand"
DOCUMENT_CHECK = "ssm:SessionDocumentAccessCheck"
_CODE = "aws:MultiFactorAuthPresent"
_NO_CODE = {_CODE: ("boolean", "false")}
# How a node's tags are named in conditions: by every kind in two ways, by EC2 and ECS in one of their own too.
_EVERYWHERE = ("ssm:resourceTag/", "aws:ResourceTag/")
TAG_PREFIXES = (*_EVERYWHERE, "ec2:ResourceTag/", "ecs:ResourceTag/")
_PREFIXES = {
    NodeKind.EC2: (*_EVERYWHERE, "ec2:ResourceTag/"),
    NodeKind.HYBRID: _EVERYWHERE,
    NodeKind.ECS: (*_EVERYWHERE, "ecs:ResourceTag/"),
}
# Resources of one call, and results of one page of its answer. AWS documents no bound for the first, 1,000 for the
# second; this many ARNs are some 100 kB of form. Where IAM takes fewer, `judge` finds out.
CHUNK = 1000
_LEAST = 100
_TOO_MANY = frozenset({
    "413", "InvalidInput", "PolicyEvaluation", "RequestEntityTooLarge", "RequestTooLarge", "ValidationError",
})  # fmt: skip
_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
Tags = tuple[tuple[str, str], ...]


class Subject(NamedTuple):
    """What policies see of resources beside their names: keys with their values, and the tags among them by the tags'
    own names. Resources of one subject are treated the same, unless a policy names them."""

    entries: Tags = ()
    tags: Tags = ()


_NOTHING = Subject()


class Simulator:
    """The policies of one principal, as IAM judges them. `step` is called before each call. Raises AwsError from its
    constructor and from `judge`."""

    def __init__(
        self,
        gateway: Gateway,
        caller: Caller,
        user_id: str,
        region: str,
        *,
        step: Callable[[], object] = bool,
    ) -> None:
        self._gateway, self._step, self._chunk = gateway, step, CHUNK
        entity, asked = self._look_up(caller, region)
        # Keys are compared without regard to case, the tag's own part included.
        self._keys = frozenset(key.casefold() for key in asked)
        principal = known_principal(gateway, caller, user_id, entity, self._keys)
        self.principal = principal.arn
        self._evaluations = Evaluations(principal)
        known: dict[str, Fact] = {
            DOCUMENT_CHECK: ("boolean", "true"),
            "aws:RequestedRegion": ("string", region),
            **principal.facts,
        }
        self._facts = {key: fact for key, fact in known.items() if key.casefold() in self._keys}
        self._code_unknown = _CODE.casefold() in self._keys - {key.casefold() for key in self._facts} and not (
            principal.lacks(_CODE)
        )

    def _look_up(self, caller: Caller, region: str) -> tuple[Entity, tuple[str, ...]]:
        """The principal, and the keys that its policies look at."""
        unknown: AwsError | None = None
        for entity in entities(self._gateway, caller, region):
            try:
                asked = self._gateway.call("iam", "get_context_keys_for_principal_policy", PolicySourceArn=entity.arn)
            except AwsError as error:
                if error.code != "NoSuchEntity":
                    raise
                unknown = unknown or error
            else:
                return entity, decode.texts(asked.get("ContextKeyNames"))
        raise unknown or AwsError(f"IAM knows no principal {caller.principal}")

    @property
    def keys(self) -> frozenset[str]:
        """What the policies' conditions look at, folded."""
        return self._keys

    def subject(self, kind: NodeKind, tags: Mapping[str, str], facts: Mapping[str, str]) -> Subject:
        """The part of a resource's tags, and of other facts about it, that a condition looks at."""
        entries, looked_at = [], {}
        for prefix in _PREFIXES[kind]:
            for key, value in tags.items():
                if f"{prefix}{key}".casefold() in self._keys:
                    entries.append((f"{prefix}{key}", value))
                    looked_at[key] = value
        entries += [(key, value) for key, value in facts.items() if key.casefold() in self._keys]
        return Subject(tuple(sorted(entries)), tuple(sorted(looked_at.items())))

    @property
    def looks_at_tags(self) -> bool:
        """Whether any condition is about tags of the resource."""
        return any(key.startswith(prefix.casefold()) for key in self._keys for prefix in TAG_PREFIXES)

    def judge(self, arns: Sequence[str], subject: Subject = _NOTHING) -> dict[str, Answer]:
        """IAM's answer to StartSession for each resource of the subject, in one call for up to CHUNK."""
        return {arn: answer for (_, arn), answer in self.judge_each((ACTION,), arns, subject).items()}

    def judge_each(
        self, actions: Sequence[str], arns: Sequence[str], subject: Subject = _NOTHING
    ) -> dict[tuple[str, str], Answer]:
        """IAM's answer to each action on each resource of the subject, in as few calls as IAM takes them."""
        answers: dict[tuple[str, str], Answer] = {}
        rest = list(arns)
        while rest:
            several = rest[: self._chunk]
            try:
                answers |= self._whatever_code(actions, several, subject)
            except AwsError as error:
                if error.code not in _TOO_MANY or len(several) <= _LEAST:
                    raise
                self._chunk = len(several) // 2
            else:
                rest = rest[len(several) :]
        return answers

    def _whatever_code(
        self, actions: Sequence[str], arns: Sequence[str], subject: Subject
    ) -> dict[tuple[str, str], Answer]:
        """Where nobody knows whether an MFA code was shown, what is allowed is asked about once more without one: IAM
        passes over a statement that denies by a key that it is not told."""
        answers = self._asked(actions, arns, subject)
        allowed = dict.fromkeys(arn for (_, arn), answer in answers.items() if answer.verdict is Verdict.ALLOWED)
        if self._code_unknown and allowed:
            for place, answer in self._asked(actions, tuple(allowed), subject, _NO_CODE).items():
                if answer.verdict is Verdict.DENIED and answers[place].verdict is Verdict.ALLOWED:
                    answers[place] = replace(answer, verdict=Verdict.UNKNOWN, reason=only_aws_knows(_CODE), cause=None)
        return answers

    def beneath(self, action: str, arns: Sequence[str], subject: Subject = _NOTHING) -> dict[tuple[str, str], Answer]:
        """What IAM would answer if the permissions boundary allowed everything: the one that is given here stands in
        the place of the principal's own."""
        return self._asked((action,), arns, subject, PermissionsBoundaryPolicyInputList=[_EVERYTHING])

    def _asked(
        self,
        actions: Sequence[str],
        arns: Sequence[str],
        subject: Subject,
        facts: Mapping[str, Fact] = MappingProxyType({}),
        **more: Any,
    ) -> dict[tuple[str, str], Answer]:
        answers: dict[tuple[str, str], Answer] = {}
        self._step()
        # The pages that may come split the results: a later one adds to what is known.
        for page in self._gateway.pages(
            "iam",
            "simulate_principal_policy",
            page_size=CHUNK,
            PolicySourceArn=self.principal,
            ActionNames=list(actions),
            ResourceArns=list(arns),
            ContextEntries=self._entries(subject, facts),
            **more,
        ):
            for result in decode.entries(page.get("EvaluationResults")):
                action = decode.text(result.get("EvalActionName")) or actions[0]
                for arn, answer in self._evaluations.answers(result, arns, subject.tags).items():
                    answers[action, arn] = answer
        return answers

    def _entries(self, subject: Subject, facts: Mapping[str, Fact]) -> list[dict[str, Any]]:
        known = {**self._facts, **facts, **{key: ("string", value) for key, value in subject.entries}}
        return [
            {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}
            for key, (kind, value) in known.items()
        ]
