"""What the tool says of a network is what the demo's network does: the administrator edits it, then both are asked.

The demo sends single packets through moto's state, the tool reasons over what EC2's calls tell: they share no code.
"""

from __future__ import annotations

import shlex
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.aws.live import AwsCloud
from ssm_tui.aws.networks import read_network
from ssm_tui.demo.agent import FarNameError, FarRefused, FarTimeout
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Database, Reachable
from ssm_tui.domain.nodes import Node
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.domain.reachability.verdict import reaches
from tests.demo.control.world import IN_ONE_PROCESS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssm_tui.domain.reachability.finding import Finding

    Edit = Callable[["Surroundings", ExitStack], None]

pytestmark = IN_ONE_PROCESS
REGION = "ap-northeast-2"
NODES = ("결제-api-1", "web-2", "legacy-batch-1")
DATABASES = ("orders", "catalog", "billing")
PAIRS = [(node, database) for node in NODES for database in DATABASES]


class Surroundings:
    """The administrator's edits, each taken back when the stack closes; and both answers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ec2: Any = world.administrator.client("ec2")
        cloud = AwsCloud(Context(None, REGION))
        self._gateway = LiveGateway(Context(None, REGION))
        self.nodes: dict[str, Node] = {n.name: n for page in cloud.node_pages() for n in page.nodes if n.name in NODES}
        found = {each.id: each for page in cloud.database_pages() for each in page.databases}
        self.databases: dict[str, Database] = {id_: found[id_] for id_ in DATABASES}
        self.vpcs = {name: self._id("describe_vpcs", "Vpcs", "VpcId", name) for name in ("main", "data")}
        subnets = ("app-a", "app-b", "data-a", "data-b", "batch-a", "batch-b", "locked-a")
        self.subnets = {name: self._id("describe_subnets", "Subnets", "SubnetId", name) for name in subnets}

    def _id(self, operation: str, key: str, id_: str, name: str) -> str:
        found = getattr(self.ec2, operation)(Filters=[{"Name": "tag:Name", "Values": [name]}])
        return str(found[key][0][id_])

    def verdicts(self) -> dict[tuple[str, str], Finding]:
        """By what EC2's calls tell now."""
        network, note = read_network(self._gateway, self.vpcs.values(), "123456789012")
        assert note is None, note
        terrain = Terrain(network)
        return {(n, d): reaches(terrain, self.nodes[n], self.databases[d]) for n, d in PAIRS}

    def dials(self, node: str, database: str) -> bool:
        """By a dial of the node's."""
        target = self.databases[database]
        try:
            self.world.network.resolve(self.nodes[node].id, target.endpoint, target.port)
        except (FarTimeout, FarNameError):
            return False
        except FarRefused:  # it is there, and no server of its engine
            return True
        return True


def rule(group: str, *, egress: bool = False, port: int = 5432, **source: Any) -> Edit:
    """A rule of a group, added; `source` is what the wire takes, or a group, `named`."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        side = "egress" if egress else "ingress"
        means = {"UserIdGroupPairs": [{"GroupId": here.world.group(source["named"])}]} if "named" in source else source
        ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        request = {"GroupId": here.world.group(group), "IpPermissions": [{**ports, **means}]}
        getattr(here.ec2, f"authorize_security_group_{side}")(**request)
        undo.callback(getattr(here.ec2, f"revoke_security_group_{side}"), **request)

    return edit


def cidr(text: str) -> dict[str, Any]:
    return {"IpRanges": [{"CidrIp": text}]}


def closed(group: str) -> Edit:
    """What lets everything out is taken from a group."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        request = {"GroupId": here.world.group(group), "IpPermissions": [{"IpProtocol": "-1", **cidr("0.0.0.0/0")}]}
        here.ec2.revoke_security_group_egress(**request)
        undo.callback(here.ec2.authorize_security_group_egress, **request)

    return edit


def unruled(group: str, source: str, port: int) -> Edit:
    """The rule that the fleet has is taken away."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        pair = {"UserIdGroupPairs": [{"GroupId": here.world.group(source)}]}
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **pair}
        request = {"GroupId": here.world.group(group), "IpPermissions": [permission]}
        here.ec2.revoke_security_group_ingress(**request)
        undo.callback(here.ec2.authorize_security_group_ingress, **request)

    return edit


def listed(group: str, *cidrs: str) -> Edit:
    """A rule that admits a prefix list."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        made = here.ec2.create_managed_prefix_list(
            PrefixListName="x", MaxEntries=9, AddressFamily="IPv4", Entries=[{"Cidr": each} for each in cidrs]
        )
        id_ = made["PrefixList"]["PrefixListId"]
        rule(group, PrefixListIds=[{"PrefixListId": id_}])(here, undo)

    return edit


