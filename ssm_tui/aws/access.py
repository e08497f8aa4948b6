"""The caller's access to nodes: what starts sessions, simulated for nodes together whose tags policies see alike.

StartSession is authorised twice, on the node with its tags and on the document without them, so the documents are asked
about once. A shell without a document name needs the default document as the others need theirs. Source: "Start a
default shell session by specifying the default session document in IAM policies"
(docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-default-session-document.html); older
versions of that page ask for it only under the condition ssm:SessionDocumentAccessCheck.

A container's shell is ecs:ExecuteCommand on its task instead, without a document; its ports are StartSession on the
task. Source: "Monitor Amazon ECS containers with ECS Exec" in the ECS developer guide, whose policies name task and
cluster: where the policies of the caller allow the task alone, it does not say what then happens, and we do not either.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from ssm_tui.aws.arns import cluster_arn, document_arn, node_arn
from ssm_tui.aws.simulation import ACTION, CHUNK, EXECUTE, Simulator
from ssm_tui.aws.streams import merged
from ssm_tui.aws.verdicts import Agenda, Fingerprint, Group, Verdicts
from ssm_tui.domain.access import DOCUMENTS, Access, Answer, SessionKind, Verdict, everywhere
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.errors import AccessDeniedError, AwsError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.aws.simulation import Subject
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.nodes import Node, NodeKey

Portion = dict["NodeKey", Access]
# Simulations under way at a time: one takes some 0.2 s at AWS, and the service throttles soon.
AT_ONCE = 4
ALONE = 200  # of a group larger than this, the nodes that somebody looks at are asked about alone
PROBES = 8  # groups of whose kept verdicts one is asked for again, to see whether they still hold
MOST = 200  # simulations of one reading; where tags have more values than that, the rest is for the next
ROOT = Answer(Verdict.ALLOWED, "the account's root user may do everything")
TASK_ALONE = Answer(
    Verdict.UNKNOWN, "your policies allow it on the task and not on its cluster, which AWS's own for ECS Exec name too"
)
UNTAGGED = Answer(Verdict.UNKNOWN, "your policies decide by tags, and the node's tags could not be read")
TOO_MANY = Answer(
    Verdict.UNKNOWN, "your policies decide by tags with too many values to ask for all at once; the next read goes on"
)
_UNANSWERED = Answer(Verdict.UNKNOWN, "IAM's simulation did not answer for it")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and how. `tags_known` tells of a node whether its tags could be read, `looked_at` which nodes to ask
    about first, `step` is called before each simulation, `documents` are those that sessions of each kind use."""

    gateway: Gateway
    caller: Caller
    user_id: str
    verdicts: Verdicts
    tags_known: Callable[[Node], bool]
    looked_at: Callable[[], Collection[NodeKey]] = tuple
    step: Callable[[], object] = bool
    documents: Mapping[SessionKind, str] = field(default_factory=DOCUMENTS.copy)


def read_access(asking: Asking, nodes: Sequence[Node]) -> Iterator[Mapping[NodeKey, Access]]:
    """The access to each node, in portions. What cannot be simulated is unknown, with the reason.

    The nodes are of one context. Verdicts that are kept, and still hold, are not asked for again.
    """
    if not nodes:
        return
    caller = asking.caller
    if caller.arn.endswith(":root"):
        yield {node.key: everywhere(ROOT) for node in nodes}
        return
    region = nodes[0].context.region
    try:
        simulator = Simulator(asking.gateway, caller, asking.user_id, region, step=asking.step)
        documents = _judge_documents(simulator, caller, region, asking.documents)
    except AwsError as error:
        yield unknown(nodes, error)
        return
    known = [n for n in nodes if asking.tags_known(n)] if simulator.looks_at_tags else nodes
    if len(known) < len(nodes):
        yield {node.key: everywhere(UNTAGGED) for node in nodes if not asking.tags_known(node)}
    yield from _Reading(asking, simulator, documents).read(known)


