"""EC2's answers about networks as domain values: pure and tolerant, as in `decode`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.aws.decode import common, entries, entry, flag, text, texts
from ssm_tui.domain.networks import (
    LOCAL,
    AclRule,
    Attachment,
    NetworkAcl,
    Peering,
    Permission,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a route may lead to, by the keys of EC2's Route; a peering or a transit gateway is what matters here.
_TARGETS = (
    "VpcPeeringConnectionId", "TransitGatewayId", "GatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId",
    "EgressOnlyInternetGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn",
)  # fmt: skip


def security_groups(response: Mapping[str, Any]) -> list[SecurityGroup]:
    """A page of DescribeSecurityGroups."""
    return [
        SecurityGroup(
            group_id,
            tuple(_permission(rule) for rule in entries(each.get("IpPermissions"))),
            tuple(_permission(rule) for rule in entries(each.get("IpPermissionsEgress"))),
        )
        for each in entries(response.get("SecurityGroups"))
        if (group_id := text(each.get("GroupId")))
    ]


def _permission(rule: Mapping[str, Any]) -> Permission:
    ranges = [common(each.get("CidrIp")) for each in entries(rule.get("IpRanges"))]
    ranges += [common(each.get("CidrIpv6")) for each in entries(rule.get("Ipv6Ranges"))]
    return Permission(
        protocol=common(rule.get("IpProtocol")) or "",
        first_port=_bound(rule.get("FromPort")),
        last_port=_bound(rule.get("ToPort")),
        cidrs=texts(ranges),
        groups=texts([each.get("GroupId") for each in entries(rule.get("UserIdGroupPairs"))]),
        prefix_lists=texts([each.get("PrefixListId") for each in entries(rule.get("PrefixListIds"))]),
    )


def network_acls(response: Mapping[str, Any]) -> list[NetworkAcl]:
    """A page of DescribeNetworkAcls."""
    return [
        NetworkAcl(
            acl_id,
            texts([each.get("SubnetId") for each in entries(found.get("Associations"))]),
            tuple(_acl_rule(each) for each in entries(found.get("Entries")) if each.get("Egress") is not True),
            tuple(_acl_rule(each) for each in entries(found.get("Entries")) if each.get("Egress") is True),
        )
        for found in entries(response.get("NetworkAcls"))
        if (acl_id := text(found.get("NetworkAclId")))
    ]


def _acl_rule(each: Mapping[str, Any]) -> AclRule:
    number, ports = each.get("RuleNumber"), entry(each.get("PortRange"))
    return AclRule(
        number=number if isinstance(number, int) else 0,
        allow=each.get("RuleAction") == "allow",
        protocol=common(each.get("Protocol")) or "",
        cidr=common(each.get("CidrBlock")) or common(each.get("Ipv6CidrBlock")) or "",
        first_port=_bound(ports.get("From")),
        last_port=_bound(ports.get("To")),
    )


def route_tables(response: Mapping[str, Any]) -> list[RouteTable]:
    """A page of DescribeRouteTables."""
    return [
        RouteTable(
            table_id,
            text(found.get("VpcId")) or "",
            tuple(route for each in entries(found.get("Routes")) if (route := _route(each))),
            texts([each.get("SubnetId") for each in entries(found.get("Associations"))]),
            any(flag(each.get("Main")) for each in entries(found.get("Associations"))),
        )
        for found in entries(response.get("RouteTables"))
        if (table_id := text(found.get("RouteTableId")))
    ]


def _route(each: Mapping[str, Any]) -> Route | None:
    destination = next(filter(None, (text(each.get(f"Destination{key}")) for key in _DESTINATIONS)), None)
    if destination is None:
        return None
    target = next(filter(None, (text(each.get(key)) for key in _TARGETS)), "")
    return Route(destination, LOCAL if target == LOCAL else target, each.get("State") != "blackhole")


_DESTINATIONS = ("CidrBlock", "Ipv6CidrBlock", "PrefixListId")


def subnets(response: Mapping[str, Any]) -> list[Subnet]:
    """A page of DescribeSubnets."""
    return [
        Subnet(
            subnet_id,
            text(found.get("VpcId")) or "",
            common(found.get("AvailabilityZone")),
            texts(
                [
                    found.get("CidrBlock"),
                    *(each.get("Ipv6CidrBlock") for each in entries(found.get("Ipv6CidrBlockAssociationSet"))),
                ]
            ),
        )
        for found in entries(response.get("Subnets"))
        if (subnet_id := text(found.get("SubnetId")))
    ]


def prefix_entries(response: Mapping[str, Any]) -> list[str]:
    """A page of GetManagedPrefixListEntries: CIDRs."""
    return [cidr for each in entries(response.get("Entries")) if (cidr := text(each.get("Cidr")))]


def peerings(response: Mapping[str, Any]) -> list[Peering]:
    """A page of DescribeVpcPeeringConnections."""
    found: list[Peering] = []
    for each in entries(response.get("VpcPeeringConnections")):
        ends = [entry(each.get(f"{end}VpcInfo")) for end in ("Requester", "Accepter")]
        id_, vpcs = text(each.get("VpcPeeringConnectionId")), texts([end.get("VpcId") for end in ends])
        if id_ and len(vpcs) == len(ends):
            status = text(entry(each.get("Status")).get("Code")) or "unknown"
            found.append(Peering(id_, (vpcs[0], vpcs[1]), status, ends[0].get("Region") == ends[1].get("Region")))
    return found


def attachments(response: Mapping[str, Any]) -> list[Attachment]:
    """A page of DescribeTransitGatewayAttachments, of VPCs' alone."""
    return [
        Attachment(
            id_,
            text(each.get("TransitGatewayId")) or "",
            text(each.get("ResourceId")) or "",
            text(each.get("State")) or "unknown",
            text(entry(each.get("Association")).get("TransitGatewayRouteTableId")),
        )
        for each in entries(response.get("TransitGatewayAttachments"))
        if (id_ := text(each.get("TransitGatewayAttachmentId"))) and each.get("ResourceType") == "vpc"
    ]


def attachment_subnets(response: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...], bool]]:
    """A page of DescribeTransitGatewayVpcAttachments: of each its id, its subnets, and whether it lets rules name
    groups of other attached VPCs."""
    return [
        (id_, texts(each.get("SubnetIds")), entry(each.get("Options")).get(_REFERENCES) == "enable")
        for each in entries(response.get("TransitGatewayVpcAttachments"))
        if (id_ := text(each.get("TransitGatewayAttachmentId")))
    ]


_REFERENCES = "SecurityGroupReferencingSupport"


def referencing_gateways(response: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """A page of DescribeTransitGateways: of each its id, and whether it lets rules name groups of attached VPCs."""
    return [
        (id_, entry(each.get("Options")).get(_REFERENCES) == "enable")
        for each in entries(response.get("TransitGateways"))
        if (id_ := text(each.get("TransitGatewayId")))
    ]


def transit_routes(response: Mapping[str, Any]) -> list[Route]:
    """A page of SearchTransitGatewayRoutes. A route over several attachments counts by the first."""
    found: list[Route] = []
    for each in entries(response.get("Routes")):
        destination = text(each.get("DestinationCidrBlock")) or text(each.get("PrefixListId"))
        if destination:
            targets = [
                text(to.get("TransitGatewayAttachmentId")) for to in entries(each.get("TransitGatewayAttachments"))
            ]
            found.append(Route(destination, next(filter(None, targets), ""), each.get("State") != "blackhole"))
    return found


def _bound(value: object) -> int | None:
    # -1 is "all" in EC2's permissions.
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
