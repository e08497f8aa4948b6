"""What stands in the way of sessions on one target, and the smallest policy that would allow them. Pure.

A session is authorised at several points: StartSession on the node and on the document, for a container's shell
ExecuteCommand on its task and on its cluster, for a database by IAM the login itself. A point that no statement allows
wants one with just its action and its resource; at a point that a statement forbids no other statement helps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.access import NOT_ASKED, Access, Answer, Cause, Decider, SessionKind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ssm_tui.domain.contexts import Caller, Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node

VERSION = "2012-10-17"
CONNECT = "connect"
"""The undertaking of logging in to a database by IAM; the others are called as the kinds of session."""


@dataclass(frozen=True, slots=True)
class Target:
    """What access is asked for: a node, or a database with the node that it is reached through, where there is one."""

    context: Context
    node: Node | None
    database: Database | None = None

    @property
    def label(self) -> str:
        """For messages."""
        if self.database is not None:
            return self.database.id
        return self.node.label if self.node is not None else ""


def on_node(node: Node) -> Target:
    """The node itself."""
    return Target(node.context, node)


def of_database(database: Database, relay: Node | None) -> Target:
    """The database, through the node."""
    return Target(database.context, relay, database)


@dataclass(frozen=True, slots=True)
class Point:
    """One question to IAM and its answer. `resources` are what a statement for it names, where that is not the very
    resource that was asked about: sessions that do not exist yet are named by a pattern. `own` is what the caller's own
    policies say of it, where the answer is a boundary's or an organization's and that is known."""

    action: str
    resource: str
    answer: Answer
    resources: tuple[str, ...] = ()
    own: Verdict | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """What a statement names."""
        return self.resources or (self.resource,)


@dataclass(frozen=True, slots=True)
class Undertaking:
    """Something the caller may want to do there (`shell`, `forward`, `remote`, `ssh`, `connect`), the answer as a
    whole, and the points that it depends on."""

    name: str
    answer: Answer
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """A statement that decided: the policy, its text as JSON, or why that could not be read."""

    decider: Decider
    text: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about the caller's access to one target.

    `sessions` are the points of what is done with a session once it has started: carrying on, resuming, ending it.
    `tags` are those of the target that the caller's policies look at, with their values. `doubt` is why IAM could not
    be asked; then the answers are what is known without it.
    """

    target: Target
    caller: Caller
    alias: str | None = None
    undertakings: tuple[Undertaking, ...] = ()
    sessions: tuple[Point, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    quotes: tuple[Quote, ...] = ()
    doubt: str = ""

    @property
    def access(self) -> Access:
        """The answers to the kinds of session that were asked about."""
        answers = {each.name: each.answer for each in self.undertakings}
        return Access(*(answers.get(kind.value, NOT_ASKED) for kind in SessionKind))

    def corrected(self, access: Access) -> Explanation:
        """With answers that sessions have given, where those are others than IAM's."""
        return replace(self, undertakings=tuple(_corrected(each, access) for each in self.undertakings))

    def points(self, name: str = "") -> tuple[Point, ...]:
        """Those of one undertaking that is not allowed, or of all such, each once; with what its session wants then."""
        wanted = [each for each in self.undertakings if name in ("", each.name)]
        lacking = [each for each in wanted if each.answer.verdict is not Verdict.ALLOWED]
        found = dict.fromkeys(point for each in lacking for point in each.points)
        return (*found, *(self.sessions if wanted else ()))

    def request(self, name: str = "") -> Request:
        """What to ask for, so that one undertaking or all of them are allowed."""
        return smallest(self.points(name), self.quotes)


def _corrected(undertaking: Undertaking, access: Access) -> Undertaking:
    """A refusal is of one of the points; what the caller's own policies say of it is known all the same."""
    kind = next((kind for kind in SessionKind if kind.value == undertaking.name), None)
    if kind is None or not undertaking.points or access.of(kind) == undertaking.answer:
        return undertaking
    answer, points = access.of(kind), list(undertaking.points)
    if answer.verdict is Verdict.DENIED:
        at = next((at for at, point in enumerate(points) if point.resource == answer.resource), 0)
        points[at] = replace(points[at], answer=answer, own=points[at].answer.verdict)
    return Undertaking(undertaking.name, answer, tuple(points))


class Place(StrEnum):
    """Where a statement is wanted."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    ORGANIZATION = "organization"


PLACES = {
    Place.IDENTITY: "a policy of yours",
    Place.BOUNDARY: "your permissions boundary",
    Place.ORGANIZATION: "the policies of your organization (SCP), by whoever keeps them",
}
_BESIDE = (
    "your policies allow it, and AWS refused it all the same; what IAM's simulation does not see must change, "
    "such as a policy of your session or of a VPC endpoint"
)
_PLACE_OF = {Cause.BOUNDARY: Place.BOUNDARY, Cause.ORGANIZATION: Place.ORGANIZATION}


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement that allows these actions on these resources."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def statement(self) -> dict[str, Any]:
        """As policies have it."""
        return {"Effect": "Allow", "Action": _one_or_all(self.actions), "Resource": _one_or_all(self.resources)}


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for: the statements by the place that lacks them, and what no statement mends, a sentence each.
    `doubtful`: of some it is not known whether they are missing."""

    grants: Mapping[Place, tuple[Grant, ...]] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    doubtful: bool = False

    def document(self, place: Place | None = None) -> dict[str, Any] | None:
        """The policy document for a place, or with everything that is missing anywhere; None where nothing is."""
        places = [place] if place is not None else list(Place)
        found = dict.fromkeys(grant for each in places for grant in self.grants.get(each, ()))
        return {"Version": VERSION, "Statement": [each.statement() for each in found]} if found else None

    def text(self, place: Place | None = None) -> str:
        """The document as JSON to be sent; empty where nothing is missing."""
        document = self.document(place)
        return json.dumps(document, ensure_ascii=False, indent=2) if document else ""


def smallest(points: Iterable[Point], quotes: Iterable[Quote] = ()) -> Request:
    """What would allow every point that is not allowed, and nothing else: no wildcard but where a point has one. By
    `quotes` it is known which tags a statement looks at."""
    texts = {quote.decider: quote.text.casefold() for quote in quotes if quote.text}
    missing: dict[Place, list[Point]] = {}
    obstacles: dict[str, None] = {}
    doubtful = False
    for point in points:
        answer = point.answer
        if answer.verdict is Verdict.ALLOWED:
            continue
        if answer.cause is Cause.EXPLICIT:
            obstacles[_obstacle(point, texts)] = None
            continue
        if answer.cause in (Cause.IMPLICIT, None) and point.own is Verdict.ALLOWED:
            obstacles[f"{point.action} on {point.resource}: {_BESIDE}"] = None
            continue
        above = _PLACE_OF.get(answer.cause) if answer.cause else None
        if above is not None:
            missing.setdefault(above, []).append(point)
        if above is None or point.own is not Verdict.ALLOWED:
            missing.setdefault(Place.IDENTITY, []).append(point)
            doubtful |= answer.verdict is Verdict.UNKNOWN if above is None else point.own is not Verdict.DENIED
    grants = {place: _grants(missing[place]) for place in Place if place in missing}
    return Request(grants, tuple(obstacles), doubtful)


def _grants(points: Sequence[Point]) -> tuple[Grant, ...]:
    """As few statements as name each action with its own resources and no others."""
    resources: dict[str, dict[str, None]] = {}
    for point in points:
        resources.setdefault(point.action, {}).update(dict.fromkeys(point.named))
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, named in resources.items():
        actions.setdefault(tuple(named), []).append(action)
    return tuple(Grant(tuple(each), named) for named, each in actions.items())


def _obstacle(point: Point, texts: Mapping[Decider, str]) -> str:
    deciders = point.answer.deciders
    by = sources(deciders) or "a policy"
    text = "".join(texts.get(each, "") for each in deciders)
    known = all(each in texts for each in deciders)
    looked_at = [(key, value) for key, value in point.answer.tags if not known or f"tag/{key.casefold()}" in text]
    tags = ", ".join(f"{key}={value}" for key, value in looked_at)
    change = f"that statement, or a tag that it looks at ({tags})" if tags else "that statement"
    return f"{by} forbids {point.action} on {point.resource}: no other statement helps; {change} must change"


def sources(deciders: Iterable[Decider]) -> str:
    """`policy Own (user), lines 3-9`, each once."""
    return ", ".join(dict.fromkeys(map(source, deciders)))


def source(decider: Decider) -> str:
    """One of them."""
    kind = f" ({decider.kind})" if decider.kind and decider.kind != "none" else ""
    return f"policy {decider.policy}{kind}{_lines(*decider.lines) if decider.lines else ''}"


def _lines(first: int, last: int) -> str:
    return f", lines {first}-{last}" if first != last else f", line {first}"


def joint(points: Sequence[Point]) -> Answer:
    """What all of them give together: the first that is denied, else the first that is unknown, with its resource."""
    for verdict in (Verdict.DENIED, Verdict.UNKNOWN, Verdict.ALLOWED):
        found = next((point for point in points if point.answer.verdict is verdict), None)
        if found is not None:
            return replace(found.answer, resource=found.answer.resource or found.resource)
    return NOT_ASKED


def _one_or_all(texts: tuple[str, ...]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)
