"""Domain values for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from ssm_tui.domain.access import Access, Answer, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Database, Kind
from ssm_tui.domain.networks import (
    LOCAL,
    AclRule,
    Network,
    NetworkAcl,
    Permission,
    Route,
    RouteTable,
    SecurityGroup,
    Source,
    Subnet,
)
from ssm_tui.domain.nodes import Node, Ping

SEOUL = Context("dev", "ap-northeast-2")
VIRGINIA = Context("dev", "us-east-1")
HOSTILE = "[/x]\x1b]0;pwned\x07"

YES = Answer(Verdict.ALLOWED, "team=pay")
NO = Answer(Verdict.DENIED, "no policy allows it")
ALL = Access(YES, YES, YES, YES)


def node(id_: str = "i-0a1b2c3d4e5f60718", **fields: Any) -> Node:
    """An online node with access to everything, unless told otherwise."""
    defaults: dict[str, Any] = {"context": SEOUL, "ping": Ping.ONLINE, "access": ALL}
    return Node(id=id_, **(defaults | fields))


def database(id_: str = "orders", **fields: Any) -> Database:
    """A PostgreSQL in vpc-1 behind sg-db, unless told otherwise."""
    defaults: dict[str, Any] = {
        "context": SEOUL,
        "kind": Kind.RDS,
        "engine": "postgres",
        "endpoint": f"{id_}.c9akciq32.ap-northeast-2.rds.amazonaws.com",
        "port": 5432,
        "vpc": "vpc-1",
        "security_groups": ("sg-db",),
        "database": "orders",
        "user": "app",
    }
    return Database(id=id_, **(defaults | fields))


OPEN = (AclRule(100, True, "-1", "0.0.0.0/0"), AclRule(32767, False, "-1", "0.0.0.0/0"))
ANYWHERE = Permission("-1", None, None, cidrs=("0.0.0.0/0",))


def network(*groups: SecurityGroup, **facts: Any) -> Network:
    """vpc-1 with one open subnet, subnet-1, and everything read; each group lets out what its nodes like."""
    defaults: dict[str, Any] = {
        "read": frozenset(Source),
        "vpcs": ("vpc-1",),
        "groups": groups,
        "acls": (NetworkAcl("acl-1", ("subnet-1",), OPEN, OPEN),),
        "tables": (RouteTable("rtb-1", "vpc-1", (Route("10.1.0.0/16", LOCAL),), main=True),),
        "subnets": (Subnet("subnet-1", "vpc-1", "ap-northeast-2a", ("10.1.0.0/16",)),),
    }
    return Network(**(defaults | facts))


def group(id_: str, *ingress: Permission, egress: tuple[Permission, ...] = (ANYWHERE,)) -> SecurityGroup:
    """A security group, which lets everything out unless told otherwise."""
    return SecurityGroup(id_, ingress, egress)


def admits(*groups: str, port: int = 5432) -> Permission:
    """A permission for a TCP port that names groups."""
    return Permission("tcp", port, port, groups=groups)
