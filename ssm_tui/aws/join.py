"""What SSM and EC2 know of the same nodes, put together in whatever order it comes. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.aws.decode import TERMINATED
from ssm_tui.domain.nodes import Node, Ping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.aws.decode import Instance, Managed
    from ssm_tui.domain.contexts import Context


class NodeJoin:
    """The nodes of one context while both lists are being read. Each method gives the nodes that are now known better.

    An instance that SSM does not know is unmanaged only once SSM's list has been read to its end; until then, and
    where that never happens, its ping is unknown. Terminated instances are left out, unless SSM had already listed
    them before EC2 said so: those are told as terminated.
    """

    def __init__(self, context: Context, account: str | None) -> None:
        self._context = context
        self._account = account
        self._managed: dict[str, Managed] = {}
        self._instances: dict[str, Instance] = {}
        self._tags: dict[str, Mapping[str, str]] = {}
        self._all_managed_read = False

    def managed(self, page: Iterable[Managed]) -> list[Node]:
        """A page of SSM's list."""
        fresh = {each.id: each for each in page}
        self._managed.update(fresh)
        return [self._node(each) for each in fresh if not self._left_out(each)]

    def instances(self, page: Iterable[Instance]) -> list[Node]:
        """A page of EC2's list."""
        fresh = {each.id: each for each in page}
        self._instances.update(fresh)
        return [self._node(each.id) for each in fresh.values() if each.state != TERMINATED or each.id in self._managed]

    def tagged(self, node_id: str, tags: Mapping[str, str]) -> list[Node]:
        """The tags of a hybrid node, which EC2 does not know."""
        self._tags[node_id] = tags
        return [self._node(node_id)] if node_id in self._managed else []

    def all_managed_read(self) -> list[Node]:
        """SSM's list has been read to its end: what EC2 has beyond it is unmanaged."""
        self._all_managed_read = True
        return [self._node(each) for each in self._instances if each not in self._managed and not self._left_out(each)]

    def _left_out(self, node_id: str) -> bool:
        instance = self._instances.get(node_id)
        return instance is not None and instance.state == TERMINATED

    def _node(self, node_id: str) -> Node:
        instance, managed = self._instances.get(node_id), self._managed.get(node_id)
        ping = Ping.UNMANAGED if self._all_managed_read else Ping.UNKNOWN
        node = Node(
            id=node_id, context=self._context, account=self._account, ping=ping, tags=self._tags.get(node_id, {})
        )
        if managed is not None:
            node = _with_managed(node, managed)
        if instance is not None:
            node = _with_instance(node, instance)
        # The Name tag is what people gave; the computer's own name stands in where there is none.
        return replace(node, name=node.tags.get("Name") or (managed.name if managed else None) or "")


def _with_managed(node: Node, managed: Managed) -> Node:
    return replace(
        node,
        ping=managed.ping,
        last_ping=managed.last_ping,
        state=managed.state,
        platform=managed.platform,
        os=managed.os,
        agent_version=managed.agent_version,
        ip=managed.ip,
        role=managed.role,
        instance_type=managed.instance_type,
        launched=managed.launched,
    )


def _with_instance(node: Node, instance: Instance) -> Node:
    """EC2 has the last word on what EC2 owns; the platform is SSM's, which tells more of them apart."""
    return replace(
        node,
        account=instance.account or node.account,
        state=instance.state or node.state,
        platform=node.platform or instance.platform,
        ip=instance.ip or node.ip,
        vpc=instance.vpc,
        subnet=instance.subnet,
        az=instance.az,
        role=instance.role or node.role,
        instance_type=instance.instance_type or node.instance_type,
        launched=instance.launched or node.launched,
        security_groups=instance.security_groups,
        tags=instance.tags,
    )


def hybrid_ids(page: Iterable[Managed]) -> Iterator[str]:
    """The hybrid nodes of a page: EC2 must not be asked about them (one `mi-` id fails a whole EC2 call)."""
    return (each.id for each in page if each.id.startswith("mi-"))
