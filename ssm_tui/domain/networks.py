"""Security groups as AWS enforces them: does this one admit that node on a port. Facts in, the deciding rule out."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssm_tui.domain.nodes import Node

ALL_PROTOCOLS = "-1"
TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Ingress:
    """One inbound permission. Ports are inclusive; None means all. Sources are CIDRs and the ids of other groups."""

    protocol: str
    first_port: int | None
    last_port: int | None
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def covers(self, port: int) -> bool:
        """Whether the permission is for this TCP port."""
        if self.protocol == ALL_PROTOCOLS:
            return True
        if self.protocol not in (TCP, "6"):
            return False
        return self.first_port is None or self.last_port is None or self.first_port <= port <= self.last_port


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group's inbound side (EC2 DescribeSecurityGroups)."""

    id: str
    ingress: tuple[Ingress, ...]

    def admits(self, node: Node, port: int) -> str | None:
        """In words the rule that lets the node in on a TCP port, or None where no rule does."""
        for rule in self.ingress:
            if not rule.covers(port):
                continue
            for group in rule.groups:
                if group in node.security_groups:
                    return f"{self.id} admits {group} on port {port}"
            for cidr in rule.cidrs:
                if node.ip and ip_address(node.ip) in ip_network(cidr, strict=False):
                    return f"{self.id} admits {cidr} on port {port}"
        return None
