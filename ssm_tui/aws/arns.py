"""Nodes, documents and databases as the resources that policies name. Pure.

Source: Service Authorization Reference, "AWS Systems Manager", "Amazon EC2", "Amazon ECS", "Amazon RDS IAM
Authentication".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.containers import read_target

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.nodes import Node


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


def document_arn(name: str, caller: Caller, region: str) -> str:
    """The document as a resource: AWS's own carry no account, others are the account's. One that another account shares
    is named by its ARN."""
    if name.startswith("arn:"):
        return name
    owner = "" if name.startswith(("AWS-", "Amazon-")) else caller.account
    return f"arn:{caller.partition}:ssm:{region}:{owner}:document/{name}"
