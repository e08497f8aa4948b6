"""A VPC's network as plain facts: security groups, network ACLs, routes, and what joins it to other VPCs.

The facts of a context come from EC2's Describe calls (API reference, Types). What they allow is decided in
`ssm_tui.domain.reachability`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALL_PROTOCOLS = "-1"
TCP = ("tcp", "6")
LOCAL = "local"
"""The target of a route within the VPC."""


class Source(StrEnum):
    """A call that tells of networks, by the IAM action that allows it."""

    INSTANCES = "ec2:DescribeInstances"
    GROUPS = "ec2:DescribeSecurityGroups"
    ACLS = "ec2:DescribeNetworkAcls"
    TABLES = "ec2:DescribeRouteTables"
    SUBNETS = "ec2:DescribeSubnets"
    PREFIXES = "ec2:GetManagedPrefixListEntries"
    PEERINGS = "ec2:DescribeVpcPeeringConnections"
    TRANSIT = "ec2:DescribeTransitGateways"
    ATTACHMENTS = "ec2:DescribeTransitGatewayAttachments"
    TRANSIT_SUBNETS = "ec2:DescribeTransitGatewayVpcAttachments"
    TRANSIT_ROUTES = "ec2:SearchTransitGatewayRoutes"


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of a security group, of either direction (IpPermission). Ports are inclusive; None means all.
    The others are CIDRs of both families, ids of groups, and ids of prefix lists."""

    protocol: str
    first_port: int | None
    last_port: int | None
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()

    def covers(self, port: int) -> bool:
        """Whether the permission is for this TCP port."""
        if self.protocol == ALL_PROTOCOLS:
            return True
        if self.protocol not in TCP:
            return False
        return self.first_port is None or self.last_port is None or self.first_port <= port <= self.last_port


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group; what none of its permissions allows is dropped."""

    id: str
    ingress: tuple[Permission, ...] = ()
    egress: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class AclRule:
    """A numbered rule of a network ACL. Ports are inclusive; None means all."""

    number: int
    allow: bool
    protocol: str
    cidr: str
    first_port: int | None = None
    last_port: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkAcl:
    """The ACL of some subnets: the first rule that matches decides, and what none matches is dropped."""

    id: str
    subnets: tuple[str, ...]
    ingress: tuple[AclRule, ...] = ()
    egress: tuple[AclRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Where packets for the destination go: a CIDR or a prefix list's id; `local` or the id of what takes them. A route
    that is not active is a black hole."""

    destination: str
    target: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes of some subnets; the main table's are those of every subnet of the VPC that has no other."""

    id: str
    vpc: str
    routes: tuple[Route, ...]
    subnets: tuple[str, ...] = ()
    main: bool = False


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet and its CIDRs, of both families."""

    id: str
    vpc: str
    az: str | None
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A managed prefix list's entries, the user's or AWS's."""

    id: str
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Peering:
    """A peering of two VPCs; `status` is AWS's word, and traffic flows in `active` alone."""

    id: str
    vpcs: tuple[str, str]
    status: str
    same_region: bool = True

    @property
    def active(self) -> bool:
        """Whether it carries traffic."""
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A VPC's attachment to a transit gateway. `table` is the gateway's route table that it is associated with, by
    which what comes from the VPC is sent on. `subnets`, where they are known, are those that hold its interfaces, one
    a zone; `references`: security groups of other attached VPCs may be named in rules here (None: not known)."""

    id: str
    gateway: str
    vpc: str
    state: str
    table: str | None
    subnets: tuple[str, ...] | None = None
    references: bool | None = None


@dataclass(frozen=True, slots=True)
class TransitTable:
    """A transit gateway's route table: each route's target is an attachment's id."""

    id: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """What is known of the networks around a context's databases. `vpcs` are those that it tells of, `read` the calls
    that came to their end: what another would have told is not known."""

    read: frozenset[Source] = frozenset()
    vpcs: tuple[str, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()
    acls: tuple[NetworkAcl, ...] = ()
    tables: tuple[RouteTable, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    prefix_lists: tuple[PrefixList, ...] = ()
    peerings: tuple[Peering, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    transit_tables: tuple[TransitTable, ...] = ()
