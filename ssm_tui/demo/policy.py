"""IAM's evaluation of identity policies: statements and a request in, a verdict out. Pure; knows no moto and no tool.

The rules are those of "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide: everything is
denied until a statement allows it, an explicit deny always wins, and an organization's service control policies, a
permissions boundary and the policies of a role's session each cap what may be allowed.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ssm_tui.demo.policy_conditions import Condition, Values, context_keys, holds, pattern_matches
from ssm_tui.demo.policy_positions import Span, statement_spans


class PolicyError(ValueError):
    """A policy document that is not one."""


class Decision(enum.Enum):
    """IAM's own words for the outcome, as SimulatePrincipalPolicy returns them."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class Limit(enum.Enum):
    """What stands above a principal's own policies, in the order in which IAM looks."""

    ORGANIZATION = "service control policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


Limits = Mapping[Limit, tuple["Policy", ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `actions`, `resources` are patterns, `negated_…` that they came as NotAction, NotResource.
    `span` is where it stands in the document's text."""

    source: str
    source_kind: str
    allow: bool
    actions: tuple[str, ...]
    negated_actions: bool
    resources: tuple[str, ...]
    negated_resources: bool
    conditions: tuple[Condition, ...]
    variables: bool
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy attached to a principal; `kind` is IAM's PolicySourceType (user, group, role, aws-managed, …)."""

    name: str
    kind: str
    statements: tuple[Statement, ...]

    @property
    def conditional(self) -> bool:
        """Whether any statement has a condition."""
        return any(each.conditions for each in self.statements)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `context` maps context keys (any case) to their values."""

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the statements that made it, and the condition keys that the request did not carry.

    `limit` is what refused although the principal's own policies did not; `limits` says of each limit that there is
    whether it allows the request.
    """

    decision: Decision
    matched: tuple[Statement, ...] = ()
    missing: frozenset[str] = frozenset()
    limit: Limit | None = None
    limits: Mapping[Limit, bool] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return self.decision is Decision.ALLOWED


def parse_policy(name: str, kind: str, document: str | Mapping[str, Any]) -> Policy:
    """Reads a policy document (JSON text or its decoded form); raises PolicyError."""
    if isinstance(document, str):
        return _parse_text(name, kind, document)
    return _parse(name, kind, document, ())


# Every request is judged by the live policies, which are the same ones over and over.
@lru_cache(maxsize=1024)
def _parse_text(name: str, kind: str, text: str) -> Policy:
    try:
        decoded = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"{name}: not JSON: {error}") from None
    return _parse(name, kind, decoded, statement_spans(text))


def _parse(name: str, kind: str, decoded: Any, spans: tuple[Span, ...]) -> Policy:
    if not isinstance(decoded, Mapping):
        raise PolicyError(f"{name}: not a JSON object")
    # Policy variables exist since the version of 2012-10-17; before it `${…}` is plain text.
    variables = decoded.get("Version") == "2012-10-17"
    statements = decoded.get("Statement", [])
    if isinstance(statements, Mapping):
        statements = [statements]
    places = spans if len(spans) == len(statements) else (None,) * len(statements)
    return Policy(
        name,
        kind,
        tuple(_statement(name, kind, each, variables, span) for each, span in zip(statements, places, strict=True)),
    )


def _statement(name: str, kind: str, raw: Any, variables: bool, span: Span | None) -> Statement:
    if not isinstance(raw, Mapping) or raw.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"{name}: a statement without Effect Allow or Deny")
    return Statement(
        source=name,
        source_kind=kind,
        allow=raw["Effect"] == "Allow",
        actions=_texts(raw.get("NotAction", raw.get("Action", ()))),
        negated_actions="NotAction" in raw,
        resources=_texts(raw.get("NotResource", raw.get("Resource", ()))),
        negated_resources="NotResource" in raw,
        conditions=tuple(
            Condition.parse(operator, key, _texts(values))
            for operator, keys in dict(raw.get("Condition", {})).items()
            for key, values in dict(keys).items()
        ),
        variables=variables,
        span=span,
    )


def _texts(value: Any) -> tuple[str, ...]:
    """One value or a list of them, as text the way IAM compares them (`true`, `443`)."""
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in items)


def evaluate(policies: Iterable[Policy], request: Request, limits: Limits | None = None) -> Verdict:
    """The verdict on `request` for a principal that carries `policies`, capped by each of the `limits` there are."""
    context = {key.lower(): values for key, values in request.context.items()}
    missing: set[str] = set()
    own = _judge(policies, request, context, missing)
    caps = {limit: _judge(limits[limit], request, context, missing) for limit in Limit if limits and limit in limits}
    allows = {limit: cap.allowed for limit, cap in caps.items()}
    decision, matched, by = own.decision, own.matched, None
    # An explicit deny wins wherever it stands; what is allowed nowhere is refused by the first that does not.
    for refusing in (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY):
        found = [limit for limit, cap in caps.items() if cap.decision is refusing]
        above = found[:1] == [Limit.ORGANIZATION]
        if found and (above or own.decision is not refusing):
            decision, matched, by = refusing, caps[found[0]].matched, found[0]
        if decision is refusing:
            break
    return Verdict(decision, matched, frozenset(missing), by, allows)


def _judge(policies: Iterable[Policy], request: Request, context: Mapping[str, Values], missing: set[str]) -> Verdict:
    matched: list[Statement] = []
    for policy in policies:
        _collect(policy, request, context, matched, missing)
    return _decide(matched, missing)


def _collect(
    policy: Policy, request: Request, context: Mapping[str, Values], matched: list[Statement], missing: set[str]
) -> None:
    for statement in policy.statements:
        if not (_covers_action(statement, request.action) and _covers_resource(statement, request.resource, context)):
            continue
        missing.update(
            condition.key
            for condition in statement.conditions
            if condition.base != "Null" and condition.key.lower() not in context
        )
        if all(holds(condition, context, statement.variables) for condition in statement.conditions):
            matched.append(statement)


def _decide(matched: list[Statement], missing: set[str]) -> Verdict:
    denials = tuple(each for each in matched if not each.allow)
    if denials:
        return Verdict(Decision.EXPLICIT_DENY, denials, frozenset(missing))
    if matched:
        return Verdict(Decision.ALLOWED, tuple(matched), frozenset(missing))
    return Verdict(Decision.IMPLICIT_DENY, (), frozenset(missing))


def _covers_action(statement: Statement, action: str) -> bool:
    # Actions are compared without regard to case, and carry no policy variables.
    matches = any(pattern_matches(each.lower(), action.lower(), {}, variables=False) for each in statement.actions)
    return matches != statement.negated_actions


def _covers_resource(statement: Statement, resource: str, context: Mapping[str, Values]) -> bool:
    matches = any(
        pattern_matches(each, resource, context, variables=statement.variables) for each in statement.resources
    )
    return matches != statement.negated_resources


_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def referenced_keys(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Every context key that the policies' conditions and variables name, as GetContextKeysForPrincipalPolicy lists."""
    found: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            found.update(dict.fromkeys(context_keys(statement.conditions)))
            texts = statement.resources + tuple(value for each in statement.conditions for value in each.values)
            for text in texts if statement.variables else ():
                names = (name.split(",")[0].strip() for name in _VARIABLE.findall(text))
                found.update(dict.fromkeys(name for name in names if ":" in name))
    return tuple(found)