class _Reading:
    """One reading of the access to many nodes."""

    def __init__(self, asking: Asking, simulator: Simulator, documents: Mapping[SessionKind, Answer]) -> None:
        self._caller, self._verdicts, self._looked_at = asking.caller, asking.verdicts, asking.looked_at
        self._simulator, self._documents = simulator, documents
        self._fingerprint = Fingerprint(simulator.principal, simulator.keys, documents)
        self._asked = 0
        self._rest = TOO_MANY  # what is said of nodes that it stops before

    def read(self, nodes: Iterable[Node]) -> Iterator[Portion]:
        """The access to each node, in portions."""
        self._verdicts.begin(self._fingerprint)
        groups: dict[Group, list[Node]] = {}
        for node in nodes:
            groups.setdefault(self._group(node), []).append(node)
        kept, asked = self._parted(groups)
        if kept and not self._still_hold(kept):
            self._verdicts.clear()
            self._verdicts.begin(self._fingerprint)
            kept, asked = {}, groups
        for group, members in kept.items():
            known = ((node.key, self._verdicts.of(node.key, group)) for node in members)
            yield {key: access for key, access in known if access is not None}
        agenda = Agenda(asked, CHUNK, ALONE, self._looked_at)
        lanes = min(AT_ONCE, len(asked))
        yield from merged([partial(self._lane, agenda)] * lanes)
        if left := agenda.rest():
            yield {node.key: everywhere(self._rest) for node in left}

    def _group(self, node: Node) -> Group:
        account = node.account or self._caller.account
        facts = {"aws:ResourceAccount": account, **(facts_of(node, self._caller) if node.container else {})}
        return Group(self._simulator.subject(node.kind, node.tags, facts), node.container)

    def _parted(self, groups: Mapping[Group, list[Node]]) -> tuple[dict[Group, list[Node]], dict[Group, list[Node]]]:
        """Nodes of which a verdict is kept, and the others."""
        kept: dict[Group, list[Node]] = {}
        asked: dict[Group, list[Node]] = {}
        for group, members in groups.items():
            for node in members:
                side = asked if self._verdicts.of(node.key, group) is None else kept
                side.setdefault(group, []).append(node)
        return kept, asked

    def _still_hold(self, kept: Mapping[Group, list[Node]]) -> bool:
        """Whether IAM says again what it said, of one node each of some groups: those with what somebody looks at, and
        the largest. Policies may have changed in nothing that the fingerprint shows."""
        wanted = set(self._looked_at())
        chosen = {group: next((n for n in nodes if n.key in wanted), nodes[0]) for group, nodes in kept.items()}
        order = sorted(chosen, key=lambda group: (chosen[group].key not in wanted, -len(kept[group])))
        for group in islice(order, PROBES):
            key = chosen[group].key
            try:
                if self._judge(group, [chosen[group]])[key] != self._verdicts.of(key, group):
                    return False
            except AwsError:
                return False
        return True

    def _lane(self, agenda: Agenda) -> Iterator[Portion]:
        while self._asked < MOST and (taken := agenda.take()) is not None:
            self._asked += 1
            group, nodes = taken
            try:
                portion = self._judge(group, nodes)
            except ThrottledError as error:
                # After all the waiting that there is: whoever goes on only keeps others from their calls.
                self._rest = replace(TOO_MANY, reason=error.message)
                self._asked = MOST
                yield unknown(nodes, error)
            except AwsError as error:
                yield unknown(nodes, error)
            else:
                self._verdicts.keep(self._fingerprint, group, portion)
                yield portion

    def _judge(self, group: Group, nodes: Sequence[Node]) -> Portion:
        """Raises AwsError."""
        if group.containers:
            return self._judge_containers(group, nodes)
        arns = {node.key: node_arn(node, self._caller) for node in nodes}
        answers = self._simulator.judge(list(arns.values()), group.subject)
        return {key: _access(answers.get(arn, _UNANSWERED), self._documents) for key, arn in arns.items()}

    def _judge_containers(self, group: Group, nodes: Sequence[Node]) -> Portion:
        """Tasks and clusters together, the clusters under the tasks' tags: their own are not read. Raises AwsError."""
        places = {node.key: (node_arn(node, self._caller), cluster_arn(node, self._caller)) for node in nodes}
        arns = list(dict.fromkeys(arn for pair in places.values() for arn in pair))
        answers = self._simulator.judge_each((ACTION, EXECUTE), arns, group.subject)
        portion: Portion = {}
        for key, (task, cluster) in places.items():
            ports = _access(answers.get((ACTION, task), _UNANSWERED), self._documents)
            shell = answers.get((EXECUTE, task), _UNANSWERED)
            whole = answers.get((EXECUTE, cluster), _UNANSWERED)
            if shell.verdict is Verdict.ALLOWED and whole.verdict is not Verdict.ALLOWED:
                shell = TASK_ALONE
            portion[key] = replace(ports, shell=shell)
        return portion


def facts_of(node: Node, caller: Caller) -> dict[str, str]:
    """The keys that ExecuteCommand brings (Service Authorization Reference, "Amazon Elastic Container Service")."""
    name = node.name.rpartition("/")[2]
    return {
        "ecs:cluster": cluster_arn(node, caller),
        "ecs:task": node_arn(node, caller),
        "ecs:container-name": name,
    }


def _judge_documents(
    simulator: Simulator, caller: Caller, region: str, documents: Mapping[SessionKind, str]
) -> dict[SessionKind, Answer]:
    """One call, unless policies look at whose a resource is: of AWS's own documents that is not known. Raises
    AwsError."""
    arns = {kind: document_arn(name, caller, region) for kind, name in documents.items()}
    answers: dict[str, Answer] = {}
    by_subject: dict[Subject, list[str]] = {}
    for arn in dict.fromkeys(arns.values()):
        account = arn.split(":")[4]
        facts = {"aws:ResourceAccount": account} if account else {}
        by_subject.setdefault(simulator.subject(NodeKind.HYBRID, {}, facts), []).append(arn)
    for subject, several in by_subject.items():
        answers |= simulator.judge(several, subject)
    return {
        kind: _about(answers.get(arn, _UNANSWERED), f"the document {documents[kind]}") for kind, arn in arns.items()
    }


def _about(answer: Answer, thing: str) -> Answer:
    return answer if answer.verdict is Verdict.ALLOWED else replace(answer, reason=f"{thing}: {answer.reason}")


def _access(node: Answer, documents: Mapping[SessionKind, Answer]) -> Access:
    """What node and document give together: the service asks for the node first, and for both to be allowed."""
    return Access(*(_both(node, documents[kind]) for kind in SessionKind))


def _both(node: Answer, document: Answer) -> Answer:
    for verdict in (Verdict.DENIED, Verdict.UNKNOWN):
        for answer in (node, document):
            if answer.verdict is verdict:
                return answer
    return node


def unknown(nodes: Sequence[Node], error: AwsError) -> Portion:
    """Of none of the nodes the access can be known."""
    why = f"{error.action} is denied" if isinstance(error, AccessDeniedError) else error.message
    return {node.key: everywhere(Answer(Verdict.UNKNOWN, why)) for node in nodes}
