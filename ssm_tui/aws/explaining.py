"""Why the caller may or may not: every point of a session asked about by itself, now, and the statements that decided.

What the list knows was asked in groups and may be minutes old; here it is one node, read when somebody wants to know:
the context keys, then three simulations (documents, node, sessions) and the policies that they name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws.access import ROOT, TASK_ALONE, UNTAGGED, facts_of
from ssm_tui.aws.arns import cluster_arn, document_arn, node_arn
from ssm_tui.aws.policies import PolicyReader, trouble
from ssm_tui.aws.simulation import ACTION, EXECUTE, Simulator
from ssm_tui.domain.access import Answer, SessionKind, Verdict
from ssm_tui.domain.grants import Explanation, Point, Quote, Undertaking, joint
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.domain.policy_text import quoted
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.access import Access
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.nodes import Node

# What is done with a session that runs (Systems Manager User Guide, "Sample IAM policies for Session Manager").
OF_SESSIONS = ("ssmmessages:OpenDataChannel", "ssm:ResumeSession", "ssm:TerminateSession")
_SUFFIX = "-0123456789abcdef0"  # as sessions' ids end
_UNASKED = Answer(Verdict.UNKNOWN, "IAM's simulation did not answer for it")


def explain(
    gateway: Gateway,
    caller: Caller,
    user_id: str,
    node: Node,
    *,
    tags_known: bool,
    known: Callable[[], Access],
) -> Explanation:
    """Everything about the caller's access to the node. Where IAM cannot be asked, what `known` tells, with the reason.
    Blocks; raises nothing of AWS's."""
    if caller.arn.endswith(":root"):
        return _explanation(node, caller, [Undertaking(kind.value, ROOT) for kind in SessionKind])
    try:
        simulator = Simulator(gateway, caller, user_id, node.context.region)
        return _asked(gateway, simulator, caller, user_id, node, tags_known=tags_known)
    except AwsError as error:
        access = known()
        undertakings = [
            Undertaking(kind.value, access.of(kind), _unasked(node, caller, kind, access.of(kind)))
            for kind in SessionKind
        ]
        sessions = tuple(
            Point(action, arns[0], Answer(Verdict.UNKNOWN, trouble(error)), patterns)
            for arns, patterns in _own_sessions(caller, user_id, node)
            for action in OF_SESSIONS
        )
        return _explanation(node, caller, undertakings, sessions, doubt=trouble(error))


def _asked(
    gateway: Gateway, simulator: Simulator, caller: Caller, user_id: str, node: Node, *, tags_known: bool
) -> Explanation:
    """Raises AwsError where a simulation is refused."""
    documents = [document_arn(kind.document, caller, node.context.region) for kind in SessionKind]
    answers = {(ACTION, arn): answer for arn, answer in simulator.judge(documents).items()}
    subject = simulator.subject(node.kind, node.tags, facts_of(node, caller) if node.container else {})
    if tags_known or not simulator.looks_at_tags:
        actions, arns = ((ACTION, EXECUTE), _task(node, caller)) if node.container else ((ACTION,), _task(node, caller))
        answers |= simulator.judge_each(actions, arns, subject)
    else:
        answers |= {(action, arn): UNTAGGED for action in (ACTION, EXECUTE) for arn in _task(node, caller)}
    undertakings = [
        Undertaking(kind.value, _whole(kind, points, node), points)
        for kind in SessionKind
        if (points := _points(node, caller, kind, answers))
    ]
    sessions = tuple(_sessions(simulator, caller, user_id, node))
    asked = dict.fromkeys(point for each in undertakings for point in each.points)
    quotes = _quotes(PolicyReader(gateway, simulator.principal), asked)
    return _explanation(node, caller, undertakings, sessions, tags=subject.tags, quotes=tuple(quotes))


def _explanation(
    node: Node,
    caller: Caller,
    undertakings: Sequence[Undertaking],
    sessions: tuple[Point, ...] = (),
    *,
    tags: tuple[tuple[str, str], ...] = (),
    quotes: tuple[Quote, ...] = (),
    doubt: str = "",
) -> Explanation:
    return Explanation(
        node.context,
        node.id,
        node.name,
        caller,
        undertakings=tuple(undertakings),
        sessions=sessions,
        tags=tags,
        quotes=quotes,
        doubt=doubt,
    )