def acl(subnets: tuple[str, ...], *entries: tuple[bool, int, bool, str, int, int]) -> Edit:
    """An ACL of the subnets' own: (egress, number, allow, CIDR, first and last port; 0 for all protocols)."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        vpc = here.vpcs["main" if subnets[0] in ("app-a", "app-b", "data-a", "data-b") else "data"]
        made = here.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        undo.callback(here.ec2.delete_network_acl, NetworkAclId=made)
        for egress, number, allow, block, first, last in entries:
            ports = {"Protocol": "6", "PortRange": {"From": first, "To": last}} if last else {"Protocol": "-1"}
            action = "allow" if allow else "deny"
            here.ec2.create_network_acl_entry(
                NetworkAclId=made, RuleNumber=number, Egress=egress, RuleAction=action, CidrBlock=block, **ports
            )
        for name in subnets:
            undo.callback(associated, here, name, associated(here, name, made))

    return edit


def associated(here: Surroundings, subnet: str, acl_id: str) -> str:
    """Gives the subnet another ACL; which it had."""
    wanted = [{"Name": "association.subnet-id", "Values": [here.subnets[subnet]]}]
    (before,) = here.ec2.describe_network_acls(Filters=wanted)["NetworkAcls"]
    (old,) = [each for each in before["Associations"] if each["SubnetId"] == here.subnets[subnet]]
    here.ec2.replace_network_acl_association(AssociationId=old["NetworkAclAssociationId"], NetworkAclId=acl_id)
    return str(before["NetworkAclId"])


def peered(*, accepted: bool = True, there: bool = True, back: bool = True, block: str = "10.1.0.0/16") -> Edit:
    """A peering of the two VPCs, with routes in every table of each."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        made = here.ec2.create_vpc_peering_connection(VpcId=here.vpcs["main"], PeerVpcId=here.vpcs["data"])
        id_ = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        undo.callback(here.ec2.delete_vpc_peering_connection, VpcPeeringConnectionId=id_)
        if accepted:
            here.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id_)
        if there:
            routed(here, undo, "data", block, VpcPeeringConnectionId=id_)
        if back:
            routed(here, undo, "main", "10.2.0.0/16", VpcPeeringConnectionId=id_)

    return edit


def transit(
    *blocks: tuple[str, str], propagated: str = "disable", subnets: tuple[str, ...] = ("data-a", "data-b")
) -> Edit:
    """A transit gateway that both VPCs are attached to: (CIDR, VPC) are the routes that are made in its table."""

    def edit(here: Surroundings, undo: ExitStack) -> None:
        gateway = here.ec2.create_transit_gateway(Options={"DefaultRouteTablePropagation": propagated})[
            "TransitGateway"
        ]
        id_, table = gateway["TransitGatewayId"], gateway["Options"]["AssociationDefaultRouteTableId"]
        undo.callback(here.ec2.delete_transit_gateway, TransitGatewayId=id_)
        attached: dict[str, str] = {}
        for vpc, names in (("main", subnets), ("data", ("batch-a", "batch-b"))):
            made = here.ec2.create_transit_gateway_vpc_attachment(
                TransitGatewayId=id_, VpcId=here.vpcs[vpc], SubnetIds=[here.subnets[name] for name in names]
            )["TransitGatewayVpcAttachment"]
            attached[vpc] = made["TransitGatewayAttachmentId"]
            undo.callback(here.ec2.delete_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=attached[vpc])
        for block, vpc in blocks:
            here.ec2.create_transit_gateway_route(
                TransitGatewayRouteTableId=table,
                DestinationCidrBlock=block,
                TransitGatewayAttachmentId=attached[vpc],
            )
        routed(here, undo, "data", "10.1.0.0/16", TransitGatewayId=id_)
        routed(here, undo, "main", "10.2.0.0/16", TransitGatewayId=id_)

    return edit


