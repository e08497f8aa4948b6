"""What kinds of nodes there are, as their ids tell them apart."""

from __future__ import annotations

from enum import StrEnum

from ssm_tui.domain.containers import PREFIX


class NodeKind(StrEnum):
    """What sort of machine it is, by whom its id is from."""

    EC2 = "ec2"
    HYBRID = "hybrid"
    ECS = "ecs"
    """A container of an ECS task: it is entered by ECS Exec."""


def kind_of(node_id: str) -> NodeKind:
    """By the id, as every source gives it."""
    if node_id.startswith(PREFIX):
        return NodeKind.ECS
    return NodeKind.HYBRID if node_id.startswith("mi-") else NodeKind.EC2