def _task(node: Node, caller: Caller) -> list[str]:
    """What the session is on: the node, or for a container its task with the task's cluster."""
    return [node_arn(node, caller), *([cluster_arn(node, caller)] if node.container else [])]


def _asks(node: Node, caller: Caller, kind: SessionKind) -> Iterator[tuple[str, str]]:
    """The points of one kind of session, as action and resource."""
    if kind is SessionKind.SHELL and node.container:
        yield from ((EXECUTE, arn) for arn in _task(node, caller))
    else:
        yield ACTION, node_arn(node, caller)
        yield ACTION, document_arn(kind.document, caller, node.context.region)


def _points(
    node: Node, caller: Caller, kind: SessionKind, answers: Mapping[tuple[str, str], Answer]
) -> tuple[Point, ...]:
    return tuple(Point(*each, answers.get(each, _UNASKED)) for each in _asks(node, caller, kind))


def _unasked(node: Node, caller: Caller, kind: SessionKind, answer: Answer) -> tuple[Point, ...]:
    """The points of what was not simulated: one may be known to be the one that was refused."""
    return tuple(
        Point(action, arn, answer if arn == answer.resource else Answer(Verdict.UNKNOWN, answer.reason))
        for action, arn in _asks(node, caller, kind)
    )


def _whole(kind: SessionKind, points: Sequence[Point], node: Node) -> Answer:
    """As the list has it."""
    if kind is SessionKind.SHELL and node.container:
        task, cluster = (point.answer for point in points)
        if task.verdict is Verdict.ALLOWED and cluster.verdict is not Verdict.ALLOWED:
            return TASK_ALONE
    return joint(points)


def _sessions(simulator: Simulator, caller: Caller, user_id: str, node: Node) -> Iterator[Point]:
    """Whether the caller may carry on, resume and end sessions of their own."""
    # Sessions bear these tags from their beginning, for policies that let everybody end their own.
    tags = {"aws:ssmmessages:session-id": user_id, "aws:ssmmessages:target-id": node.id}
    subject = simulator.subject(NodeKind.HYBRID, tags, {})
    for arns, patterns in _own_sessions(caller, user_id, node):
        answers = simulator.judge_each(OF_SESSIONS, arns, subject)
        for action in OF_SESSIONS:
            each = [answers.get((action, arn), _UNASKED) for arn in arns]
            best = next((answer for answer in each if answer.verdict is Verdict.ALLOWED), each[0])
            yield Point(action, arns[0], best, patterns)


def _own_sessions(caller: Caller, user_id: str, node: Node) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Sessions that may be the caller's, and patterns for all of them. Their ids begin with who started them: a user's
    name; of a role the session's name, or the id that policies know as aws:userid (AWS's samples have it so)."""
    name = caller.arn.rsplit("/", 1)[-1]
    place = f"arn:{caller.partition}:ssm:{node.context.region}:{caller.account}:session/"
    if caller.session is not None:
        samples, patterns = (name, user_id), (f"{name}-*", "${aws:userid}-*")
        yield [f"{place}{each}{_SUFFIX}" for each in samples], tuple(f"{place}{each}" for each in patterns)
    elif ":user/" in caller.arn:
        yield [f"{place}{name}{_SUFFIX}"], (f"{place}${{aws:username}}-*",)


def _quotes(reader: PolicyReader, points: Iterable[Point]) -> Iterator[Quote]:
    """Every statement that decided, once. That the texts may not be read is said once for each policy."""
    seen: set[tuple[str, str, str]] = set()
    for point in points:
        for decider in point.answer.deciders:
            try:
                text = quoted(
                    reader.text(decider),
                    point.action,
                    allow=point.answer.verdict is Verdict.ALLOWED,
                    lines=decider.lines,
                )
                quote = Quote(decider, text)
            except AwsError as error:
                quote = Quote(decider, trouble=trouble(error))
            key = decider.policy, decider.kind, quote.text or quote.trouble
            if key not in seen:
                seen.add(key)
                yield quote