def routed(here: Surroundings, undo: ExitStack, vpc: str, block: str, **target: str) -> None:
    """A route in every table of a VPC that has none for the block."""
    wanted = [{"Name": "vpc-id", "Values": [here.vpcs[vpc]]}]
    for table in here.ec2.describe_route_tables(Filters=wanted)["RouteTables"]:
        if not any(each.get("DestinationCidrBlock") == block for each in table["Routes"]):
            here.ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=block, **target)
            undo.callback(here.ec2.delete_route, RouteTableId=table["RouteTableId"], DestinationCidrBlock=block)


EVERY = ((False, 100, True, "0.0.0.0/0", 0, 0), (True, 100, True, "0.0.0.0/0", 0, 0))
ANSWERS = (True, 100, True, "10.1.0.0/16", 1024, 65535)
EDITS: dict[str, Edit] = {
    "orders admits no app": unruled("orders-db", "app-node", 5432),
    "orders admits no web": unruled("orders-db", "web-node", 5432),
    "orders admits a subnet": rule("orders-db", **cidr("10.1.4.0/24")),
    "orders admits the other VPC": rule("orders-db", **cidr("10.2.0.0/16")),
    "orders admits the other VPC's group": rule("orders-db", named="batch-node"),
    "catalog admits half a subnet": rule("catalog-db", **cidr("10.1.4.0/25")),
    "catalog admits a list": listed("catalog-db", "10.1.4.0/24", "10.2.0.0/16"),
    "catalog admits another port": rule("catalog-db", port=3306, **cidr("0.0.0.0/0")),
    "billing admits main": rule("billing-db", port=3306, **cidr("10.1.0.0/16")),
    "app lets nothing out": closed("app-node"),
    "app lets out to orders": rule("app-node", egress=True, named="orders-db"),
    "app lets out to one subnet": rule("app-node", egress=True, **cidr("10.1.20.0/24")),
    "batch lets nothing out": closed("batch-node"),
    "data-a is open": acl(("data-a",), *EVERY),
    "data-b is closed": acl(("data-b",)),
    "data takes the port": acl(("data-a", "data-b"), (False, 100, True, "10.1.0.0/16", 5432, 5432), ANSWERS),
    "data gives no answer": acl(("data-a", "data-b"), (False, 100, True, "0.0.0.0/0", 0, 0)),
    "data denies a subnet": acl(("data-a", "data-b"), (False, 50, False, "10.1.4.0/24", 5432, 5432), *EVERY),
    "app-a takes answers": acl(("app-a",), (True, 10, True, "10.0.0.0/8", 5432, 5432), (False, *ANSWERS[1:])),
    "app-a takes none": acl(("app-a",), (True, 10, True, "10.0.0.0/8", 0, 0), (False, 9, True, "10.1.0.0/16", 1, 1023)),
    "batch is closed": acl(("batch-a", "batch-b"), EVERY[0]),
    "peering": peered(),
    "peering that waits": peered(accepted=False),
    "peering without a way there": peered(there=False),
    "peering without a way back": peered(back=False),
    "peering for one subnet": peered(block="10.1.20.0/24"),
    "transit": transit(("10.1.0.0/16", "main"), ("10.2.0.0/16", "data")),
    "transit with propagated routes": transit(propagated="enable"),
    "transit without a way back": transit(("10.1.0.0/16", "main")),
    "transit in one zone": transit(("10.1.0.0/16", "main"), ("10.2.0.0/16", "data"), subnets=("data-b",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def here(world: World) -> Iterator[Surroundings]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.environment.items():
            patch.setenv(name, value)
        yield Surroundings(world)


def agree(here: Surroundings, names: list[str], *pairs: tuple[str, str]) -> Counter[Reachable]:
    """Makes the edits, asks both, takes the edits back; what the verdicts were."""
    pairs = pairs or tuple(PAIRS)
    with ExitStack() as undo:
        for name in names:
            EDITS[name](here, undo)
        verdicts = {pair: found for pair, found in here.verdicts().items() if pair in pairs}
        for (node, database), found in verdicts.items():
            if found.reachable is not Reachable.UNKNOWN:
                dialled = here.dials(node, database)
                assert dialled is found.passes, f"{node} to {database} after {names}: {found}, dialled: {dialled}"
    return Counter(found.reachable for found in verdicts.values())


@pytest.mark.parametrize("name", ["", *EDITS])
def test_each_edit_by_itself(here: Surroundings, name: str) -> None:
    found = agree(here, [name] if name else [])
    assert found[Reachable.YES] + found[Reachable.NO] >= len(PAIRS) - 3, "what is known is said"


def test_a_relay_in_another_vpc(here: Surroundings) -> None:
    """What joins the VPCs counts, where groups admit: both say yes, by a peering and by a transit gateway."""
    pair = ("legacy-batch-1", "orders")
    admitted = "orders admits the other VPC"
    for way in ("peering", "transit", "transit with propagated routes"):
        assert agree(here, [admitted, way], pair)[Reachable.YES] == 1, way
    for way in ("peering without a way back", "peering that waits", "transit without a way back"):
        assert agree(here, [admitted, way], pair)[Reachable.NO] == 1, way
    assert agree(here, ["orders admits the other VPC's group", "peering"], pair)[Reachable.YES] == 1
    assert agree(here, ["orders admits the other VPC's group", "transit"], pair)[Reachable.NO] == 1


def _one_way(names: list[str]) -> list[str]:
    """At most one thing joins the VPCs: routes of two would be at odds."""
    ways = [name for name in names if name.startswith(("peering", "transit"))]
    return [name for name in names if name not in ways[1:]]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # each example takes a second: a failure tells its edits, few enough to read
)
@given(st.lists(st.sampled_from(sorted(EDITS)), min_size=2, max_size=7, unique=True).map(_one_way))
def test_edits_together(here: Surroundings, names: list[str]) -> None:
    agree(here, names)


def test_the_change_that_is_asked_for_is_enough(here: Surroundings) -> None:
    """The command of the verdict, run as it stands with the administrator's keys."""
    for name in ("orders admits no app", "app lets nothing out", "data gives no answer", "app-a takes none"):
        with ExitStack() as undo:
            EDITS[name](here, undo)
            pair = ("결제-api-1", "orders")
            assert not here.dials(*pair)
            for _ in range(4):  # an ACL may want more than one
                found = here.verdicts()[pair]
                if found.passes:
                    break
                assert found.change, found
                _run(here, undo, shlex.split(found.change))
            assert here.dials(*pair), name


def _run(here: Surroundings, undo: ExitStack, argv: list[str]) -> None:
    """An `aws ec2` command as the AWS CLI would run it: its options are the call's parameters."""
    assert argv[:2] == ["aws", "ec2"]
    operation = argv[2].replace("-", "_")
    options = _options(argv[3:])
    if operation.startswith("authorize"):
        request: dict[str, Any] = {"GroupId": options["group-id"]}
        if "ip-permissions" in options:
            request["IpPermissions"] = [_shorthand(options["ip-permissions"])]
        else:
            ports = {
                "IpProtocol": options["protocol"],
                "FromPort": int(options["port"]),
                "ToPort": int(options["port"]),
            }
            pair = {"UserIdGroupPairs": [{"GroupId": options["source-group"]}]}
            request["IpPermissions"] = [{**ports, **pair}]
        getattr(here.ec2, operation)(**request)
        undo.callback(getattr(here.ec2, operation.replace("authorize", "revoke")), **request)
        return
    assert operation == "create_network_acl_entry"
    first, last = (int(part.partition("=")[2]) for part in options["port-range"].split(","))
    here.ec2.create_network_acl_entry(
        NetworkAclId=options["network-acl-id"],
        RuleNumber=int(options["rule-number"]),
        Egress="egress" in options,
        Protocol=options["protocol"],
        PortRange={"From": first, "To": last},
        CidrBlock=options["cidr-block"],
        RuleAction=options["rule-action"],
    )


def _options(argv: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(argv):
        name = argv[at].removeprefix("--")
        flag = at + 1 == len(argv) or argv[at + 1].startswith("--")
        found[name] = "" if flag else argv[at + 1]
        at += 1 if flag else 2
    return found


def _shorthand(text: str) -> dict[str, Any]:
    """`A=b,C=[{D=e}]`: the AWS CLI's shorthand, as far as it is used."""
    head, _, tail = text.partition("=[{")
    *pairs, last = head.split(",")
    found: dict[str, Any] = dict(pair.split("=") for pair in pairs)
    inner, _, value = tail.removesuffix("}]").partition("=")
    return {**found, "FromPort": int(found["FromPort"]), "ToPort": int(found["ToPort"]), last: [{inner: value}]}
