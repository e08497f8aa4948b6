"""Why the caller may or may not: every point of a session asked about by itself, now, and the statements that decided.

What the list knows was asked in groups and may be minutes old; here it is one node, read when somebody wants to know:
the context keys, then three simulations (documents, node, sessions) and the policies that they name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws.access import ROOT, TASK_ALONE, UNTAGGED, facts_of
from ssm_tui.aws.arns import cluster_arn, document_arn, node_arn
from ssm_tui.aws.login_rights import ACTIONS, login_resources
from ssm_tui.aws.policies import PolicyReader, trouble
from ssm_tui.aws.simulation import ACTION, EXECUTE, Simulator, Subject
from ssm_tui.domain.access import DOCUMENTS, NO_ANSWERS, Answer, Cause, SessionKind, Verdict
from ssm_tui.domain.credentials import token_service, usual_user
from ssm_tui.domain.grants import CONNECT, Explanation, Point, Quote, Undertaking, joint
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.domain.policy_text import quoted
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.access import Access
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.grants import Target
    from ssm_tui.domain.nodes import Node

# What is done with a session that runs (Systems Manager User Guide, "Sample IAM policies for Session Manager").
OF_SESSIONS = ("ssmmessages:OpenDataChannel", "ssm:ResumeSession", "ssm:TerminateSession")
_SUFFIX = "-0123456789abcdef0"  # as sessions' ids end
_UNASKED = Answer(Verdict.UNKNOWN, "IAM's simulation did not answer for it")


Ask = tuple[str, str]
"""An action and a resource."""


class Explainer:
    """One caller's access to one target. Blocks, and raises nothing of AWS's."""

    def __init__(
        self,
        gateway: Gateway,
        caller: Caller,
        user_id: str,
        target: Target,
        tags_known: Callable[[Node], bool],
        documents: Mapping[SessionKind, str] = DOCUMENTS,
    ) -> None:
        self._gateway, self._caller, self._user_id, self._target = gateway, caller, user_id, target
        self._tags_known = tags_known
        self._asks = dict(_asks(target, caller, documents))

    def explain(self, known: Callable[[Node], Access]) -> Explanation:
        """All of it. Where IAM cannot be asked, what `known` tells of the node, with the reason."""
        if self._caller.arn.endswith(":root"):
            return self._explanation([Undertaking(name, ROOT) for name in self._asks])
        try:
            simulator = Simulator(self._gateway, self._caller, self._user_id, self._target.context.region)
            return self._asked(simulator)
        except AwsError as error:
            return self._unasked(trouble(error), known)

    def _asked(self, simulator: Simulator) -> Explanation:
        """Raises AwsError where a simulation is refused."""
        node, subject = self._target.node, self._subject(simulator)
        of_node = _resources(node, self._caller) if node is not None else []
        known = node is None or self._tags_known(node) or not simulator.looks_at_tags
        answers: dict[Ask, Answer] = {}
        for action, arns in self._resources_by_action().items():
            here = [arn for arn in arns if arn in of_node]
            answers |= simulator.judge_each((action,), here, subject) if known else _all_of(action, here, UNTAGGED)
            answers |= simulator.judge_each((action,), [arn for arn in arns if arn not in of_node], Subject())
        own = dict(_beneath(simulator, answers, of_node, subject))
        undertakings = []
        for name, asks in self._asks.items():
            points = tuple(Point(*ask, answers.get(ask, _UNASKED), own=own.get(ask)) for ask in asks)
            undertakings.append(Undertaking(name, self._whole(name, points), points))
        sessions = tuple(self._sessions(simulator))
        # What is allowed beside what is denied did not decide.
        decided = (point for u in undertakings for point in u.points if point.answer.verdict is u.answer.verdict)
        quotes = tuple(_quotes(PolicyReader(self._gateway, simulator.principal), dict.fromkeys(decided)))
        return self._explanation(undertakings, sessions, tags=subject.tags, quotes=quotes)

    def _subject(self, simulator: Simulator) -> Subject:
        """What policies see of the node."""
        node = self._target.node
        if node is None:
            return Subject()
        facts = {"aws:ResourceAccount": node.account or self._caller.account}
        facts |= facts_of(node, self._caller) if node.container else {}
        return simulator.subject(node.kind, node.tags, facts)

    def _resources_by_action(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = {}
        for asks in self._asks.values():
            for action, arn in asks:
                found.setdefault(action, {})[arn] = None
        return found

    def _unasked(self, why: str, known: Callable[[Node], Access]) -> Explanation:
        """What is known without: of a kind of session one point may be known to be the one that was refused."""
        access = known(self._target.node) if self._target.node is not None else NO_ANSWERS
        doubt = Answer(Verdict.UNKNOWN, why)
        kinds = {kind.value: access.of(kind) for kind in SessionKind}
        undertakings = []
        for name, asks in self._asks.items():
            answer = kinds.get(name, doubt)
            points = (Point(*ask, answer if ask[1] == answer.resource else doubt) for ask in asks)
            undertakings.append(Undertaking(name, answer, tuple(points)))
        sessions = [
            Point(action, arns[0], doubt, patterns) for arns, patterns in self._own_sessions() for action in OF_SESSIONS
        ]
        return self._explanation(undertakings, tuple(sessions), doubt=why)

    def _explanation(
        self,
        undertakings: Sequence[Undertaking],
        sessions: tuple[Point, ...] = (),
        *,
        tags: tuple[tuple[str, str], ...] = (),
        quotes: tuple[Quote, ...] = (),
        doubt: str = "",
    ) -> Explanation:
        return Explanation(
            self._target,
            self._caller,
            undertakings=tuple(undertakings),
            sessions=sessions,
            tags=tags,
            quotes=quotes,
            doubt=doubt,
        )

    def _whole(self, name: str, points: Sequence[Point]) -> Answer:
        """As the list has it."""
        if name == SessionKind.SHELL and self._target.node is not None and self._target.node.container:
            task, cluster = (point.answer for point in points)
            if task.verdict is Verdict.ALLOWED and cluster.verdict is not Verdict.ALLOWED:
                return TASK_ALONE
        return joint(points)

    def _sessions(self, simulator: Simulator) -> Iterator[Point]:
        """Whether the caller may carry on, resume and end sessions of their own."""
        # Sessions bear these tags from their beginning, for policies that let everybody end their own.
        tags = {"aws:ssmmessages:session-id": self._user_id}
        if self._target.node is not None:
            tags["aws:ssmmessages:target-id"] = self._target.node.id
        subject = simulator.subject(NodeKind.HYBRID, tags, {})
        for arns, patterns in self._own_sessions():
            answers = simulator.judge_each(OF_SESSIONS, arns, subject)
            for action in OF_SESSIONS:
                each = [answers.get((action, arn), _UNASKED) for arn in arns]
                best = next((answer for answer in each if answer.verdict is Verdict.ALLOWED), each[0])
                yield Point(action, arns[0], best, patterns)

    def _own_sessions(self) -> Iterator[tuple[list[str], tuple[str, ...]]]:
        """Sessions that may be the caller's, and patterns for all of them. Their ids begin with who started them: a
        user's name; of a role the session's name, or the id that policies know as aws:userid (AWS's samples have it
        so)."""
        caller = self._caller
        name = caller.arn.rsplit("/", 1)[-1]
        place = f"arn:{caller.partition}:ssm:{self._target.context.region}:{caller.account}:session/"
        if caller.session is not None:
            samples, patterns = (name, self._user_id), (f"{name}-*", "${aws:userid}-*")
            yield [f"{place}{each}{_SUFFIX}" for each in samples], tuple(f"{place}{each}" for each in patterns)
        elif ":user/" in caller.arn:
            yield [f"{place}{name}{_SUFFIX}"], (f"{place}${{aws:username}}-*",)


def _beneath(
    simulator: Simulator, answers: Mapping[Ask, Answer], of_node: Sequence[str], subject: Subject
) -> Iterator[tuple[Ask, Verdict]]:
    """What the caller's own policies say where the permissions boundary does not allow it. Raises AwsError."""
    limited: dict[tuple[str, bool], list[str]] = {}
    for (action, arn), answer in answers.items():
        if answer.cause is Cause.BOUNDARY:
            limited.setdefault((action, arn in of_node), []).append(arn)
    for (action, on_node), arns in limited.items():
        told = simulator.beneath(action, arns, subject if on_node else Subject())
        yield from ((ask, answer.verdict) for ask, answer in told.items())


