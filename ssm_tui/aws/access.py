"""The caller's access to nodes: what starts sessions, simulated once per set of tags that policies look at.

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

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ssm_tui.aws.simulation import ACTION, CHUNK, EXECUTE, Simulator
from ssm_tui.aws.streams import merged
from ssm_tui.domain.access import Access, Answer, SessionKind, Verdict, everywhere
from ssm_tui.domain.containers import read_target
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.aws.simulation import Subject
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.nodes import Node, NodeKey

Portion = dict["NodeKey", Access]
# Simulations under way at a time: one takes some 0.2 s at AWS, and the service throttles soon.
AT_ONCE = 4
ROOT = Answer(Verdict.ALLOWED, "the account's root user may do everything")
TASK_ALONE = Answer(
    Verdict.UNKNOWN, "your policies allow it on the task and not on its cluster, which AWS's own for ECS Exec name too"
)
UNTAGGED = Answer(Verdict.UNKNOWN, "your policies decide by tags, and the node's tags could not be read")


def read_access(
    gateway: Gateway, caller: Caller, user_id: str, nodes: Sequence[Node], tags_known: Callable[[Node], bool]
) -> Iterator[Mapping[NodeKey, Access]]:
    """The access to each node, in portions. What cannot be simulated is unknown, with the reason.

    The nodes are of one context. `tags_known` tells of a node whether its tags could be read.
    """
    if not nodes:
        return
    if caller.arn.endswith(":root"):
        yield {node.key: everywhere(ROOT) for node in nodes}
        return
    region = nodes[0].context.region
    try:
        simulator = Simulator(gateway, caller, user_id, region)
        documents = _judge_documents(simulator, caller, region)
    except AwsError as error:
        yield unknown(nodes, error)
        return
    known = [n for n in nodes if tags_known(n)] if simulator.looks_at_tags else nodes
    if len(known) < len(nodes):
        yield {node.key: everywhere(UNTAGGED) for node in nodes if not tags_known(node)}
    chunks = list(_chunks(simulator, caller, known))
    lanes = [chunks[lane::AT_ONCE] for lane in range(min(AT_ONCE, len(chunks)))]
    yield from merged([partial(_judge_nodes, simulator, caller, documents, lane) for lane in lanes])


def node_arn(node: Node, caller: Caller) -> str:
    """The node as the resource that policies name: instances are EC2's, hybrid nodes SSM's, containers their task."""
    place = f"{node.context.region}:{node.account or caller.account}"
    if (container := read_target(node.id)) is not None:
        return f"arn:{caller.partition}:ecs:{place}:task/{container.cluster}/{container.task}"
    if node.hybrid:
        return f"arn:{caller.partition}:ssm:{place}:managed-instance/{node.id}"
    return f"arn:{caller.partition}:ec2:{place}:instance/{node.id}"


def cluster_arn(node: Node, caller: Caller) -> str:
    """The cluster of a container, as policies name it."""
    container = read_target(node.id)
    name = container.cluster if container else ""
    return f"arn:{caller.partition}:ecs:{node.context.region}:{node.account or caller.account}:cluster/{name}"


def document_arn(kind: SessionKind, caller: Caller, region: str) -> str:
    """The document as a resource: AWS's own carry no account, the default shell document is the account's."""
    owner = "" if kind.document.startswith("AWS-") else caller.account
    return f"arn:{caller.partition}:ssm:{region}:{owner}:document/{kind.document}"


def _chunks(simulator: Simulator, caller: Caller, nodes: Sequence[Node]) -> Iterator[tuple[Subject, list[Node]]]:
    """Nodes that policies see with the same tags, a call's worth at a time: all of them are named in the call, because
    policies may also name single nodes."""
    groups: dict[Subject, list[Node]] = {}
    for node in nodes:
        subject = simulator.subject(node.kind, node.tags, facts_of(node, caller) if node.container else {})
        groups.setdefault(subject, []).append(node)
    for subject, members in groups.items():
        for start in range(0, len(members), CHUNK):
            yield subject, members[start : start + CHUNK]


def facts_of(node: Node, caller: Caller) -> dict[str, str]:
    """The keys that ExecuteCommand brings (Service Authorization Reference, "Amazon Elastic Container Service")."""
    name = node.name.rpartition("/")[2]
    return {
        "ecs:cluster": cluster_arn(node, caller),
        "ecs:task": node_arn(node, caller),
        "ecs:container-name": name,
    }


def _judge_documents(simulator: Simulator, caller: Caller, region: str) -> dict[SessionKind, Answer]:
    arns = {kind: document_arn(kind, caller, region) for kind in SessionKind}
    answers = simulator.judge(list(arns.values()))
    return {kind: _about(answers.get(arn, _UNANSWERED), f"the document {kind.document}") for kind, arn in arns.items()}


def _about(answer: Answer, thing: str) -> Answer:
    return answer if answer.verdict is Verdict.ALLOWED else Answer(answer.verdict, f"{thing}: {answer.reason}")


_UNANSWERED = Answer(Verdict.UNKNOWN, "IAM's simulation did not answer for it")


def _judge_nodes(
    simulator: Simulator,
    caller: Caller,
    documents: Mapping[SessionKind, Answer],
    chunks: Sequence[tuple[Subject, list[Node]]],
) -> Iterator[Portion]:
    for subject, nodes in chunks:
        try:
            if subject.kind is NodeKind.ECS:
                yield _judge_containers(simulator, caller, documents, subject, nodes)
                continue
            arns = {node.key: node_arn(node, caller) for node in nodes}
            answers = simulator.judge(list(arns.values()), subject)
            yield {key: _access(answers.get(arn, _UNANSWERED), documents) for key, arn in arns.items()}
        except AwsError as error:
            yield unknown(nodes, error)


def _judge_containers(
    simulator: Simulator,
    caller: Caller,
    documents: Mapping[SessionKind, Answer],
    subject: Subject,
    nodes: Sequence[Node],
) -> Portion:
    """Tasks and clusters in one call, the clusters under the tasks' tags: their own are not read. Raises AwsError."""
    places = {node.key: (node_arn(node, caller), cluster_arn(node, caller)) for node in nodes}
    arns = list(dict.fromkeys(arn for pair in places.values() for arn in pair))
    answers = simulator.judge_each((ACTION, EXECUTE), arns, subject)
    portion: Portion = {}
    for key, (task, cluster) in places.items():
        ports = _access(answers.get((ACTION, task), _UNANSWERED), documents)
        shell = answers.get((EXECUTE, task), _UNANSWERED)
        whole = answers.get((EXECUTE, cluster), _UNANSWERED)
        if shell.verdict is Verdict.ALLOWED and whole.verdict is not Verdict.ALLOWED:
            shell = TASK_ALONE
        portion[key] = replace(ports, shell=shell)
    return portion


def _access(node: Answer, documents: Mapping[SessionKind, Answer]) -> Access:
    """What node and document give together: the service asks for the node first, and for both to be allowed."""
    both = {kind: _both(node, document) for kind, document in documents.items()}
    return Access(*(both[kind] for kind in SessionKind))


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
