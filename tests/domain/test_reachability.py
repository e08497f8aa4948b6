"""A table of small networks: does a connection get through, what is missing where not, what would tell where unknown.

The relay stands in app-a of vpc-1 (10.1.4.17, sg-app), the database in data-a and data-b behind sg-db on port 5432.
Each case says what is otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.networks import (
    LOCAL,
    AclRule,
    Attachment,
    Network,
    NetworkAcl,
    Peering,
    Permission,
    PrefixList,
    Route,
    RouteTable,
    SecurityGroup,
    Source,
    Subnet,
    TransitTable,
)
from ssm_tui.domain.nodes import Platform
from ssm_tui.domain.reachability.acls import allowed
from ssm_tui.domain.reachability.coverage import Extent, extent, network
from ssm_tui.domain.reachability.finding import Finding
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.domain.reachability.verdict import reaches
from tests.builders import OPEN, admits, database, group, node

YES, NO, UNKNOWN = Reachable.YES, Reachable.NO, Reachable.UNKNOWN
PORT = 5432


def tcp(*cidrs: str, first: int | None = PORT, last: int | None = None, protocol: str = "tcp") -> Permission:
    return Permission(protocol, first, first if last is None else last, cidrs=cidrs)


def listed(*prefix_lists: str) -> Permission:
    return Permission("tcp", PORT, PORT, prefix_lists=prefix_lists)


def rule(number: int, allow: bool, cidr: str = "0.0.0.0/0", first: int | None = None, last: int | None = None,
         protocol: str = "6") -> AclRule:  # fmt: skip
    return AclRule(number, allow, protocol if first is not None else "-1", cidr, first, last or first)


LAST = rule(32767, False)
EPHEMERAL = rule(100, True, "10.1.4.0/24", 1024, 65535)

GROUPS = {
    "sg-app": group("sg-app"),
    "sg-db": group("sg-db", admits("sg-app")),
    "sg-other": group("sg-other"),
}
ACLS = {
    "app": NetworkAcl("acl-app", ("app-a", "app-b"), OPEN, OPEN),
    "data": NetworkAcl("acl-data", ("data-a", "data-b"), OPEN, OPEN),
    "far": NetworkAcl("acl-far", ("far-a",), OPEN, OPEN),
}
TABLES = {
    "main": RouteTable("rtb-1", "vpc-1", (Route("10.1.0.0/16", LOCAL), Route("0.0.0.0/0", "nat-1")), main=True),
    "far": RouteTable("rtb-2", "vpc-2", (Route("10.2.0.0/16", LOCAL),), main=True),
}
SUBNETS = (
    Subnet("app-a", "vpc-1", "a", ("10.1.4.0/24", "fd00:1:4::/64")),
    Subnet("app-b", "vpc-1", "b", ("10.1.5.0/24",)),
    Subnet("data-a", "vpc-1", "a", ("10.1.20.0/24", "fd00:1:20::/64")),
    Subnet("data-b", "vpc-1", "b", ("10.1.21.0/24", "fd00:1:21::/64")),
    Subnet("far-a", "vpc-2", "a", ("10.2.4.0/24",)),
)
FACTS: dict[str, Any] = {"read": frozenset(Source), "vpcs": ("vpc-1", "vpc-2"), "subnets": SUBNETS}


@dataclass(frozen=True)
class Case:
    """What is otherwise in a case, and the verdict: words of the reason, of the change, and the permission."""

    name: str
    verdict: Reachable
    why: str = ""
    change: str = ""
    permission: Source | None = None
    groups: dict[str, SecurityGroup] = field(default_factory=dict)
    acls: dict[str, NetworkAcl] = field(default_factory=dict)
    tables: dict[str, RouteTable] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    unread: Source | None = None
    relay: dict[str, Any] = field(default_factory=dict)
    database: dict[str, Any] = field(default_factory=dict)

    def finding(self) -> Finding:
        facts = FACTS | {
            "groups": tuple((GROUPS | self.groups).values()),
            "acls": tuple((ACLS | self.acls).values()),
            "tables": tuple((TABLES | self.tables).values()),
        }
        facts |= self.facts
        if self.unread:
            facts["read"] = frozenset(Source) - {self.unread}
        relay: dict[str, Any] = {
            "vpc": "vpc-1", "subnet": "app-a", "az": "a", "ip": "10.1.4.17", "security_groups": ("sg-app",),
            "platform": Platform.LINUX,
        }  # fmt: skip
        target: dict[str, Any] = {"subnets": ("data-a", "data-b")}
        return reaches(Terrain(Network(**facts)), node(**(relay | self.relay)), database(**(target | self.database)))


def db(*ingress: Permission) -> dict[str, SecurityGroup]:
    return {"sg-db": group("sg-db", *ingress)}


def app(*egress: Permission) -> dict[str, SecurityGroup]:
    return {"sg-app": group("sg-app", egress=egress)}


def data_acl(*, ingress: tuple[AclRule, ...] = OPEN, egress: tuple[AclRule, ...] = OPEN) -> dict[str, NetworkAcl]:
    return {"data": NetworkAcl("acl-data", ("data-a", "data-b"), ingress, egress)}


def app_acl(*, ingress: tuple[AclRule, ...] = OPEN, egress: tuple[AclRule, ...] = OPEN) -> dict[str, NetworkAcl]:
    return {"app": NetworkAcl("acl-app", ("app-a", "app-b"), ingress, egress)}


INGRESS = [
    Case("a group that is named", YES, "sg-db admits sg-app on port 5432"),
    Case("another group is named", NO, "sg-db does not admit sg-app on port 5432",
         "aws ec2 authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 --source-group sg-app",
         groups=db(admits("sg-other"))),
    Case("no rule at all", NO, "sg-db does not admit", groups=db()),
    Case("the group for another port", NO, "on port 5432", groups=db(admits("sg-app", port=3306))),
    Case("the address's network", YES, "sg-db admits 10.1.4.0/24", groups=db(tcp("10.1.4.0/24"))),
    Case("the address alone", YES, "10.1.4.17/32", groups=db(tcp("10.1.4.17/32"))),
    Case("another address of the subnet alone", NO, "sg-db does not admit", groups=db(tcp("10.1.4.18/32"))),
    Case("everywhere", YES, "0.0.0.0/0", groups=db(tcp("0.0.0.0/0"))),
    Case("everywhere of IPv6 for an IPv4 address", NO, groups=db(tcp("::/0"))),
    Case("IPv6 for an IPv6 address", YES, "fd00:1:4::/64", groups=db(tcp("fd00:1:4::/64")),
         acls=app_acl(ingress=(rule(100, True, "::/0"),), egress=(rule(100, True, "::/0"),))
         | data_acl(ingress=(rule(100, True, "::/0"),), egress=(rule(100, True, "::/0"),)),
         tables={"main": RouteTable("rtb-1", "vpc-1", (Route("fd00:1::/32", LOCAL),), main=True)},
         relay={"ip": "fd00:1:4::17", "security_groups": ("sg-app",)},
         facts={"groups": (group("sg-app", egress=(tcp("::/0"),)), group("sg-db", tcp("fd00:1:4::/64")))}),
    Case("IPv4 for an IPv6 address", NO, "sg-db does not admit sg-app", relay={"ip": "fd00:1:4::17"},
         groups=db(tcp("0.0.0.0/0"))),
    Case("a range of ports", YES, groups=db(tcp("10.0.0.0/8", first=5000, last=6000))),
    Case("a range that ends before", NO, groups=db(tcp("10.0.0.0/8", first=1, last=5431))),
    Case("all ports of TCP", YES, groups=db(tcp("10.0.0.0/8", first=None))),
    Case("all protocols", YES, groups=db(Permission("-1", None, None, groups=("sg-app",)))),
    Case("TCP by its number", YES, groups=db(tcp("10.0.0.0/8", protocol="6"))),
    Case("UDP", NO, groups=db(tcp("10.0.0.0/8", protocol="udp"))),
    Case("ICMP", NO, groups=db(Permission("icmp", None, None, cidrs=("0.0.0.0/0",)))),
    Case("the database's own group, which the relay has too", YES, "sg-db admits sg-db",
         groups=db(admits("sg-db")), relay={"security_groups": ("sg-app", "sg-db")}),
    Case("the database's own group, which the relay has not", NO, groups=db(admits("sg-db"))),
    Case("any of several groups of the database", YES, "sg-two admits sg-app",
         groups=db() | {"sg-two": group("sg-two", admits("sg-app"))},
         database={"security_groups": ("sg-db", "sg-two")}),
    Case("none of several groups of the database", NO, "sg-db, sg-two do not admit",
         groups=db() | {"sg-two": group("sg-two")}, database={"security_groups": ("sg-db", "sg-two")}),
    Case("any of several groups of the relay", YES, "admits sg-other", groups=db(admits("sg-other")),
         relay={"security_groups": ("sg-app", "sg-other")}),
    Case("two rules that admit one half of the subnet each", YES, groups=db(tcp("10.1.4.0/25"), tcp("10.1.4.128/25")),
         relay={"ip": None}),
    Case("a part of the subnet, of an address that is not known", UNKNOWN, "a part of 10.1.4.0/24",
         groups=db(tcp("10.1.4.0/25")), relay={"ip": None}),
    Case("a part of the subnet with the address in it", YES, groups=db(tcp("10.1.4.0/25"))),
    Case("a prefix list that holds the address", YES, "sg-db admits pl-1", groups=db(listed("pl-1")),
         facts={"prefix_lists": (PrefixList("pl-1", ("192.168.0.0/16", "10.1.0.0/16")),)}),
    Case("a prefix list that does not", NO, groups=db(listed("pl-1")),
         facts={"prefix_lists": (PrefixList("pl-1", ("192.168.0.0/16",)),)}),
    Case("a prefix list that could not be read", UNKNOWN, "pl-1", permission=Source.PREFIXES,
         groups=db(listed("pl-1")), unread=Source.PREFIXES),
    Case("a prefix list that could not be read, and a rule that admits", YES,
         groups=db(listed("pl-1"), admits("sg-app")), unread=Source.PREFIXES),
    Case("the database's group could not be read", UNKNOWN, "sg-db could not be read", permission=Source.GROUPS,
         facts={"groups": (GROUPS["sg-app"],)}, unread=Source.GROUPS),
    Case("a group of another account", UNKNOWN, "sg-db is not shown", facts={"groups": (GROUPS["sg-app"],)}),
    Case("a group that could not be read beside one that admits", YES, facts={"groups": (*GROUPS.values(),)},
         database={"security_groups": ("sg-gone", "sg-db")}, unread=Source.GROUPS),
    Case("no group of the database is known", UNKNOWN, "groups are not known", database={"security_groups": ()}),
]  # fmt: skip

EGRESS = [
    Case("nothing is let out", NO, "sg-app does not let it out to sg-db on port 5432",
         "aws ec2 authorize-security-group-egress --group-id sg-app --ip-permissions "
         "'IpProtocol=tcp,FromPort=5432,ToPort=5432,UserIdGroupPairs=[{GroupId=sg-db}]'", groups=app()),
    Case("out to the database's group", YES, groups=app(admits("sg-db"))),
    Case("out to another group", NO, groups=app(admits("sg-other"))),
    Case("out on HTTPS alone", NO, groups=app(tcp("0.0.0.0/0", first=443))),
    Case("out to the VPC", YES, groups=app(tcp("10.1.0.0/16"))),
    Case("out to both of its subnets", YES, groups=app(tcp("10.1.20.0/24"), tcp("10.1.21.0/24"))),
    Case("out to one of its subnets", UNKNOWN, "data-b", groups=app(tcp("10.1.20.0/24"))),
    Case("out to the subnet of the zone that it is in", YES, groups=app(tcp("10.1.20.0/24")), database={"az": "a"}),
    Case("out to the subnet of another zone", NO, groups=app(tcp("10.1.20.0/24")), database={"az": "b"}),
    Case("out to one address of its subnet", UNKNOWN, "a part of 10.1.20.0/24", groups=app(tcp("10.1.20.7/32")),
         database={"az": "a"}),
    Case("out to the other subnet's CIDRs of IPv6 alone", NO, groups=app(tcp("::/0"))),
    Case("out by a prefix list", YES, groups=app(listed("pl-1")),
         facts={"prefix_lists": (PrefixList("pl-1", ("10.1.20.0/23",)),)}),
    Case("the relay's groups could not be read", UNKNOWN, permission=Source.GROUPS,
         facts={"groups": (GROUPS["sg-db"],)}, unread=Source.GROUPS),
    Case("it is not known which groups the relay has", UNKNOWN, permission=Source.INSTANCES,
         groups=db(tcp("0.0.0.0/0")), relay={"security_groups": ()}),
]  # fmt: skip

ACL = [
    Case("no rule lets it out of the relay's subnet", NO,
         "acl-app of app-a does not let connections out to 10.1.20.0/24",
         "aws ec2 create-network-acl-entry --network-acl-id acl-app --egress --rule-number 100 --protocol tcp "
         "--port-range From=5432,To=5432 --cidr-block 10.1.20.0/24 --rule-action allow", acls=app_acl(egress=(LAST,)),
         database={"az": "a"}),
    Case("no rule lets it into the database's subnet", NO, "acl-data of data-a does not let connections in from",
         "--ingress --rule-number 100", acls=data_acl(ingress=(LAST,))),
    Case("no rule lets the answer out", NO, "does not let answers out to", "From=32768,To=60999",
         acls=data_acl(egress=(LAST,))),
    Case("no rule lets the answer in", NO, "acl-app of app-a does not let answers in from",
         acls=app_acl(ingress=(LAST,))),
    Case("the port and the ephemeral ones", YES,
         acls=data_acl(ingress=(rule(100, True, "10.1.4.0/24", PORT), LAST), egress=(EPHEMERAL, LAST))),
    Case("the ephemeral ports of Linux", YES, acls=data_acl(egress=(rule(100, True, "0.0.0.0/0", 32768, 60999), LAST))),
    Case("the ephemeral ports of Windows, for Linux", UNKNOWN, "a part alone",
         acls=data_acl(egress=(rule(100, True, "0.0.0.0/0", 49152, 65535), LAST))),
    Case("the ephemeral ports of Windows, for Windows", YES, relay={"platform": Platform.WINDOWS},
         acls=data_acl(egress=(rule(100, True, "0.0.0.0/0", 49152, 65535), LAST))),
    Case("the ephemeral ports of Linux, for who knows what", UNKNOWN, relay={"platform": None},
         acls=data_acl(egress=(rule(100, True, "0.0.0.0/0", 32768, 60999), LAST))),
    Case("answers on the database's own port, which is none of theirs", NO,
         acls=data_acl(egress=(rule(100, True, "0.0.0.0/0", PORT), LAST))),
    Case("a denial before the permission", NO, "acl-data", "--rule-number 49",
         acls=data_acl(ingress=(rule(50, False, "10.1.4.0/24"), *OPEN))),
    Case("a denial behind the permission", YES, acls=data_acl(ingress=(rule(150, False, "10.1.4.0/24"), *OPEN))),
    Case("rules count by their numbers, not as they are listed", YES,
         acls=data_acl(ingress=(LAST, rule(200, False), rule(100, True)))),
    Case("a denial of another port", YES, acls=data_acl(ingress=(rule(50, False, "0.0.0.0/0", 22), *OPEN))),
    Case("a denial of another address", YES, acls=data_acl(ingress=(rule(50, False, "10.1.4.18/32"), *OPEN))),
    Case("a denial of the address alone", NO, acls=data_acl(ingress=(rule(50, False, "10.1.4.17/32"), *OPEN))),
    Case("a denial of UDP", YES, acls=data_acl(ingress=(rule(50, False, "0.0.0.0/0", PORT, protocol="17"), *OPEN))),
    Case("no number is left before the denial", NO, acls=data_acl(ingress=(rule(1, False), *OPEN))),
    Case("one of its subnets is closed", UNKNOWN, "data-b", acls={
        "data": NetworkAcl("acl-data", ("data-a",), OPEN, OPEN), "b": NetworkAcl("acl-b", ("data-b",), (LAST,), OPEN)}),
    Case("one of its subnets is closed, and it is in the other", YES, database={"az": "a"}, acls={
        "data": NetworkAcl("acl-data", ("data-a",), OPEN, OPEN), "b": NetworkAcl("acl-b", ("data-b",), (LAST,), OPEN)}),
    Case("within one subnet they do not apply", YES, acls=app_acl(ingress=(LAST,), egress=(LAST,)),
         database={"subnets": ("app-a",)}),
    Case("within one subnet they need not be known", YES, facts={"acls": ()}, unread=Source.ACLS,
         database={"subnets": ("app-a",)}),
    Case("they could not be read", UNKNOWN, "network ACL of app-a", permission=Source.ACLS, facts={"acls": ()},
         unread=Source.ACLS),
    Case("they could not be read, and no group admits", NO, "sg-db", facts={"acls": ()}, unread=Source.ACLS,
         groups=db()),
]  # fmt: skip

FAR: dict[str, Any] = {"vpc": "vpc-2", "subnet": "far-a", "ip": "10.2.4.9"}


def joined(target: str, *, there: bool = True, back: bool = True) -> dict[str, RouteTable]:
    """Routes between the two VPCs over a peering or a transit gateway."""
    far, main = TABLES["far"], TABLES["main"]
    out, home = Route("10.1.0.0/16", target), Route("10.2.0.0/16", target)
    return {
        "far": replace(far, routes=(*far.routes, *([out] if there else []))),
        "main": replace(main, routes=(*main.routes, *([home] if back else []))),
    }


def peering(status: str = "active", **facts: Any) -> dict[str, Any]:
    return {"peerings": (Peering("pcx-1", ("vpc-1", "vpc-2"), status),)} | facts


def transit(**changes: Any) -> dict[str, Any]:
    one = Attachment("att-1", "tgw-1", "vpc-1", "available", "tgw-rtb", ("data-a", "data-b"), references=False)
    two = Attachment("att-2", "tgw-1", "vpc-2", "available", "tgw-rtb", ("far-a",), references=False)
    routes = changes.pop("routes", (Route("10.1.0.0/16", "att-1"), Route("10.2.0.0/16", "att-2")))
    of_db, of_far = changes.pop("of_db", {}), changes.pop("of_far", {})
    return {
        "attachments": (replace(one, **changes, **of_db), replace(two, **changes, **of_far)),
        "transit_tables": (TransitTable("tgw-rtb", routes),),
    }


ROUTES = [
    Case("a route of its own to a middlebox", UNKNOWN, "through eni-1",
         tables={"main": replace(TABLES["main"], routes=(*TABLES["main"].routes, Route("10.1.20.0/23", "eni-1")))}),
    Case("the route tables could not be read", UNKNOWN, permission=Source.TABLES, facts={"tables": ()},
         unread=Source.TABLES),
    Case("a subnet's own table comes before the main one", UNKNOWN, "through eni-1", tables={
        "own": replace(TABLES["main"], id="rtb-own", main=False, subnets=("app-a",), routes=(
            Route("10.1.0.0/16", LOCAL), Route("10.1.20.0/23", "eni-1")))}),
    Case("nothing joins the VPCs", NO, "nothing joins vpc-2 to vpc-1", relay=FAR),
    Case("a peering with routes both ways", YES, "sg-db admits sg-app", relay=FAR, tables=joined("pcx-1"),
         facts=peering()),
    Case("a peering, admitted by address", YES, relay=FAR, tables=joined("pcx-1"), facts=peering(),
         groups=db(tcp("10.2.0.0/16"))),
    Case("a peering without a route there", NO, "rtb-2 of far-a has no route to 10.1.20.0/24 in vpc-1",
         "aws ec2 create-route --route-table-id rtb-2 --destination-cidr-block 10.1.20.0/24 "
         "--vpc-peering-connection-id pcx-1", relay=FAR, tables=joined("pcx-1", there=False), facts=peering()),
    Case("a peering without a route back", NO, "rtb-1 of data-a has no route to 10.2.4.0/24 in vpc-2", relay=FAR,
         tables=joined("pcx-1", back=False), facts=peering()),
    Case("a peering that waits", NO, "pcx-1 is pending-acceptance", "aws ec2 accept-vpc-peering-connection", relay=FAR,
         tables=joined("pcx-1"), facts=peering("pending-acceptance")),
    Case("a peering that was deleted", NO, "pcx-1 is deleted", relay=FAR, tables=joined("pcx-1"),
         facts=peering("deleted")),
    Case("a black hole", NO, "black hole for 10.1.20.0/24",
         "aws ec2 replace-route --route-table-id rtb-2 --destination-cidr-block 10.1.20.0/24", relay=FAR,
         database={"az": "a"}, facts=peering(), tables=joined("pcx-1") | {"far": replace(
             TABLES["far"], routes=(Route("10.1.0.0/16", "pcx-1"), Route("10.1.20.0/24", "pcx-0", active=False)))}),
    Case("the most specific route leads elsewhere", NO, "pcx-9", relay=FAR, database={"az": "a"},
         tables=joined("pcx-1") | {"far": replace(
             TABLES["far"], routes=(Route("10.1.0.0/16", "pcx-1"), Route("10.1.20.0/24", "pcx-9")))},
         facts={"peerings": (*peering()["peerings"], Peering("pcx-9", ("vpc-2", "vpc-9"), "active"))}),
    Case("a route for a part of its subnet", UNKNOWN, "if it is in", relay=FAR, database={"az": "a"}, facts=peering(),
         tables=joined("pcx-1") | {"far": replace(TABLES["far"], routes=(Route("10.1.20.0/25", "pcx-1"),))}),
    Case("a route by a prefix list", YES, relay=FAR, tables=joined("pcx-1") | {"far": replace(
        TABLES["far"], routes=(Route("pl-1", "pcx-1"),))},
         facts=peering(prefix_lists=(PrefixList("pl-1", ("10.1.0.0/16",)),))),
    Case("a route by a prefix list that could not be read", UNKNOWN, permission=Source.PREFIXES, relay=FAR,
         tables=joined("pcx-1") | {"far": replace(TABLES["far"], routes=(Route("pl-1", "pcx-1"),))}, facts=peering(),
         unread=Source.PREFIXES),
    Case("ranges that overlap: the VPC's own wins", NO, "keeps 10.1.20.0/24 within vpc-2", relay=FAR, facts=peering(),
         tables=joined("pcx-1") | {"far": RouteTable("rtb-2", "vpc-2", (Route("10.1.0.0/16", LOCAL),), main=True)}),
    Case("peerings could not be read", UNKNOWN, permission=Source.PEERINGS, relay=FAR, tables=joined("pcx-1"),
         unread=Source.PEERINGS),
    Case("an ACL of the other VPC", NO, "acl-far of far-a does not let connections out", relay=FAR, facts=peering(),
         tables=joined("pcx-1"), acls={"far": NetworkAcl("acl-far", ("far-a",), OPEN, (LAST,))}),
    Case("a transit gateway, admitted by address", YES, relay=FAR, tables=joined("tgw-1"), facts=transit(),
         groups=db(tcp("10.2.4.0/24"))),
    Case("a transit gateway that names no groups", NO, "sg-db does not admit",
         "IpRanges=[{CidrIp=10.2.4.0/24}]", relay=FAR, tables=joined("tgw-1"), facts=transit()),
    Case("a transit gateway that lets groups be named", YES, "admits sg-app", relay=FAR, tables=joined("tgw-1"),
         facts=transit(references=True)),
    Case("a transit gateway of which that is not known", UNKNOWN, permission=Source.TRANSIT, relay=FAR,
         tables=joined("tgw-1"), facts=transit(references=None), unread=Source.TRANSIT),
    Case("a transit gateway without a route back in its table", NO, "tgw-rtb of tgw-1 has no route for 10.2.4.0/24",
         "aws ec2 create-transit-gateway-route", relay=FAR, tables=joined("tgw-1"), groups=db(tcp("10.2.4.0/24")),
         facts=transit(routes=(Route("10.1.0.0/16", "att-1"),))),
    Case("a black hole of the transit gateway's", NO, "tgw-rtb", relay=FAR, tables=joined("tgw-1"),
         groups=db(tcp("10.2.4.0/24")), facts=transit(
             routes=(Route("10.1.0.0/16", "att-1", active=False), Route("10.2.0.0/16", "att-2")))),
    Case("an attachment that is not there yet", NO, "att-2 of vpc-2 is pending", relay=FAR, tables=joined("tgw-1"),
         groups=db(tcp("10.2.4.0/24")), facts=transit(of_far={"state": "pending"})),
    Case("an attachment without a table", NO, "associated with no route table", relay=FAR, tables=joined("tgw-1"),
         groups=db(tcp("10.2.4.0/24")), facts=transit(table=None)),
    Case("an attachment without a subnet in the zone", NO, "att-1 of vpc-1 has no subnet in a", relay=FAR,
         tables=joined("tgw-1"), groups=db(tcp("10.2.4.0/24")), database={"az": "a"},
         facts=transit(of_db={"subnets": ("data-b",)})),
    Case("a transit gateway whose routes could not be read", UNKNOWN, permission=Source.TRANSIT_ROUTES, relay=FAR,
         tables=joined("tgw-1"), groups=db(tcp("10.2.4.0/24")), facts=transit() | {"transit_tables": ()},
         unread=Source.TRANSIT_ROUTES),
    Case("a transit gateway whose attachments' subnets could not be read", UNKNOWN, permission=Source.TRANSIT_SUBNETS,
         relay=FAR, tables=joined("tgw-1"), groups=db(tcp("10.2.4.0/24")), facts=transit(subnets=None),
         unread=Source.TRANSIT_SUBNETS),
    Case("a VPC that is not attached", NO, "nothing joins", relay=FAR, tables=joined("tgw-1"),
         facts=transit() | {"attachments": transit()["attachments"][:1]}),
]  # fmt: skip

PLACES = [
    Case("the database's VPC is not known", UNKNOWN, "VPC is not known", database={"vpc": None}),
    Case("the relay stands nobody knows where", UNKNOWN, "not known", relay={"vpc": None}),
    Case("the database's subnets are not told: any of its VPC", YES, database={"subnets": ()}),
    Case("the database's subnets are not told, and one of its VPC's is closed", UNKNOWN, "app-b",
         database={"subnets": ()}, acls={"app": NetworkAcl("acl-app", ("app-a",), OPEN, OPEN),
                                         "b": NetworkAcl("acl-b", ("app-b",), (LAST,), OPEN)}),
    Case("subnets could not be read, and rules are for all", YES, facts={"subnets": ()}, unread=Source.SUBNETS,
         tables={"main": RouteTable("rtb-1", "vpc-1", (Route("0.0.0.0/0", LOCAL),), main=True)}),
    Case("subnets could not be read, and a rule is for some", UNKNOWN, permission=Source.SUBNETS,
         facts={"subnets": ()}, unread=Source.SUBNETS, groups=app(tcp("10.1.20.0/24"))),
    Case("neither the relay's address nor its subnet is known", UNKNOWN, permission=Source.SUBNETS,
         relay={"ip": None, "subnet": "app-x"}, unread=Source.SUBNETS),
    Case("a relay of IPv6 alone, a database of IPv4 alone", UNKNOWN, "no IPv6 addresses", relay={"ip": "fd00:1:4::17"},
         database={"subnets": ("app-b",)}),
]  # fmt: skip

CASES = [*INGRESS, *EGRESS, *ACL, *ROUTES, *PLACES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases(case: Case) -> None:
    found = case.finding()
    assert found.reachable is case.verdict, found
    assert case.why in found.why
    assert case.change in found.change
    assert found.permission == (case.permission.value if case.permission else "")
    if case.permission:
        assert case.permission.value in found.why, "who reads the reason alone knows what to ask for"
    if found.reachable is Reachable.NO:
        assert found.why, "a no always says what is missing"


def test_there_are_enough_cases() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_a_change_that_is_made_is_enough() -> None:
    """What the verdict asks for, done in the facts, turns it."""
    for case, mended in ((INGRESS[1], db(admits("sg-app"))), (EGRESS[0], app(admits("sg-db")))):
        assert case.finding().reachable is NO
        assert replace(case, groups=mended).finding().reachable is YES


NEAR = st.builds(lambda low, length: f"10.0.0.{low >> (32 - length) << (32 - length) & 255}/{length}",
                 st.integers(0, 255), st.integers(24, 32))  # fmt: skip


ACL_RULES = st.tuples(st.integers(1, 9), st.booleans(), NEAR, st.integers(0, 12), st.integers(0, 4))


@given(NEAR, st.lists(NEAR, max_size=5))
def test_an_extent_is_what_counting_addresses_says(asked: str, rules: list[str]) -> None:
    whole = network(asked)
    assert whole is not None
    ranges = [found for each in rules if (found := network(each)) is not None]
    inside = [any(address in each for each in ranges) for address in whole]
    expected = Extent.ALL if all(inside) else Extent.SOME if any(inside) else Extent.NONE
    assert extent(whole, rules) is expected


@given(
    NEAR,
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted),
    st.lists(ACL_RULES, max_size=5, unique_by=lambda each: each[0]),
)  # fmt: skip
def test_acl_rules_decide_as_each_packet_is_decided(
    asked: str, ports: list[int], listed: list[tuple[int, bool, str, int, int]]
) -> None:
    whole = network(asked)
    assert whole is not None
    rules = tuple(AclRule(n, allow, "6", cidr, first, first + more) for n, allow, cidr, first, more in listed)

    def passes(address: Any, port: int) -> bool:
        for each in sorted(rules, key=lambda found: found.number):
            place = network(each.cidr)
            assert place is not None
            assert each.first_port is not None
            assert each.last_port is not None
            if address in place and each.first_port <= port <= each.last_port:
                return each.allow
        return False

    found = {passes(address, port) for address in whole for port in range(ports[0], ports[1] + 1)}
    expected = Extent.SOME if len(found) > 1 else Extent.ALL if found == {True} else Extent.NONE
    assert allowed(rules, whole, (ports[0], ports[1])) is expected