def _all_of(action: str, arns: Iterable[str], answer: Answer) -> dict[Ask, Answer]:
    return {(action, arn): answer for arn in arns}


def _resources(node: Node, caller: Caller) -> list[str]:
    """What the session is on: the node, or for a container its task with the task's cluster."""
    return [node_arn(node, caller), *([cluster_arn(node, caller)] if node.container else [])]


def _asks(
    target: Target, caller: Caller, documents: Mapping[SessionKind, str]
) -> Iterator[tuple[str, tuple[Ask, ...]]]:
    """What may be undertaken there, and the points of each."""
    if (node := target.node) is not None:
        for kind in SessionKind if target.database is None else (SessionKind.REMOTE,):
            if kind is SessionKind.SHELL and node.container:
                yield kind.value, tuple((EXECUTE, arn) for arn in _resources(node, caller))
            else:
                document = document_arn(documents[kind], caller, node.context.region)
                yield kind.value, ((ACTION, node_arn(node, caller)), (ACTION, document))
    if (database := target.database) is not None and (user := usual_user(database)):
        action = ACTIONS.get(token_service(database))
        if action and (resources := login_resources(database, user, caller)):
            yield CONNECT, tuple((action, arn) for arn in resources)


def _quotes(reader: PolicyReader, points: Iterable[Point]) -> Iterator[Quote]:
    """Every statement that decided, once. That the texts may not be read is said once for each policy."""
    seen: set[tuple[str, str, str]] = set()
    for point in points:
        for decider in point.answer.deciders:
            try:
                text = quoted(
                    reader.text(decider),
                    point.action,
                    allow=point.answer.cause is not Cause.EXPLICIT,
                    lines=decider.lines,
                )
                quote = Quote(decider, text)
            except AwsError as error:
                quote = Quote(decider, trouble=trouble(error))
            key = decider.policy, decider.kind, quote.text or quote.trouble
            if key not in seen:
                seen.add(key)
                yield quote
