"""Networks read from the demo cloud over the wire: in few calls, whatever joins them, each refused call told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.aws.networks import read_network
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.networks import LOCAL, Source
from tests.aws.conftest import NETWORKS, REGION, Administrator, allow, deny
from tests.aws.test_nodes import Recorder

ACCOUNT = "123456789012"
OF_EACH_VPC = {Source.GROUPS, Source.ACLS, Source.TABLES, Source.SUBNETS}


def named(ec2: Any, operation: str, key: str, id_: str, name: str) -> str:
    found = getattr(ec2, operation)(Filters=[{"Name": "tag:Name", "Values": [name]}])[key]
    return str(found[0][id_])


def vpc_of(admin: Administrator, name: str) -> str:
    return named(admin.client("ec2"), "describe_vpcs", "Vpcs", "VpcId", name)


@pytest.fixture
def joined(admin: Administrator) -> Iterator[None]:
    """The demo's two VPCs of one region, joined by a peering and by a transit gateway; a rule names a prefix list."""
    ec2, main, data = admin.client("ec2"), vpc_of(admin, "main"), vpc_of(admin, "data")
    with ExitStack() as undo:
        peering = ec2.create_vpc_peering_connection(VpcId=main, PeerVpcId=data)["VpcPeeringConnection"]
        pcx = peering["VpcPeeringConnectionId"]
        undo.callback(ec2.delete_vpc_peering_connection, VpcPeeringConnectionId=pcx)
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)
        gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
        undo.callback(ec2.delete_transit_gateway, TransitGatewayId=gateway)
        for vpc, subnet in ((main, "data-a"), (data, "batch-a")):
            subnets = [named(ec2, "describe_subnets", "Subnets", "SubnetId", subnet)]
            made = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=subnets)
            id_ = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
            undo.callback(ec2.delete_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=id_)
        wanted = [{"Name": "vpc-id", "Values": [main]}, {"Name": "association.main", "Values": ["true"]}]
        (table,) = ec2.describe_route_tables(Filters=wanted)["RouteTables"]
        for block, way in (
            ("10.2.0.0/16", {"VpcPeeringConnectionId": pcx}),
            ("10.200.0.0/16", {"TransitGatewayId": gateway}),
        ):
            ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=block, **way)
            undo.callback(ec2.delete_route, RouteTableId=table["RouteTableId"], DestinationCidrBlock=block)
        listed = ec2.create_managed_prefix_list(
            PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "10.77.0.0/16"}]
        )["PrefixList"]["PrefixListId"]
        group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["orders-db"]}])
        permission = {
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5432,
            "PrefixListIds": [{"PrefixListId": listed}],
        }
        request = {"GroupId": group["SecurityGroups"][0]["GroupId"], "IpPermissions": [permission]}
        ec2.authorize_security_group_ingress(**request)
        undo.callback(ec2.revoke_security_group_ingress, **request)
        yield


def test_a_vpc_that_stands_alone_takes_four_calls(admin: Administrator) -> None:
    gateway, main = Recorder(admin.profile(allow(*NETWORKS))), vpc_of(admin, "main")
    network, note = read_network(gateway, [main], ACCOUNT)
    assert note is None
    assert network.read == frozenset(Source), "what need not be asked is not missing"
    assert network.vpcs == (main,)
    assert sorted(operation for operation, _ in gateway.asked) == [
        "describe_network_acls", "describe_route_tables", "describe_security_groups", "describe_subnets",
    ]  # fmt: skip
    assert {subnet.vpc for subnet in network.subnets} == {main}
    assert any(route.target == LOCAL for table in network.tables for route in table.routes)
    assert all(group.egress for group in network.groups)


class OneByOne(LiveGateway):
    """The demo's answers with one entry a page: its EC2 gives all at once."""

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        for page in super().pages(service, operation, page_size=page_size, **parameters):
            for key, entries in page.items():
                if isinstance(entries, list):
                    yield from ({key: [entry]} for entry in entries)


@pytest.mark.usefixtures("joined")
def test_every_page_counts(admin: Administrator) -> None:
    context, main = Context(admin.profile(allow(*NETWORKS)), REGION), vpc_of(admin, "main")
    whole, _ = read_network(LiveGateway(context), [main], ACCOUNT)
    paged, _ = read_network(OneByOne(context), [main], ACCOUNT)
    for field in ("groups", "acls", "tables", "subnets", "prefix_lists", "peerings", "attachments", "transit_tables"):
        assert sorted(getattr(paged, field), key=repr) == sorted(getattr(whole, field), key=repr), field


@pytest.mark.usefixtures("joined")
def test_what_joins_vpcs_is_read_and_what_is_there(admin: Administrator) -> None:
    main, data = vpc_of(admin, "main"), vpc_of(admin, "data")
    network, note = read_network(LiveGateway(Context(admin.profile(allow(*NETWORKS)), REGION)), [main], ACCOUNT)
    assert note is None
    assert set(network.vpcs) == {main, data}
    assert {subnet.vpc for subnet in network.subnets} == {main, data}
    (peering,) = network.peerings
    assert (peering.vpcs, peering.active, peering.same_region) == ((main, data), True, True)
    assert {each.vpc for each in network.attachments} == {main, data}
    assert all(each.subnets and each.table and each.references is False for each in network.attachments)
    (table,) = network.transit_tables
    assert {route.destination for route in table.routes} == {"10.1.0.0/16", "10.2.0.0/16"}
    (listed,) = network.prefix_lists
    assert listed.cidrs == ("10.77.0.0/16",)


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize("source", [each for each in Source if each not in OF_EACH_VPC | {Source.INSTANCES}])
def test_each_call_that_is_refused_is_told_and_leaves_the_rest(admin: Administrator, source: Source) -> None:
    profile = admin.profile(allow(*NETWORKS), deny(source.value))
    network, note = read_network(LiveGateway(Context(profile, REGION)), [vpc_of(admin, "main")], ACCOUNT)
    assert source not in network.read
    assert network.read >= OF_EACH_VPC
    assert note is not None
    assert source.value in note.hint
    assert not note.partial, "no row is missing"


def test_no_database_no_call() -> None:
    network, note = read_network(LiveGateway(Context("nobody", REGION)), [], None)
    assert (network.vpcs, note) == ((), None)
