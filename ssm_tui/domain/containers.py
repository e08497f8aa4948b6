"""Containers of ECS tasks as targets of sessions: how their ids are made and read, and what a shell in one runs.

Source of the id: the AWS CLI's `ecs execute-command` (awscli/customizations/ecs/executecommand.py) gives the plugin
`ecs:CLUSTER_TASK_RUNTIME` as the target, and StartSession takes the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PREFIX = "ecs:"
# The names of clusters may have underscores; the ids of tasks and runtimes have none.
_ID = re.compile(r"ecs:([A-Za-z0-9_-]+)_([0-9a-zA-Z-]+)_([0-9a-zA-Z-]+)")


class ContainerTarget(NamedTuple):
    """One container: the cluster's short name, the task's id, the container's runtime id."""

    cluster: str
    task: str
    runtime: str

    @property
    def id(self) -> str:
        """As StartSession's Target."""
        return f"{PREFIX}{self.cluster}_{self.task}_{self.runtime}"


def read_target(target: str) -> ContainerTarget | None:
    """The container that a target names; None for what is no container."""
    found = _ID.fullmatch(target)
    return ContainerTarget(*found.groups()) if found else None
