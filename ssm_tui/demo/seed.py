"""Turns the fleet into a living cloud by ordinary AWS calls over the wire, signed by the administrator."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends

from ssm_tui.demo.landscape import backdate
from ssm_tui.demo.principals import PARTITION, PARTITIONS
from ssm_tui.demo.registry import Agent, Hybrid
from ssm_tui.demo.seed_containers import seed_containers
from ssm_tui.demo.seed_databases import seed_databases
from ssm_tui.demo.seed_roles import seed_roles
from ssm_tui.demo.seeding import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.fleet import Fleet, HybridNode, Network, Nodes
    from ssm_tui.demo.seeding import Seeding

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_IMAGES = {
    "amazon": "ami-0a1a2a3a4a5a6a7a8",
    "ubuntu": "ami-0b1b2b3b4b5b6b7b8",
    "windows": "ami-0c1c2c3c4c5c6c7c8",
}
_SYSTEMS = {
    "amazon": ("Linux", "Amazon Linux", "2023"),
    "ubuntu": ("Linux", "Ubuntu", "22.04"),
    "windows": ("Windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348"),
}
_EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


def create_administrator(fleet: Fleet) -> Keys:
    """The first caller, made in moto itself since nobody could sign for it yet.

    Everywhere else one person has other keys in China and in GovCloud; here they are the same in all three.
    """
    name = fleet.administrator.name
    backends = {place: iam_backends[fleet.account.id][place] for place in PARTITIONS}
    backends[PARTITION].create_user(PARTITION, name)
    key = backends[PARTITION].create_access_key(name)
    backends[PARTITION].attach_user_policy("arn:aws:iam::aws:policy/AdministratorAccess", name)
    for place, backend in backends.items():
        if place != PARTITION:
            backend.create_user(place, name).access_keys.append(key)
            backend.put_user_policy(name, "Everything", _EVERYTHING)
    return Keys(key.access_key_id, key.secret_access_key)


def seed(seeding: Seeding, passwords: Mapping[str, str]) -> Keys:
    """Makes everything; returns the developer's keys. `passwords` are those of the databases' users."""
    developer = _seed_people(seeding)
    for name, network in seeding.fleet.networks.items():
        seeding.progress(f"network {name}")
        _seed_network(seeding, name, network)
    total = sum(each.count for each in seeding.fleet.nodes) + len(seeding.fleet.hybrid)
    done = 0
    for nodes in seeding.fleet.nodes:
        seeding.progress(f"nodes {done}/{total}")
        _seed_nodes(seeding, nodes)
        done += nodes.count
    for hybrid in seeding.fleet.hybrid:
        _seed_hybrid(seeding, hybrid)
    seeding.progress("containers")
    seed_containers(seeding)
    seeding.progress("databases")
    seed_databases(seeding, passwords)
    return developer


def _seed_people(seeding: Seeding) -> Keys:
    iam = seeding.client("iam", seeding.fleet.account.default_region)
    iam.create_account_alias(AccountAlias="ssm-tui-demo")
    for role in {each.role for each in seeding.fleet.nodes if each.role}:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.attach_role_policy(RoleName=role, PolicyArn=_CORE)
        iam.create_instance_profile(InstanceProfileName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    developer = seeding.fleet.developer
    iam.create_user(UserName=developer.name, Tags=_tags(developer.tags))
    policy = iam.create_policy(PolicyName=developer.policy_name, PolicyDocument=developer.policy)["Policy"]["Arn"]
    iam.attach_user_policy(UserName=developer.name, PolicyArn=policy)
    seed_roles(iam, seeding.fleet.account.id, developer.name, policy)
    key = iam.create_access_key(UserName=developer.name)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


def _seed_network(seeding: Seeding, name: str, network: Network) -> None:
    ec2 = seeding.client("ec2", network.region)
    vpc = ec2.create_vpc(CidrBlock=network.cidr, TagSpecifications=_named("vpc", name))["Vpc"]["VpcId"]
    seeding.vpcs[name] = vpc
    for subnet in network.subnets:
        made = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=subnet.cidr,
            AvailabilityZone=network.region + subnet.zone,
            TagSpecifications=_named("subnet", subnet.name),
        )
        seeding.subnets[name, subnet.name] = made["Subnet"]["SubnetId"]
    _seed_ways_out(ec2, seeding, name, network)
    _seed_groups(ec2, seeding, name)
    if network.endpoints is not None:
        for service in ("ssm", "ssmmessages", "ec2messages"):
            ec2.create_vpc_endpoint(
                VpcId=vpc,
                VpcEndpointType="Interface",
                ServiceName=f"com.amazonaws.{network.region}.{service}",
                SubnetIds=[seeding.subnets[name, each] for each in network.endpoints.subnets],
                SecurityGroupIds=[seeding.groups[name, network.endpoints.group]],
            )


def _seed_ways_out(ec2: Any, seeding: Seeding, name: str, network: Network) -> None:
    """One internet gateway; a NAT gateway where a subnet wants one. A subnet without a way out keeps the main table."""
    vpc = seeding.vpcs[name]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables: dict[str, str] = {}
    for subnet in network.subnets:
        identifier = seeding.subnets[name, subnet.name]
        if subnet.way_out == "none":
            continue
        if subnet.way_out not in tables:
            table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
            way: dict[str, str] = {"GatewayId": gateway}
            if subnet.way_out == "nat":
                address = ec2.allocate_address(Domain="vpc")["AllocationId"]
                nat = ec2.create_nat_gateway(SubnetId=identifier, AllocationId=address)["NatGateway"]["NatGatewayId"]
                way = {"NatGatewayId": nat}
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
            tables[subnet.way_out] = table
        if subnet.way_out == "internet":
            ec2.modify_subnet_attribute(SubnetId=identifier, MapPublicIpOnLaunch={"Value": True})
        ec2.associate_route_table(RouteTableId=tables[subnet.way_out], SubnetId=identifier)


def _seed_groups(ec2: Any, seeding: Seeding, network: str) -> None:
    groups = seeding.fleet.groups[network]
    for name in groups:
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=seeding.vpcs[network])
        seeding.groups[network, name] = made["GroupId"]
    for name, admissions in groups.items():
        for each in admissions:
            source: dict[str, Any] = {"IpRanges": [{"CidrIp": each.source}]}
            if each.source in groups:
                source = {"UserIdGroupPairs": [{"GroupId": seeding.groups[network, each.source]}]}
            ec2.authorize_security_group_ingress(
                GroupId=seeding.groups[network, name],
                IpPermissions=[{"IpProtocol": "tcp", "FromPort": each.port, "ToPort": each.port, **source}],
            )


def _seed_nodes(seeding: Seeding, nodes: Nodes) -> None:
    ec2 = seeding.of_network("ec2", nodes.network)
    agent = _agent(nodes.system, nodes.agent, nodes.lost_for_hours)
    profile = {"IamInstanceProfile": {"Name": nodes.role}} if nodes.role else {}
    for place, subnet in enumerate(nodes.subnets):
        names = nodes.names()[place :: len(nodes.subnets)]
        if not names:
            continue
        made = ec2.run_instances(
            ImageId=_IMAGES[nodes.system],
            InstanceType=nodes.type,
            MinCount=len(names),
            MaxCount=len(names),
            SubnetId=seeding.subnets[nodes.network, subnet],
            SecurityGroupIds=[seeding.groups[nodes.network, nodes.group]],
            TagSpecifications=[{"ResourceType": "instance", "Tags": _tags({"Name": names[0], **nodes.tags})}],
            **profile,
        )
        identifiers = [each["InstanceId"] for each in made["Instances"]]
        for identifier, name in zip(identifiers, names, strict=True):
            seeding.registry.install_agent(identifier, agent)
            backdate(seeding.fleet.account.id, ec2.meta.region_name, identifier, timedelta(days=seeding.next_age()))
            if identifier != identifiers[0]:
                ec2.create_tags(Resources=[identifier], Tags=_tags({"Name": name}))
                if profile:
                    # Moto gives the profile to the first of a launch alone.
                    ec2.associate_iam_instance_profile(InstanceId=identifier, **profile)
        if nodes.stopped:
            # They register while they run; the register then sees them stop.
            seeding.registry.nodes(seeding.fleet.account.id, ec2.meta.region_name)
            ec2.stop_instances(InstanceIds=identifiers)


def _seed_hybrid(seeding: Seeding, node: HybridNode) -> None:
    now = datetime.now(UTC)
    seeding.registry.register_hybrid(
        node.id,
        seeding.fleet.account.id,
        node.region,
        _agent(node.system, node.agent, 0),
        Hybrid(node.name, node.address, "0f5a6c1e-7d2b-4c39-9b0e-3a7f5d2c8e41", "SSMServiceRole"),
        now - timedelta(days=120),
    )
    seeding.client("ssm", node.region).add_tags_to_resource(
        ResourceType="ManagedInstance", ResourceId=node.id, Tags=_tags({"Name": node.name, **node.tags})
    )


def _agent(system: str, version: str, lost_for_hours: int) -> Agent:
    platform_type, platform_name, platform_version = _SYSTEMS[system]
    lost = datetime.now(UTC) - timedelta(hours=lost_for_hours) if lost_for_hours else None
    return Agent(version, platform_type, platform_name, platform_version, lost)


def _named(resource_type: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": resource_type, "Tags": _tags({"Name": name})}]


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
