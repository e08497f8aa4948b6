"""Domain values for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from ssm_tui.domain.access import Access, Answer, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Database, Kind
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
